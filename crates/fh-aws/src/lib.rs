//! One way to reach AWS: region, endpoint, credentials of every usual kind, time-outs and retries.
//!
//! The S3 client of fh-repository is built from [`sdk_config`]. Other services are reached through [`JsonClient`] and
//! [`QueryClient`], thin signed clients ([`service`] has what is asked of them), because an SDK crate for each would cost minutes of compile time (docs/decisions/0002-dependencies.md).
//!
//! ```no_run
//! # async fn example() -> fh_core::Result<()> {
//! let options = fh_aws::AwsOptions { region: Some("eu-central-1".into()), ..Default::default() };
//! let config = fh_aws::sdk_config(&options).await?;
//! let secret = fh_aws::AwsSecrets::new(&config)?.secretsmanager("prod/database-url").await?;
//! # Ok(()) }
//! ```

mod api_error;
mod backoff;
mod config;
mod credentials;
mod json;
mod query;
mod rds;
mod secrets;
pub mod service;
mod sign;
mod thin;
mod xml;

pub use api_error::{ApiError, denied, refusal};
pub use aws_types::SdkConfig;
pub use config::{AwsOptions, only_profile, sdk_config};
pub use credentials::CREDENTIALS_HINT;
pub use json::JsonClient;
pub use query::QueryClient;
pub use rds::{RdsTokens, rds_auth_token};
pub use secrets::{AwsSecrets, BlockingSecrets};
pub use xml::Xml;

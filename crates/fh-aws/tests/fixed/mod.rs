//! A configuration that depends on nothing outside the test.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part, and fails by panicking"
)]

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use fh_aws::{AwsOptions, sdk_config};

/// Key id and secret of every test.
pub const KEY: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// Fixed credentials and region, and every service at `endpoint`.
pub async fn config(endpoint: &str) -> SdkConfig {
    let options = AwsOptions {
        region: Some("eu-central-1".into()),
        profile: None,
        endpoint_url: Some(endpoint.into()),
    };
    let credentials = Credentials::new(
        KEY,
        SECRET,
        Some("session-token-of-the-test".into()),
        None,
        "test",
    );
    sdk_config(&options)
        .await
        .unwrap()
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

//! A bucket in an S3 server of this process, and clients that depend on nothing outside the test.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses a part"
)]

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use fh_aws::{AwsOptions, SdkConfig, sdk_config};
use fh_core::Deadline;
use fh_repository::{S3Options, S3Store};
use fh_testkit::S3;

pub const NAME: &str = "backups";

pub struct Bucket {
    pub server: S3,
}

impl Bucket {
    pub fn start() -> Self {
        let server = S3::start();
        server.create_bucket(NAME);
        Self { server }
    }

    pub fn store(&self, prefix: &str) -> S3Store {
        self.store_with(prefix, &S3Options::default())
    }

    pub fn store_with(&self, prefix: &str, options: &S3Options) -> S3Store {
        let config = config(
            &self.server.endpoint(),
            self.server.access_key(),
            self.server.secret_key(),
        );
        S3Store::with_config(&config, NAME, prefix, options, Deadline::never())
    }
}

/// As a tool configures its clients, but with fixed credentials, and with short pauses between attempts.
pub fn config(endpoint: &str, key: &str, secret: &str) -> SdkConfig {
    let options = AwsOptions {
        region: Some("us-east-1".into()),
        profile: None,
        endpoint_url: Some(endpoint.into()),
    };
    let config = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(sdk_config(&options)).unwrap()
        });
        thread.join().unwrap()
    });
    let retry = config
        .retry_config()
        .cloned()
        .unwrap_or_else(RetryConfig::standard);
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            key, secret, None, None, "test",
        )))
        .retry_config(retry.with_initial_backoff(Duration::from_millis(1)))
        .build()
}

//! Region, endpoint, HTTP client and retries: the settings that every AWS client shares.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
use fh_core::{Context as _, Error, Result};

/// What may be said about AWS in the configuration; the rest comes from its own environment variables and files.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// Region, for example `eu-central-1`.
    pub region: Option<String>,
    /// Profile of `~/.aws/config` and `~/.aws/credentials`.
    pub profile: Option<String>,
    /// Endpoint instead of the service's own: an emulator, or a compatible store.
    pub endpoint_url: Option<String>,
}

impl From<&fh_core::config::Aws> for AwsOptions {
    fn from(aws: &fh_core::config::Aws) -> Self {
        Self {
            region: aws.region.clone(),
            profile: aws.profile.clone(),
            endpoint_url: aws.endpoint_url.clone(),
        }
    }
}

/// How requests name this program to AWS; CloudTrail shows it.
pub(crate) const APP_NAME: &str = "financehub-devops-toolkit";
/// Connecting to a service.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Waiting for the first byte of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// One attempt, sent and answered: 64 MiB at half a megabyte a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(120);
/// Attempts, the first one included. The pauses between them grow, with jitter.
pub(crate) const ATTEMPTS: u32 = 5;

/// Reads the AWS configuration in the usual order: options, environment, profile files, and for credentials also web
/// identity, ECS and EC2 (IMDSv2). IAM Identity Center (SSO) log-ins are not compiled in.
///
/// # Errors
/// Exit code 2 when no region is to be found anywhere.
pub async fn sdk_config(options: &AwsOptions) -> Result<SdkConfig> {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .app_name(AppName::new(APP_NAME).or_unable(|| "cannot configure the AWS client")?)
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &options.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    let config = loader.load().await;
    if config.region().is_some() {
        return Ok(config);
    }
    // The endpoint may have come from AWS_ENDPOINT_URL or a profile.
    if config.endpoint_url().is_some() {
        // A compatible store does not care, but the signature needs one.
        return Ok(config.into_builder().region(Region::new("us-east-1")).build());
    }
    Err(no_region())
}

/// The same configuration with the credentials of this profile and no others. (A profile in [`AwsOptions`] comes after
/// the environment's keys, as in AWS's own tools.)
#[must_use]
pub fn only_profile(config: &SdkConfig, profile: &str) -> SdkConfig {
    let mut provider = ProviderConfig::default().with_region(config.region().cloned());
    if let Some(http) = config.http_client() {
        provider = provider.with_http_client(http);
    }
    let credentials = ProfileFileCredentialsProvider::builder()
        .configure(&provider)
        .profile_name(profile)
        .build();
    config
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

pub(crate) fn no_region() -> Error {
    Error::usage("no AWS region is set")
        .hint("set AWS_REGION, or region in the [aws] section of the configuration, or in the AWS profile")
}

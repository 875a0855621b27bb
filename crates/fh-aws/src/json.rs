//! The AWS JSON 1.1 protocol over ureq: one signed POST for each call, typed on both sides.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::SigningSettings;
use aws_types::SdkConfig;
use fh_core::{Context as _, Deadline, Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api_error::ApiError;
use crate::config::{APP_NAME, ATTEMPTS, no_region};
use crate::sign::{Scope, signature};
use crate::{backoff, credentials};

/// One attempt, from connecting to the last byte.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of one service that speaks JSON 1.1.
#[derive(Debug, Clone)]
pub struct JsonClient {
    config: SdkConfig,
    agent: ureq::Agent,
    region: String,
    endpoint: String,
    /// Name and port of the endpoint, as the signature and the request have it.
    host: String,
    /// Name of the service in signatures and host names, for example `secretsmanager`.
    service: &'static str,
    /// What stands before the operation in `X-Amz-Target`.
    target: &'static str,
    deadline: Deadline,
}

/// Why one attempt failed.
enum Failure {
    Api(ApiError),
    Transport(ureq::Error),
    Other(Error),
}

impl Failure {
    /// Whether another attempt may help. A server that cannot prove its name will not be able to a second later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Api(error) => error.may_pass(),
            Self::Transport(ureq::Error::Io(error)) => error.kind() != std::io::ErrorKind::InvalidData,
            Self::Transport(error) => matches!(
                error,
                ureq::Error::Timeout(_)
                    | ureq::Error::ConnectionFailed
                    | ureq::Error::HostNotFound
                    | ureq::Error::Protocol(_)
            ),
            Self::Other(_) => false,
        }
    }
}

impl JsonClient {
    /// A client of `service`.
    ///
    /// # Errors
    /// Exit code 2 without a region, or with an endpoint that is no URL.
    pub fn new(config: &SdkConfig, service: &'static str, target: &'static str) -> Result<Self> {
        let region = config.region().ok_or_else(no_region)?.to_string();
        // AWS General Reference, "AWS service endpoints"; China has its own top-level domain.
        let domain = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        let endpoint = config.endpoint_url().map_or_else(
            || format!("https://{service}.{region}.{domain}"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        let host = host_of(&endpoint).ok_or_else(|| {
            Error::usage(format!("the AWS endpoint {endpoint:?} is not a URL"))
                .hint("write https://HOST or http://HOST:PORT in AWS_ENDPOINT_URL or endpoint_url")
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        let agent = ureq::Agent::config_builder()
            .user_agent(APP_NAME)
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(tls)
            .build()
            .new_agent();
        Ok(Self {
            config: config.clone(),
            agent,
            region,
            endpoint,
            host,
            service,
            target,
            deadline: Deadline::never(),
        })
    }

    /// The same client, whose calls never outlast the run.
    #[must_use]
    pub fn until(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    /// Calls `operation`. Throttling, server faults and broken connections are tried again, five times in all, with
    /// pauses that grow and jitter.
    ///
    /// # Errors
    /// Exit code 3 with the service's words and the request id.
    pub async fn call<O: DeserializeOwned + Send + 'static>(
        &self,
        operation: &str,
        input: &impl Serialize,
    ) -> Result<O> {
        let body =
            serde_json::to_vec(input).or_unable(|| format!("cannot write the request of {operation}"))?;
        let mut tried = 0;
        let answer = loop {
            let failure = match self.attempt(operation, &body).await {
                Ok(answer) => break answer,
                Err(failure) => failure,
            };
            tried += 1;
            let pause = backoff::pause(tried - 1)?;
            let in_time = self.deadline.remaining().is_none_or(|left| left > pause);
            if !failure.may_pass() || tried == ATTEMPTS || !in_time {
                return Err(self.explain(operation, failure));
            }
            tracing::debug!(
                operation,
                attempt = tried,
                "AWS call failed, trying again in {pause:?}"
            );
            tokio::time::sleep(pause).await;
        };
        // The cause would quote the answer, and the answer may be a secret.
        serde_json::from_slice(&answer).map_err(|error| {
            Error::unable(format!(
                "the answer of {} to {operation} is not understood",
                self.service
            ))
            .hint(format!(
                "{} bytes came, wrong at line {} column {}: is {} really an AWS endpoint?",
                answer.len(),
                error.line(),
                error.column(),
                self.endpoint
            ))
        })
    }

    /// One attempt, with credentials that are asked for anew: those of the attempt before may have expired.
    async fn attempt(&self, operation: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let what = format!("{operation} of {}", self.service);
        let timeout = self
            .deadline
            .bound(ATTEMPT_TIMEOUT, &what)
            .map_err(Failure::Other)?;
        let credentials = tokio::time::timeout(timeout, credentials::resolve(&self.config))
            .await
            .unwrap_or_else(|late| Err(Error::unable("AWS credentials did not come in time").because(late)))
            .map_err(Failure::Other)?;
        let (client, operation, body) = (self.clone(), operation.to_owned(), body.to_owned());
        tokio::task::spawn_blocking(move || client.send(&credentials, &operation, &body, timeout))
            .await
            .map_err(|crashed| Failure::Other(Error::unable("a request ended early").because(crashed)))?
    }

    fn send(
        &self,
        credentials: &Credentials,
        operation: &str,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Vec<u8>, Failure> {
        let uri = format!("{}/", self.endpoint);
        let target = format!("{}.{operation}", self.target);
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("host", self.host.as_str()),
            ("x-amz-target", target.as_str()),
        ];
        let scope = Scope {
            credentials,
            region: &self.region,
            service: self.service,
            time: SystemTime::now(),
        };
        let signed = signature(&scope, SigningSettings::default(), "POST", &uri, &headers, body)
            .map_err(Failure::Other)?;
        let mut request = self
            .agent
            .post(&uri)
            .config()
            .timeout_global(Some(timeout))
            .build();
        for (name, value) in headers.into_iter().chain(signed.headers()) {
            request = request.header(name, value);
        }
        let mut response = request.send(body).map_err(Failure::Transport)?;
        let status = response.status().as_u16();
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let request_id = header("x-amzn-requestid").unwrap_or_else(|| "unknown".to_owned());
        let error_type = header("x-amzn-errortype");
        let answer = response.body_mut().read_to_vec().map_err(Failure::Transport)?;
        if status == 200 {
            Ok(answer)
        } else {
            Err(Failure::Api(ApiError::read(
                status,
                request_id,
                error_type.as_deref(),
                &answer,
            )))
        }
    }

    fn explain(&self, operation: &str, failure: Failure) -> Error {
        let what = format!("{operation} of {} in {} failed", self.service, self.region);
        match failure {
            Failure::Other(error) => error,
            Failure::Transport(error) => Error::unable(what).because(error).hint(format!(
                "can this host reach {}? a VPC needs a NAT gateway or an endpoint for it",
                self.endpoint
            )),
            Failure::Api(error) => {
                let advice = error.advice(operation);
                Error::unable(what).because(error).hint(advice)
            }
        }
    }
}

/// Host and, where it is not the scheme's own, port.
fn host_of(endpoint: &str) -> Option<String> {
    let uri: ureq::http::Uri = endpoint.parse().ok()?;
    let authority = uri.authority()?;
    let usual = match uri.scheme_str()? {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    Some(match authority.port_u16() {
        Some(port) if port != usual => format!("{}:{port}", authority.host()),
        _ => authority.host().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_host_is_the_one_that_is_sent() {
        for (endpoint, host) in [
            (
                "https://ssm.eu-central-1.amazonaws.com",
                "ssm.eu-central-1.amazonaws.com",
            ),
            (
                "https://ssm.eu-central-1.amazonaws.com:443",
                "ssm.eu-central-1.amazonaws.com",
            ),
            ("http://127.0.0.1:5000", "127.0.0.1:5000"),
            ("http://localhost/path", "localhost"),
        ] {
            assert_eq!(host_of(endpoint).as_deref(), Some(host), "{endpoint}");
        }
        for wrong in ["", "localhost:5000", "ftp://x", "https://"] {
            assert_eq!(host_of(wrong), None, "{wrong}");
        }
    }
}

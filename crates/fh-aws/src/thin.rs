//! One signed POST over ureq, tried again where that may help: what the protocols of the small services share.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::SigningSettings;
use aws_types::SdkConfig;
use fh_core::{Deadline, Error, Result};

use crate::api_error::ApiError;
use crate::config::{APP_NAME, ATTEMPTS, no_region};
use crate::sign::{Scope, signature};
use crate::{backoff, credentials};

/// One attempt, from connecting to the last byte.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of one service.
#[derive(Debug, Clone)]
pub(crate) struct ThinClient {
    config: SdkConfig,
    agent: ureq::Agent,
    region: String,
    endpoint: String,
    /// Name and port of the endpoint, as the signature and the request have it.
    host: String,
    /// Name of the service in signatures and host names, for example `secretsmanager`.
    service: &'static str,
    deadline: Deadline,
}

/// What is sent, and how a refusal is read.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Name of the operation, for messages.
    pub(crate) operation: String,
    /// Headers that the protocol wants.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Reads the answer of a service that refuses.
    pub(crate) refusal: fn(&Refusal<'_>) -> ApiError,
}

/// An answer that is no result.
pub(crate) struct Refusal<'a> {
    /// HTTP status.
    pub(crate) status: u16,
    /// Id from the headers.
    pub(crate) request_id: String,
    /// `x-amzn-errortype`.
    pub(crate) error_type: Option<&'a str>,
    /// The body.
    pub(crate) body: &'a [u8],
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

impl ThinClient {
    /// A client of `service`.
    ///
    /// # Errors
    /// Exit code 2 without a region, or with an endpoint that is no URL.
    pub(crate) fn new(config: &SdkConfig, service: &'static str) -> Result<Self> {
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
            deadline: Deadline::never(),
        })
    }

    /// The same client, whose calls never outlast the run.
    pub(crate) fn until(mut self, deadline: Deadline) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sends until there is an answer or no hope. Throttling, server faults and broken connections are tried again, five
    /// times in all, with pauses that grow and jitter.
    ///
    /// # Errors
    /// Exit code 3 with the service's words and the request id.
    pub(crate) async fn send(&self, call: &Call) -> Result<Vec<u8>> {
        let mut tried = 0;
        loop {
            let failure = match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            tried += 1;
            let pause = backoff::pause(tried - 1)?;
            let in_time = self.deadline.remaining().is_none_or(|left| left > pause);
            if !failure.may_pass() || tried == ATTEMPTS || !in_time {
                return Err(self.explain(&call.operation, failure));
            }
            tracing::debug!(
                operation = call.operation,
                attempt = tried,
                "AWS call failed, trying again in {pause:?}"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// An answer that came, and is not what the service documents. The cause would quote the answer, and the answer may be
    /// a secret: only where it is wrong is told.
    pub(crate) fn not_understood(&self, operation: &str, answer: &[u8], at: &str) -> Error {
        Error::unable(format!(
            "the answer of {} to {operation} is not understood",
            self.service
        ))
        .hint(format!(
            "{} bytes came, wrong {at}: is {} really an AWS endpoint?",
            answer.len(),
            self.endpoint
        ))
    }

    /// One attempt, with credentials that are asked for anew: those of the attempt before may have expired.
    async fn attempt(&self, call: &Call) -> Result<Vec<u8>, Failure> {
        let what = format!("{} of {}", call.operation, self.service);
        let timeout = self
            .deadline
            .bound(ATTEMPT_TIMEOUT, &what)
            .map_err(Failure::Other)?;
        let credentials = tokio::time::timeout(timeout, credentials::resolve(&self.config))
            .await
            .unwrap_or_else(|late| Err(Error::unable("AWS credentials did not come in time").because(late)))
            .map_err(Failure::Other)?;
        let (client, call) = (self.clone(), call.clone());
        tokio::task::spawn_blocking(move || client.post(&credentials, &call, timeout))
            .await
            .map_err(|crashed| Failure::Other(Error::unable("a request ended early").because(crashed)))?
    }

    fn post(&self, credentials: &Credentials, call: &Call, timeout: Duration) -> Result<Vec<u8>, Failure> {
        let uri = format!("{}/", self.endpoint);
        let host = [("host", self.host.as_str())];
        let own = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<(&str, &str)> = own.chain(host).collect();
        let scope = Scope {
            credentials,
            region: &self.region,
            service: self.service,
            time: SystemTime::now(),
        };
        let signed = signature(
            &scope,
            SigningSettings::default(),
            "POST",
            &uri,
            &headers,
            &call.body,
        )
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
        let mut response = request.send(&call.body[..]).map_err(Failure::Transport)?;
        let status = response.status().as_u16();
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let request_id = header("x-amzn-requestid").unwrap_or_else(|| "unknown".to_owned());
        let error_type = header("x-amzn-errortype");
        let answer = response.body_mut().read_to_vec().map_err(Failure::Transport)?;
        if status == 200 {
            return Ok(answer);
        }
        Err(Failure::Api((call.refusal)(&Refusal {
            status,
            request_id,
            error_type: error_type.as_deref(),
            body: &answer,
        })))
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

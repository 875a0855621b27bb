//! The AWS JSON 1.1 protocol over ureq: one signed POST for each call, typed on both sides.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use backon::{ExponentialBuilder, Retryable as _};
use fh_core::{Context as _, Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::credentials;

/// One call, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A client of one service that speaks JSON 1.1.
#[derive(Debug, Clone)]
pub struct JsonClient {
    config: SdkConfig,
    agent: ureq::Agent,
    region: String,
    endpoint: String,
    /// Name of the service in signatures and host names, for example `secretsmanager`.
    service: &'static str,
    /// What stands before the operation in `X-Amz-Target`.
    target: &'static str,
}

/// What a service answered instead of a result.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message} (HTTP {status}, request {request_id})")]
pub struct ApiError {
    /// Short name, for example `ResourceNotFoundException`.
    pub code: String,
    /// The service's words.
    pub message: String,
    /// HTTP status.
    pub status: u16,
    /// Id for AWS's support.
    pub request_id: String,
}

/// Why one attempt failed, and whether another may help.
enum Failure {
    Api(ApiError),
    Transport(ureq::Error),
    Other(Error),
}

impl Failure {
    /// Throttling, the service's own faults, and broken connections pass; everything else stays as it is.
    fn may_pass(&self) -> bool {
        match self {
            Self::Api(error) => {
                error.status >= 500
                    || error.status == 429
                    || [
                        "Throttling",
                        "TooManyRequests",
                        "RequestLimitExceeded",
                        "SlowDown",
                    ]
                    .iter()
                    .any(|name| error.code.contains(name))
            }
            Self::Transport(_) => true,
            Self::Other(_) => false,
        }
    }
}

impl JsonClient {
    /// A client of `service`.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig, service: &'static str, target: &'static str) -> Result<Self> {
        let region = config
            .region()
            .ok_or_else(|| Error::usage("no AWS region is set"))?
            .to_string();
        let domain = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        let endpoint = config.endpoint_url().map_or_else(
            || format!("https://{service}.{region}.{domain}"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
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
            service,
            target,
        })
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
        let attempt = || async {
            let credentials = credentials::resolve(&self.config).await.map_err(Failure::Other)?;
            let (client, operation, body) = (self.clone(), operation.to_owned(), body.clone());
            tokio::task::spawn_blocking(move || client.attempt(&credentials, &operation, &body))
                .await
                .map_err(|crashed| Failure::Other(Error::unable("a request ended early").because(crashed)))?
        };
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .with_jitter()
            .with_max_times(4);
        let answer = attempt
            .retry(pauses)
            .when(Failure::may_pass)
            .await
            .map_err(|failure| self.explain(operation, failure))?;
        serde_json::from_slice(&answer)
            .or_unable(|| format!("the answer of {} to {operation} is not understood", self.service))
    }

    fn attempt(&self, credentials: &Credentials, operation: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let uri = format!("{}/", self.endpoint);
        let target = format!("{}.{operation}", self.target);
        let host = self.endpoint.split("://").nth(1).unwrap_or_default();
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("host", host),
            ("x-amz-target", target.as_str()),
        ];
        let signed = self
            .sign(credentials, &uri, &headers, body)
            .map_err(Failure::Other)?;
        let mut request = self.agent.post(&uri);
        for (name, value) in headers.into_iter().filter(|(name, _)| *name != "host") {
            request = request.header(name, value);
        }
        for (name, value) in &signed {
            request = request.header(name, value);
        }
        let mut response = request.send(body).map_err(Failure::Transport)?;
        let status = response.status().as_u16();
        let request_id = response
            .headers()
            .get("x-amzn-requestid")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("unknown")
            .to_owned();
        let answer = response.body_mut().read_to_vec().map_err(Failure::Transport)?;
        if status == 200 {
            Ok(answer)
        } else {
            Err(Failure::Api(api_error(status, request_id, &answer)))
        }
    }

    fn sign(
        &self,
        credentials: &Credentials,
        uri: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>> {
        let failed = || "cannot sign a request to AWS";
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .or_unable(failed)?
            .into();
        let request = SignableRequest::new("POST", uri, headers.iter().copied(), SignableBody::Bytes(body))
            .or_unable(failed)?;
        let (instructions, _) = sign(request, &parameters).or_unable(failed)?.into_parts();
        let (headers, _) = instructions.into_parts();
        Ok(headers
            .into_iter()
            .map(|header| (header.name().to_owned(), header.value().to_owned()))
            .collect())
    }

    fn explain(&self, operation: &str, failure: Failure) -> Error {
        let what = format!("{} of {} in {} failed", operation, self.service, self.region);
        match failure {
            Failure::Other(error) => error,
            Failure::Transport(error) => Error::unable(what).because(error).hint(format!(
                "can this host reach {}? a VPC needs a NAT gateway or an endpoint for it",
                self.endpoint
            )),
            Failure::Api(error) => {
                let hint = hint(&error, operation);
                Error::unable(what).because(error).hint(hint)
            }
        }
    }
}

fn hint(error: &ApiError, operation: &str) -> String {
    match error.code.as_str() {
        "AccessDeniedException" | "AccessDenied" => {
            format!("allow {operation} on it in the role's policy, and kms:Decrypt on its key")
        }
        "ExpiredTokenException" | "ExpiredToken" => {
            "the session token has expired: renew the credentials".to_owned()
        }
        "UnrecognizedClientException" | "InvalidSignatureException" | "InvalidClientTokenId" => {
            credentials::HINT.to_owned()
        }
        "ResourceNotFoundException" | "ParameterNotFound" => "check the name and the region".to_owned(),
        _ => "see the service's status and the request id".to_owned(),
    }
}

fn api_error(status: u16, request_id: String, answer: &[u8]) -> ApiError {
    #[derive(Deserialize, Default)]
    struct Body {
        #[serde(rename = "__type", default)]
        kind: String,
        #[serde(alias = "Message", default)]
        message: String,
    }
    let body: Body = serde_json::from_slice(answer).unwrap_or_default();
    // `com.amazonaws.secretsmanager#ResourceNotFoundException`, sometimes with `:http://…` behind it.
    let code = body
        .kind
        .rsplit('#')
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    let code = if code.is_empty() {
        "UnknownError".to_owned()
    } else {
        code.to_owned()
    };
    ApiError {
        code,
        message: body.message,
        status,
        request_id,
    }
}

//! The AWS JSON 1.1 protocol: one signed POST for each call, typed on both sides.

use aws_types::SdkConfig;
use fh_core::{Context as _, Deadline, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api_error::ApiError;
use crate::thin::{Call, ThinClient};

/// A client of one service that speaks JSON 1.1.
#[derive(Debug, Clone)]
pub struct JsonClient {
    client: ThinClient,
    /// What stands before the operation in `X-Amz-Target`.
    target: &'static str,
}

impl JsonClient {
    /// A client of `service`.
    ///
    /// # Errors
    /// Exit code 2 without a region, or with an endpoint that is no URL.
    pub fn new(config: &SdkConfig, service: &'static str, target: &'static str) -> Result<Self> {
        let client = ThinClient::new(config, service)?;
        Ok(Self { client, target })
    }

    /// The same client, whose calls never outlast the run.
    #[must_use]
    pub fn until(self, deadline: Deadline) -> Self {
        Self {
            client: self.client.until(deadline),
            ..self
        }
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
        let headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("{}.{operation}", self.target)),
        ];
        let call = Call {
            operation: operation.to_owned(),
            headers,
            body,
            refusal: ApiError::read,
        };
        let answer = self.client.send(&call).await?;
        serde_json::from_slice(&answer).map_err(|error| {
            let at = format!("at line {} column {}", error.line(), error.column());
            self.client.not_understood(operation, &answer, &at)
        })
    }
}

//! The AWS Query protocol (Smithy, "AWS query protocol"): a form goes out, XML comes back. ElastiCache speaks it.

use std::fmt::Write as _;

use aws_types::SdkConfig;
use fh_core::{Deadline, Result};

use crate::api_error::ApiError;
use crate::service::{PAGES, endless};
use crate::thin::{Call, ThinClient};
use crate::xml::Xml;

/// A client of one service that speaks the Query protocol.
#[derive(Debug, Clone)]
pub struct QueryClient {
    client: ThinClient,
    /// Version of the service's interface, a date.
    version: &'static str,
}

impl QueryClient {
    /// A client of `service`, whose interface has this `version`.
    ///
    /// # Errors
    /// Exit code 2 without a region, or with an endpoint that is no URL.
    pub fn new(config: &SdkConfig, service: &'static str, version: &'static str) -> Result<Self> {
        let client = ThinClient::new(config, service)?;
        Ok(Self { client, version })
    }

    /// The same client, whose calls never outlast the run.
    #[must_use]
    pub fn until(self, deadline: Deadline) -> Self {
        Self {
            client: self.client.until(deadline),
            ..self
        }
    }

    /// Calls `operation` with parameters, and gives the root element of the answer. What fails for a while is tried again
    /// as by [`crate::JsonClient::call`].
    ///
    /// # Errors
    /// Exit code 3 with the service's words and the request id.
    pub async fn call(&self, operation: &str, parameters: &[(&str, &str)]) -> Result<Xml> {
        let fixed = [("Action", operation), ("Version", self.version)];
        let form: Vec<String> = fixed
            .iter()
            .chain(parameters)
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let content_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
        let call = Call {
            operation: operation.to_owned(),
            headers: vec![("content-type", content_type)],
            body: form.join("&").into_bytes(),
            refusal: ApiError::read_xml,
        };
        let answer = self.client.send(&call).await?;
        Xml::parse(&answer)
            .filter(|root| root.name == format!("{operation}Response"))
            .ok_or_else(|| self.client.not_understood(operation, &answer, "as XML"))
    }

    /// Calls `operation` once for each page of its answer, and gives the result element of each. `next` is the element
    /// that names the next page, `token` the parameter that asks for it.
    ///
    /// # Errors
    /// Those of [`QueryClient::call`], and exit code 3 when there is no end.
    pub(crate) async fn pages(
        &self,
        operation: &str,
        parameters: &[(&str, &str)],
        next: &str,
        token: &str,
    ) -> Result<Vec<Xml>> {
        let (mut pages, mut at) = (Vec::new(), None::<String>);
        while pages.len() < PAGES {
            let mut asked = parameters.to_vec();
            asked.extend(at.as_deref().map(|at| (token, at)));
            let answer = self.call(operation, &asked).await?;
            let result = format!("{operation}Result");
            let page = answer.children.into_iter().find(|child| child.name == result);
            let page = page.unwrap_or_default();
            at = page.text(&[next]).filter(|text| !text.is_empty());
            pages.push(page);
            if at.is_none() {
                return Ok(pages);
            }
        }
        Err(endless(operation))
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn forms_are_percent_encoded() {
        assert_eq!(super::encode("a-Z_0.~ &=ä"), "a-Z_0.~%20%26%3D%C3%A4");
    }
}

//! What a service answers instead of a result, and what to do about it.

use serde::Deserialize;

use crate::credentials::CREDENTIALS_HINT;
use crate::thin::Refusal;
use crate::xml::Xml;

/// What a service answered instead of a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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

/// The service's own refusal behind an error, when there is one.
#[must_use]
pub fn refusal(error: &fh_core::Error) -> Option<&ApiError> {
    std::error::Error::source(error)?.downcast_ref()
}

/// Whether the service refused because a right is missing.
#[must_use]
pub fn denied(error: &fh_core::Error) -> bool {
    refusal(error).is_some_and(ApiError::is_denial)
}

/// Codes that mean "too fast", beside those that say so in their name (AWS SDKs and Tools Reference Guide, "Retry
/// behavior").
const THROTTLING: [&str; 6] = [
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
];

impl ApiError {
    /// Reads an answer of the JSON protocols: the code stands in the body or in a header (Smithy, "AWS JSON 1.1
    /// protocol", operation error serialization).
    pub(crate) fn read(refusal: &Refusal<'_>) -> Self {
        #[derive(Deserialize, Default)]
        struct Body {
            #[serde(rename = "__type", default)]
            kind: String,
            #[serde(alias = "Message", default)]
            message: String,
        }
        let body: Body = serde_json::from_slice(refusal.body).unwrap_or_default();
        let kind = Some(body.kind.as_str())
            .filter(|kind| !kind.is_empty())
            .or(refusal.error_type);
        // `com.amazonaws.secretsmanager#ResourceNotFoundException`, sometimes with `:http://…` behind it.
        let code = kind
            .and_then(|kind| kind.split(':').next()?.rsplit('#').next())
            .filter(|code| !code.is_empty())
            .unwrap_or("no error code");
        let message = if body.message.is_empty() {
            "no message".to_owned()
        } else {
            body.message
        };
        Self {
            code: code.to_owned(),
            message,
            status: refusal.status,
            request_id: refusal.request_id.clone(),
        }
    }

    /// Reads an answer of the Query protocol (Smithy, "AWS query protocol", operation error serialization).
    pub(crate) fn read_xml(refusal: &Refusal<'_>) -> Self {
        let told = Xml::parse(refusal.body).unwrap_or_default();
        let text = |name: &str| {
            let found = told.text(&["Error", name]);
            found.filter(|text| !text.is_empty())
        };
        let id = told
            .text(&["RequestId"])
            .unwrap_or_else(|| refusal.request_id.clone());
        Self {
            code: text("Code").unwrap_or_else(|| "no error code".to_owned()),
            message: text("Message").unwrap_or_else(|| "no message".to_owned()),
            status: refusal.status,
            request_id: id,
        }
    }

    /// Whether a right is missing: in the role's policy, a boundary, or one of the organisation (IAM User Guide,
    /// "Troubleshoot access denied error messages"; EC2 has a word of its own).
    fn is_denial(&self) -> bool {
        const DENIALS: [&str; 4] = [
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "AuthorizationError",
        ];
        DENIALS.contains(&self.code.as_str())
    }

    /// Whether the service wants to be called less often.
    fn is_throttling(&self) -> bool {
        self.status == 429 || self.code.contains("Throttl") || THROTTLING.contains(&self.code.as_str())
    }

    /// Whether another attempt may help: throttling and the service's own faults pass, everything else stays as it is.
    pub(crate) fn may_pass(&self) -> bool {
        self.status >= 500 || self.is_throttling()
    }

    /// What to do.
    pub(crate) fn advice(&self, operation: &str) -> String {
        match self.code.as_str() {
            "AccessDeniedException" | "AccessDenied" => {
                format!("allow {operation} on it in the role's policy, and kms:Decrypt on its key")
            }
            "ExpiredTokenException" | "ExpiredToken" => {
                "the session token has expired: renew the credentials".to_owned()
            }
            "UnrecognizedClientException" | "InvalidClientTokenId" | "MissingAuthenticationTokenException" => {
                CREDENTIALS_HINT.to_owned()
            }
            "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestExpired" => {
                "the secret key does not belong to the access key, or this machine's clock is wrong: set it with NTP"
                    .to_owned()
            }
            "ResourceNotFoundException" | "ParameterNotFound" => "check the name and the region".to_owned(),
            _ if self.is_throttling() => {
                "AWS limits how often this may be called: try again later".to_owned()
            }
            _ if self.status >= 500 => {
                "the service has a fault of its own: try again later, and give AWS the request id".to_owned()
            }
            _ => "look the code up in the service's API reference".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<'a>(error_type: Option<&'a str>, body: &'a str) -> Refusal<'a> {
        Refusal {
            status: 400,
            request_id: "r".into(),
            error_type,
            body: body.as_bytes(),
        }
    }

    fn code(header: Option<&str>, body: &str) -> String {
        ApiError::read(&refusal(header, body)).code
    }

    #[test]
    fn the_code_is_found_wherever_it_stands() {
        assert_eq!(
            code(None, r#"{"__type":"com.amazonaws.x#Gone","message":"m"}"#),
            "Gone"
        );
        assert_eq!(code(None, r#"{"__type":"Gone"}"#), "Gone");
        assert_eq!(code(Some("Gone:http://internal.amazon.com/x"), "{}"), "Gone");
        assert_eq!(
            code(Some("a#Gone:http://internal.amazon.com/a#b"), "<html>"),
            "Gone"
        );
        assert_eq!(code(None, "<html>"), "no error code");
    }

    #[test]
    fn both_spellings_of_the_message_are_read() {
        for body in [r#"{"message":"m"}"#, r#"{"Message":"m"}"#] {
            assert_eq!(ApiError::read(&refusal(None, body)).message, "m");
        }
    }

    #[test]
    fn the_xml_of_the_query_protocol_is_read() {
        let body = "<ErrorResponse xmlns=\"http://x/\"><Error><Type>Sender</Type><Code>Gone</Code>\
                    <Message>it &amp; all</Message></Error><RequestId>id-1</RequestId></ErrorResponse>";
        let error = ApiError::read_xml(&refusal(None, body));
        assert_eq!(error.to_string(), "Gone: it & all (HTTP 400, request id-1)");
        let error = ApiError::read_xml(&refusal(None, "<html>a proxy"));
        assert_eq!(
            error.to_string(),
            "no error code: no message (HTTP 400, request r)"
        );
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let error = |status, code: &str| ApiError {
            code: code.into(),
            message: String::new(),
            status,
            request_id: String::new(),
        };
        for (status, code) in [
            (500, "x"),
            (503, "x"),
            (429, "x"),
            (400, "ThrottlingException"),
            (400, "RequestThrottled"),
            (400, "TooManyRequestsException"),
        ] {
            assert!(error(status, code).may_pass(), "{status} {code}");
        }
        for (status, code) in [
            (400, "AccessDeniedException"),
            (400, "ExpiredTokenException"),
            (400, "LimitExceededException"),
            (404, "x"),
        ] {
            assert!(!error(status, code).may_pass(), "{status} {code}");
        }
    }
}

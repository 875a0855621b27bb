//! Signature Version 4 (AWS General Reference, "Signing AWS API requests") for one request.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningInstructions, SigningSettings, sign};
use aws_sigv4::sign::v4;
use fh_core::{Context as _, Result};

/// For what, where and when a request is signed.
pub(crate) struct Scope<'a> {
    /// Whose key signs.
    pub(crate) credentials: &'a Credentials,
    /// Region of the service.
    pub(crate) region: &'a str,
    /// Name of the service in signatures.
    pub(crate) service: &'a str,
    /// The moment; AWS accepts five minutes more or less.
    pub(crate) time: SystemTime,
}

/// The headers or query parameters that must be added to the request.
pub(crate) fn signature(
    scope: &Scope<'_>,
    settings: SigningSettings,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<SigningInstructions> {
    let failed = || "cannot sign a request to AWS";
    let identity = scope.credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(scope.time)
        .settings(settings)
        .build()
        .or_unable(failed)?
        .into();
    let request = SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(body))
        .or_unable(failed)?;
    let (instructions, _) = sign(request, &parameters).or_unable(failed)?.into_parts();
    Ok(instructions)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Cases of AWS's published signature test suite: key AKIDEXAMPLE, 2015-08-30T12:36:00Z, us-east-1, "service".
    #[test]
    fn the_published_signatures_come_out() {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            None,
            None,
            "test",
        );
        let scope = Scope {
            credentials: &credentials,
            region: "us-east-1",
            service: "service",
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160),
        };
        let base = "https://example.amazonaws.com/";
        for (name, method, query, expected) in [
            (
                "get-vanilla",
                "GET",
                "",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "post-vanilla",
                "POST",
                "",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "get-vanilla-query-order-key-case",
                "GET",
                "?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            let uri = format!("{base}{query}");
            let headers = [("host", "example.amazonaws.com")];
            let signed = signature(&scope, SigningSettings::default(), method, &uri, &headers, b"").unwrap();
            let authorization = signed
                .headers()
                .find(|(name, _)| *name == "authorization")
                .unwrap()
                .1;
            assert_eq!(
                authorization,
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={expected}"
                ),
                "{name}"
            );
        }
    }
}

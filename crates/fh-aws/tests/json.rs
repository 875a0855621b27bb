//! The thin client against a server with bad days: what is tried again, what is not, and what the operator is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixed;

use std::time::Duration;

use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use fh_aws::{AwsSecrets, JsonClient};
use fh_core::{Deadline, Error, Exit, Secret};
use fh_testkit::webhook::{Reply, Webhook};
use fixed::config;

const ID: &str = "prod/database-url";

fn good() -> Reply {
    Reply::status(200)
        .body(r#"{"Name":"prod/database-url","SecretString":"postgres://answer-of-the-server"}"#)
}

fn bad(status: u16, code: &str) -> Reply {
    Reply::status(status)
        .header("x-amzn-requestid", "req-1")
        .body(format!(
            r#"{{"__type":"com.amazonaws.secretsmanager#{code}","Message":"words of the service"}}"#
        ))
}

/// One look-up against these replies, and how many requests it took.
async fn look_up(replies: Vec<Reply>) -> (Result<Secret, Error>, usize) {
    let server = Webhook::start(replies);
    let secrets = AwsSecrets::new(&config(&server.url("")).await).unwrap();
    let result = secrets.secretsmanager(ID).await;
    (result, server.requests().len())
}

#[tokio::test]
async fn the_request_is_what_aws_documents() {
    let server = Webhook::start([good()]);
    let secrets = AwsSecrets::new(&config(&server.url("")).await).unwrap();
    let secret = secrets.secretsmanager(ID).await.unwrap();
    assert_eq!(secret.expose(), "postgres://answer-of-the-server");
    let request = server.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
    assert_eq!(request.text(), r#"{"SecretId":"prod/database-url"}"#);
    assert_eq!(
        request.header("x-amz-target"),
        Some("secretsmanager.GetSecretValue")
    );
    assert_eq!(request.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(
        request.header("x-amz-security-token"),
        Some("session-token-of-the-test")
    );
    assert_eq!(
        request.header("host"),
        Some(server.address().to_string().as_str())
    );
    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.contains("/eu-central-1/secretsmanager/aws4_request"),
        "{authorization}"
    );
    assert!(
        authorization
            .contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"),
        "{authorization}"
    );
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for reply in [
        bad(400, "ThrottlingException"),
        bad(500, "InternalServiceError"),
        bad(503, "ServiceUnavailable"),
        Reply::status(502).body("<html>a proxy</html>"),
        Reply::close(),
    ] {
        let (result, requests) = look_up(vec![reply.clone(), good()]).await;
        assert_eq!(
            (result.unwrap().expose(), requests),
            ("postgres://answer-of-the-server", 2),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn what_stays_is_not_tried_again_and_is_explained() {
    for (status, code, advice) in [
        (400, "ResourceNotFoundException", "check the name and the region"),
        (
            400,
            "AccessDeniedException",
            "allow GetSecretValue on it in the role's policy, and kms:Decrypt on its key",
        ),
        (
            400,
            "ExpiredTokenException",
            "the session token has expired: renew the credentials",
        ),
        (400, "UnrecognizedClientException", fh_aws::CREDENTIALS_HINT),
        (
            403,
            "InvalidSignatureException",
            "the secret key does not belong to the access key, or this machine's clock is wrong: set it with NTP",
        ),
        (
            400,
            "InvalidRequestException",
            "look the code up in the service's API reference",
        ),
    ] {
        let (result, requests) = look_up(vec![bad(status, code)]).await;
        let error = result.unwrap_err();
        assert_eq!(
            error.render(),
            format!(
                "error: GetSecretValue of secretsmanager in eu-central-1 failed\n\
                 caused by: {code}: words of the service (HTTP {status}, request req-1)\n\
                 hint: {advice}"
            )
        );
        assert_eq!((error.exit(), requests), (Exit::Unable, 1));
    }
}

#[tokio::test]
async fn a_storm_that_does_not_end_is_given_up_after_five_attempts() {
    let (result, requests) = look_up(vec![bad(400, "ThrottlingException")]).await;
    let error = result.unwrap_err();
    assert_eq!(requests, 5);
    assert_eq!(
        error.advice().unwrap(),
        "AWS limits how often this may be called: try again later"
    );
    assert_eq!(error.exit(), Exit::Unable);
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    // Port 1 of the loopback address is nobody's.
    let secrets = AwsSecrets::new(&config("http://127.0.0.1:1").await).unwrap();
    let error = secrets.ssm("/prod/x").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert_eq!(error.message(), "GetParameter of ssm in eu-central-1 failed");
    assert!(
        error
            .advice()
            .unwrap()
            .contains("can this host reach http://127.0.0.1:1?"),
        "{}",
        error.render()
    );
}

#[tokio::test]
async fn no_attempt_outlasts_the_deadline() {
    let server = Webhook::start([good().delay(Duration::from_mins(2))]);
    let secrets = AwsSecrets::new(&config(&server.url("")).await)
        .unwrap()
        .until(Deadline::after(Duration::from_millis(300)));
    let guard = Duration::from_secs(60);
    let error = tokio::time::timeout(guard, secrets.secretsmanager(ID))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    let error = secrets.secretsmanager(ID).await.unwrap_err();
    assert!(
        error
            .message()
            .contains("has passed before: GetSecretValue of secretsmanager"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_understood_is_not_quoted() {
    for body in [
        r#""a text that may be secret""#,
        r#"{"SecretString":["a text that may be secret"]}"#,
        "<html>a text that may be secret</html>",
    ] {
        let (result, requests) = look_up(vec![Reply::status(200).body(body)]).await;
        let shown = result.unwrap_err().render();
        assert!(
            shown.contains("the answer of secretsmanager to GetSecretValue is not understood"),
            "{shown}"
        );
        assert!(!shown.contains("may be secret"), "{shown}");
        assert_eq!(requests, 1);
    }
}

#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let nothing =
            provider::error::CredentialsError::not_loaded("no provider in chain provided credentials");
        provider::future::ProvideCredentials::ready(Err(nothing))
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let server = Webhook::start([good()]);
    let config = config(&server.url("")).await;
    let config = config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(Nobody))
        .build();
    let error = AwsSecrets::new(&config)
        .unwrap()
        .secretsmanager(ID)
        .await
        .unwrap_err();
    assert_eq!(error.message(), "no AWS credentials were found");
    assert_eq!(error.advice().as_deref(), Some(fh_aws::CREDENTIALS_HINT));
    assert_eq!(error.exit(), Exit::Unable);
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_refused_at_once() {
    let error = JsonClient::new(&config("localhost:4566").await, "ssm", "AmazonSSM").unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(
        error.message(),
        "the AWS endpoint \"localhost:4566\" is not a URL"
    );
}

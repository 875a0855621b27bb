//! Secrets and parameters in an emulator of AWS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixed;

use aws_types::SdkConfig;
use fh_aws::{AwsSecrets, JsonClient};
use fh_core::Exit;
use fh_testkit::{Moto, require};
use fixed::config;
use serde_json::{Value, json};

async fn make_secret(config: &SdkConfig, input: Value) -> String {
    let client = JsonClient::new(config, "secretsmanager", "secretsmanager").unwrap();
    let answer: Value = client.call("CreateSecret", &input).await.unwrap();
    answer["ARN"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_secret_is_read_by_name_by_arn_and_by_field() {
    let moto = require!(Moto::try_start());
    let config = config(&moto.endpoint()).await;
    let arn = make_secret(
        &config,
        json!({ "Name": "prod/db", "SecretString": r#"{"url":"postgres://x","port":5432}"# }),
    )
    .await;
    make_secret(&config, json!({ "Name": "plain", "SecretString": "just text" })).await;
    make_secret(&config, json!({ "Name": "binary", "SecretBinary": "AAEC" })).await;
    let secrets = AwsSecrets::new(&config).unwrap();
    let read = async |id: &str| {
        secrets
            .secretsmanager(id)
            .await
            .map(|secret| secret.expose().to_owned())
    };

    assert_eq!(read("plain").await.unwrap(), "just text");
    assert_eq!(read(&arn).await.unwrap(), r#"{"url":"postgres://x","port":5432}"#);
    assert_eq!(read("prod/db#url").await.unwrap(), "postgres://x");
    assert_eq!(read(&format!("{arn}#url")).await.unwrap(), "postgres://x");
    for (id, message) in [
        ("prod/db#port", "secret prod/db has no text field \"port\""),
        ("prod/db#none", "secret prod/db has no text field \"none\""),
        (
            "plain#url",
            "secret plain is not a JSON object, so it has no field \"url\"",
        ),
        ("binary", "secret binary is binary"),
        (
            "nothing",
            "GetSecretValue of secretsmanager in eu-central-1 failed",
        ),
    ] {
        let error = read(id).await.unwrap_err();
        assert_eq!(
            (error.message().as_str(), error.exit()),
            (message, Exit::Unable),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_parameter_is_read_decrypted() {
    let moto = require!(Moto::try_start());
    let config = config(&moto.endpoint()).await;
    let client = JsonClient::new(&config, "ssm", "AmazonSSM").unwrap();
    let input = json!({ "Name": "/prod/url", "Value": "postgres://y", "Type": "SecureString" });
    let _: Value = client.call("PutParameter", &input).await.unwrap();
    let secrets = AwsSecrets::new(&config).unwrap();
    // Undecrypted, the emulator answers "kms:alias/aws/ssm:postgres://y".
    assert_eq!(secrets.ssm("/prod/url").await.unwrap().expose(), "postgres://y");
    let error = secrets.ssm("/prod/none").await.unwrap_err();
    assert!(
        error.render().contains("caused by: ParameterNotFound: "),
        "{}",
        error.render()
    );
    assert_eq!(error.advice().unwrap(), "check the name and the region");
}

//! Credentials of every usual kind, from servers and files that a test can play. Each test runs itself again, alone, in an
//! environment of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inside;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fh_aws::{AwsOptions, RdsTokens, only_profile, sdk_config};
use fh_testkit::webhook::{Reply, Webhook};
use inside::inside;

const LATER: &str = "2099-01-01T00:00:00Z";

/// The access key that a request would be signed with.
async fn key_id() -> String {
    let options = AwsOptions {
        region: Some("eu-central-1".into()),
        ..AwsOptions::default()
    };
    signing_key(&sdk_config(&options).await.unwrap()).await
}

async fn signing_key(config: &fh_aws::SdkConfig) -> String {
    let token = RdsTokens::new(config)
        .unwrap()
        .token("db.example", 5432, "backup")
        .await
        .unwrap();
    let text = token.expose();
    let (_, rest) = text.split_once("X-Amz-Credential=").unwrap();
    rest.split('%').next().unwrap().to_owned()
}

fn keys(id: &str) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"secret-of-{id}","Token":"token-of-{id}","Expiration":"{LATER}"}}"#
    )
}

fn json(text: &str) -> Reply {
    Reply::status(200)
        .header("content-type", "application/json")
        .body(text)
}

#[tokio::test]
async fn an_ecs_task_takes_those_of_its_role() {
    let server = Webhook::start([json(&keys("AKIDTASK"))]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "Bearer of-the-task").unwrap();
    let variables = [
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            &*server.url("/v2/credentials"),
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.to_str().unwrap()),
    ];
    if inside("an_ecs_task_takes_those_of_its_role", &variables) {
        assert_eq!(key_id().await, "AKIDTASK");
    } else {
        let request = server.requests().remove(0);
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("GET", "/v2/credentials")
        );
        assert_eq!(request.header("authorization"), Some("Bearer of-the-task"));
    }
}

#[tokio::test]
async fn an_instance_takes_those_of_its_role_by_imdsv2() {
    let server = Webhook::start([
        Reply::status(200)
            .header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            .body("token-of-imds"),
        Reply::status(200).body("backup-role"),
        json(&keys("AKIDINSTANCE")),
    ]);
    let variables = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*server.url("")),
    ];
    if inside("an_instance_takes_those_of_its_role_by_imdsv2", &variables) {
        assert_eq!(key_id().await, "AKIDINSTANCE");
    } else {
        let requests = server.requests();
        assert_eq!(
            (requests[0].method.as_str(), requests[0].path.as_str()),
            ("PUT", "/latest/api/token")
        );
        for request in &requests[1..] {
            assert_eq!(request.header("x-aws-ec2-metadata-token"), Some("token-of-imds"));
        }
    }
}

#[tokio::test]
async fn a_web_identity_is_exchanged_for_those_of_a_role() {
    let server = Webhook::start([Reply::status(200).header("content-type", "text/xml").body(format!(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
         <AccessKeyId>AKIDWEB</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
         <Expiration>{LATER}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>"
    ))]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "identity-of-the-pod").unwrap();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/backup"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ENDPOINT_URL_STS", &*server.url("")),
    ];
    if inside("a_web_identity_is_exchanged_for_those_of_a_role", &variables) {
        assert_eq!(key_id().await, "AKIDWEB");
    } else {
        let asked = server.requests().remove(0).text();
        assert!(asked.contains("WebIdentityToken=identity-of-the-pod"), "{asked}");
    }
}

fn profiles(folder: &Path) -> [(&'static str, String); 2] {
    let program = folder.join("keys of the vault");
    std::fs::write(
        &program,
        format!(
            "#!/bin/sh\necho '{{\"Version\":1,\"AccessKeyId\":\"AKIDPROCESS\",\"SecretAccessKey\":\"secret\",\"SessionToken\":\"t\",\"Expiration\":\"{LATER}\"}}'\n"
        ),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = folder.join("config");
    std::fs::write(
        &config,
        format!(
            "[profile vault]\ncredential_process = \"{}\"\n[profile shop]\naws_access_key_id = AKIDSHOP\n\
             aws_secret_access_key = secret-of-the-shop\n",
            program.display()
        ),
    )
    .unwrap();
    [
        ("AWS_CONFIG_FILE", config.display().to_string()),
        ("AWS_PROFILE", "vault".to_owned()),
    ]
}

#[tokio::test]
async fn a_profile_may_name_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let variables = profiles(folder.path());
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    if inside("a_profile_may_name_a_program", &variables) {
        assert_eq!(key_id().await, "AKIDPROCESS");
    }
}

#[tokio::test]
async fn a_profile_of_its_own_comes_before_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let [config, _] = profiles(folder.path());
    let variables = [
        (config.0, config.1.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-environment"),
    ];
    if inside("a_profile_of_its_own_comes_before_the_environment", &variables) {
        let options = AwsOptions {
            region: Some("eu-central-1".into()),
            ..AwsOptions::default()
        };
        let shared = sdk_config(&options).await.unwrap();
        assert_eq!(signing_key(&shared).await, "AKIDENVIRONMENT");
        assert_eq!(signing_key(&only_profile(&shared, "shop")).await, "AKIDSHOP");
        assert_eq!(signing_key(&only_profile(&shared, "vault")).await, "AKIDPROCESS");
    }
}

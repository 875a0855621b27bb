//! What comes from environment variables and profile files. A test cannot change its own environment, so each runs
//! itself again, alone, in an environment of its own.

mod inside;

use fh_aws::{AwsOptions, AwsSecrets, BlockingSecrets, RdsTokens, sdk_config};
use fh_core::Exit;
use fh_core::config::SecretResolver as _;
use fh_testkit::webhook::{Reply, Webhook};
use inside::inside;

#[tokio::test]
async fn no_region_anywhere_is_a_configuration_error() {
    if inside("no_region_anywhere_is_a_configuration_error", &[]) {
        let error = sdk_config(&AwsOptions::default()).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert_eq!(
            error.render(),
            "error: no AWS region is set\n\
             hint: set AWS_REGION, or region in the [aws] section of the configuration, or in the AWS profile"
        );
        // A compatible store has none, and the signature needs one.
        let options = AwsOptions {
            endpoint_url: Some("http://127.0.0.1:1".into()),
            ..AwsOptions::default()
        };
        assert_eq!(
            sdk_config(&options).await.unwrap().region().unwrap().as_ref(),
            "us-east-1"
        );
    }
}

#[tokio::test]
async fn no_credentials_anywhere_is_said_with_every_remedy() {
    if inside(
        "no_credentials_anywhere_is_said_with_every_remedy",
        &[("AWS_REGION", "eu-central-1")],
    ) {
        let config = sdk_config(&AwsOptions::default()).await.unwrap();
        let error = RdsTokens::new(&config)
            .unwrap()
            .token("db", 5432, "backup")
            .await
            .unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        assert_eq!(error.message(), "no AWS credentials were found");
        let advice = error.advice().unwrap();
        for remedy in [
            "AWS_ACCESS_KEY_ID",
            "AWS_PROFILE",
            "ECS task",
            "SSO profiles are not supported",
        ] {
            assert!(advice.contains(remedy), "{advice}");
        }
    }
}

#[tokio::test]
async fn an_sso_profile_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(
        &file,
        "[profile people]\nregion = eu-central-1\nsso_start_url = https://x.awsapps.com/start\n\
         sso_region = eu-central-1\nsso_account_id = 111122223333\nsso_role_name = ops\n",
    )
    .unwrap();
    let variables = [
        ("AWS_CONFIG_FILE", file.to_str().unwrap()),
        ("AWS_PROFILE", "people"),
    ];
    if inside("an_sso_profile_is_refused_with_the_way_out", &variables) {
        let config = sdk_config(&AwsOptions::default()).await.unwrap();
        let error = RdsTokens::new(&config)
            .unwrap()
            .token("db", 5432, "backup")
            .await
            .unwrap_err();
        assert!(
            error
                .advice()
                .unwrap()
                .contains("aws configure export-credentials"),
            "{}",
            error.render()
        );
    }
}

#[tokio::test]
async fn a_profile_gives_region_and_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let (file, keys) = (folder.path().join("config"), folder.path().join("credentials"));
    std::fs::write(&file, "[profile shop]\nregion = eu-west-1\n").unwrap();
    std::fs::write(
        &keys,
        "[shop]\naws_access_key_id = AKIDSHOP\naws_secret_access_key = secret-of-the-shop\n",
    )
    .unwrap();
    let variables = [
        ("AWS_CONFIG_FILE", file.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", keys.to_str().unwrap()),
    ];
    if inside("a_profile_gives_region_and_credentials", &variables) {
        let options = AwsOptions {
            profile: Some("shop".into()),
            ..AwsOptions::default()
        };
        let config = sdk_config(&options).await.unwrap();
        let token = RdsTokens::new(&config)
            .unwrap()
            .token("db.example", 5432, "backup")
            .await
            .unwrap();
        let token = token.expose();
        assert!(
            token.starts_with("db.example:5432/?Action=connect&DBUser=backup&"),
            "{token}"
        );
        assert!(token.contains("X-Amz-Credential=AKIDSHOP%2F"), "{token}");
        assert!(token.contains("%2Feu-west-1%2Frds-db%2Faws4_request"), "{token}");
    }
}

#[test]
fn the_resolver_of_the_configuration_reads_through_the_environment() {
    let server = Webhook::start([Reply::status(200).body(r#"{"SecretString":"from the server"}"#)]);
    let variables = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-test"),
        ("AWS_ENDPOINT_URL", &server.url("")),
    ];
    if inside(
        "the_resolver_of_the_configuration_reads_through_the_environment",
        &variables,
    ) {
        let resolver = BlockingSecrets::new(AwsOptions::default());
        assert_eq!(resolver.secretsmanager("x").unwrap().expose(), "from the server");
        // Also from a thread that belongs to an async runtime already.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let secret = runtime.block_on(async { resolver.secretsmanager("x") });
        assert_eq!(secret.unwrap().expose(), "from the server");
    } else {
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn variables_give_everything() {
    let server = Webhook::start([Reply::status(200).body(r#"{"Parameter":{"Value":"v"}}"#)]);
    let variables = [
        ("AWS_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-test"),
        ("AWS_SESSION_TOKEN", "token-of-the-test"),
        ("AWS_ENDPOINT_URL", &server.url("")),
    ];
    if inside("variables_give_everything", &variables) {
        let secrets = AwsSecrets::new(&sdk_config(&AwsOptions::default()).await.unwrap()).unwrap();
        assert_eq!(secrets.ssm("/x").await.unwrap().expose(), "v");
    } else {
        let request = server.requests().remove(0);
        assert!(request.header("authorization").unwrap().contains("AKIDEXAMPLE"));
        assert!(
            request
                .header("authorization")
                .unwrap()
                .contains("/eu-north-1/ssm/")
        );
        assert_eq!(request.header("x-amz-security-token"), Some("token-of-the-test"));
        assert_eq!(request.text(), r#"{"Name":"/x","WithDecryption":true}"#);
    }
}

//! Secrets are fetched, and never shown.

use super::*;
use crate::config::{LocalSecrets, SecretResolver, SecretSource};
use crate::secret::Secret;

const CANARY: &str = "canary-7f3a91-secret";

fn resolve(source: &SecretSource) -> Result<Secret> {
    source.resolve(&LocalSecrets, "the database URL")
}

/// A file that only its owner can read.
fn private_file(content: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

/// The error with the temporary path taken out.
fn failure(source: &SecretSource) -> String {
    let text = rendered(resolve(source).unwrap_err());
    match source {
        SecretSource::File { file } => text.replace(&file.display().to_string(), "FILE"),
        _ => text,
    }
}

#[test]
fn a_file_loses_one_newline_and_nothing_else() {
    for (content, secret) in [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        (" a b \n\n", " a b \n"),
    ] {
        let file = private_file(content.as_bytes());
        let source = SecretSource::File {
            file: file.path().into(),
        };
        assert_eq!(resolve(&source).unwrap().expose(), secret);
    }
}

#[test]
fn a_file_that_others_can_reach_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let file = private_file(CANARY.as_bytes());
    let source = SecretSource::File {
        file: file.path().into(),
    };
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::sync::Mutex::new(log.reopen().unwrap()))
        .with_ansi(false)
        .without_time()
        .finish();
    let said = tracing::subscriber::with_default(subscriber, || {
        resolve(&source).unwrap();
        assert_eq!(
            std::fs::read_to_string(log.path()).unwrap(),
            "",
            "0600 is as it should be"
        );
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        resolve(&source).unwrap();
        std::fs::read_to_string(log.path()).unwrap()
    });
    let said = said.replace(&file.path().display().to_string(), "FILE");
    assert!(
        said.contains("secret file FILE has mode 0640: others can reach it; run: chmod 600 FILE"),
        "{said}"
    );
    assert!(!said.contains(CANARY));
}

#[test]
fn a_variable_is_read_when_it_is_needed() {
    let source = SecretSource::Env {
        env: "CARGO_PKG_NAME".into(),
    };
    assert_eq!(resolve(&source).unwrap().expose(), "fh-core");
}

#[test]
fn what_cannot_be_fetched_says_why() {
    insta::assert_snapshot!(failure(&SecretSource::Env { env: "FH_TEST_NOT_SET".into() }), @r"
    error: the database URL comes from the environment variable FH_TEST_NOT_SET, which is not set
    hint: set FH_TEST_NOT_SET for this process, or change the setting
    ");
    insta::assert_snapshot!(failure(&SecretSource::File { file: "/nowhere/key".into() }), @r"
    error: cannot read the database URL from the file FILE
    caused by: No such file or directory (os error 2)
    hint: check the path and who may read it; relative paths in the configuration start at its folder
    ");
    insta::assert_snapshot!(failure(&SecretSource::Plain(Secret::new(" "))), @r"
    error: the database URL is empty (from the configuration)
    hint: put the value there, or take the setting out
    ");
    insta::assert_snapshot!(failure(&SecretSource::SecretsManager { secretsmanager: "prod/db".into() }), @r#"
    error: this tool cannot read Secrets Manager (asked for `prod/db`)
    hint: give the secret as { env = "NAME" } or { file = "PATH" } here; on ECS, the task definition can put it in a variable
    "#);
    insta::assert_snapshot!(failure(&SecretSource::Ssm { ssm: "/prod/db".into() }), @r#"
    error: this tool cannot read Parameter Store (asked for `/prod/db`)
    hint: give the secret as { env = "NAME" } or { file = "PATH" } here; on ECS, the task definition can put it in a variable
    "#);
    for (content, name) in [
        (&b"\n"[..], "empty"),
        (b"caf\xe9", "not UTF-8"),
        (&[b'x'; 70_000], "endless"),
    ] {
        let file = private_file(content);
        let text = failure(&SecretSource::File {
            file: file.path().into(),
        });
        match name {
            "empty" => insta::assert_snapshot!(text, @r"
            error: the database URL is empty (from the file FILE)
            hint: put the value there, or take the setting out
            "),
            "not UTF-8" => insta::assert_snapshot!(text, @r"
            error: cannot read the database URL from the file FILE: it is not valid UTF-8
            hint: is this the right file?
            "),
            _ => insta::assert_snapshot!(text, @r"
            error: cannot read the database URL from the file FILE: it is larger than 64 KiB
            hint: is this the right file?
            "),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(failure(&SecretSource::File { file: folder.path().into() }), @r"
    error: cannot read the database URL from the file FILE
    caused by: Is a directory (os error 21)
    hint: a secret file is a regular file with the secret in its first line
    ");
}

#[test]
fn a_tool_with_aws_brings_its_own_resolver() {
    struct Aws;
    impl SecretResolver for Aws {
        fn secretsmanager(&self, id: &str) -> Result<Secret> {
            Ok(Secret::new(format!("manager:{id}")))
        }
        fn ssm(&self, name: &str) -> Result<Secret> {
            Ok(Secret::new(format!("parameter:{name}")))
        }
    }
    let manager = SecretSource::SecretsManager {
        secretsmanager: "a".into(),
    };
    assert_eq!(manager.resolve(&Aws, "x").unwrap().expose(), "manager:a");
    assert_eq!(
        SecretSource::Ssm { ssm: "b".into() }
            .resolve(&Aws, "x")
            .unwrap()
            .expose(),
        "parameter:b"
    );
}

#[test]
fn entries_and_debug_show_the_source_and_never_the_secret() {
    let toml =
        format!("[database]\nurl = 'postgres://u:{CANARY}@h/d'\n[redis]\nurl = {{ ssm = '/redis' }}\n");
    let loaded = load_with(&toml, &[("SLACK_WEBHOOK", CANARY)], &[]).unwrap();
    let entries = serde_json::to_value(loaded.entries()).unwrap();
    let of = |path: &str| {
        let list = entries.as_array().unwrap();
        list.iter().find(|entry| entry["path"] == path).unwrap()["value"].clone()
    };
    assert_eq!(of("database.url"), "***");
    assert_eq!(of("notify.slack_webhook"), "***");
    assert_eq!(of("redis.url"), serde_json::json!({ "ssm": "/redis" }));
    assert!(!format!("{entries} {loaded:?}").contains(CANARY));
}

/// Wherever somebody writes a secret by mistake, the error about it does not repeat it. The canary is not registered
/// for scrubbing before the error is made.
#[test]
fn errors_never_repeat_a_secret() {
    let mistakes = [
        "database = 'X'",
        "[database]\nurll = 'X'",
        "[database]\nurl = ['X']",
        "[database]\nurl = { plain = 'X' }",
        "[database]\nurl = { env = ['X'] }",
        "[database]\nurl = X",
        "[database]\nurl = 'X",
        "[database]\nurl = 'X'\nurl = 'X'",
        "[database]\nurl = 'X'\nextra = 1",
        "[database]\nurl.secret = 'X'",
        "[backup]\njobs = 'X'",
        "[backup]\nrecipients = 'X'",
        "[backup.s3]\npath_style = 'X'",
        "[notify.slack_webhook]\nurl = 'X'",
        "[env.production]\ndatabase = 'X'",
        "[env]\nproduction = 'X'",
        "X",
    ];
    for mistake in mistakes {
        let toml = mistake.replace('X', &format!("postgres://u:{CANARY}-{}@h/d", mistake.len()));
        let folder = folder_with(&toml);
        let error = load_in(folder.path(), &ConfigSource::default(), &[]).unwrap_err();
        let text = format!("{error:?}") + &rendered(error);
        assert!(!text.contains("canary"), "{mistake}: {text}");
    }
}

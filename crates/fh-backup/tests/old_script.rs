//! The defects of the shell scripts that this tool replaces, each by name. They were green then and must be red now.

mod tool;

use std::os::unix::fs::PermissionsExt as _;

use fh_testkit::S3;
use fh_testkit::webhook::{Reply, Webhook};
use tool::{Tool, files, small_server};

/// The script warned, went on without the database, and said "completed successfully".
#[test]
fn a_missing_pg_dump_is_no_green_run_without_the_database() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    std::fs::create_dir(tool.path("empty")).unwrap();
    let empty = tool.path("empty").display().to_string();
    let tool = tool.with("FH_PG_BINDIR", empty);
    let failed = tool.run(&["create"]).expect(3);
    assert!(
        failed.stderr.contains("pg_dump") && failed.stderr.contains("hint: "),
        "{}",
        failed.stderr
    );
    assert!(!failed.stdout.contains("durable"), "{}", failed.stdout);
    assert_eq!(tool.sets().len(), 0);
}

/// The script wrote `pg_dump | gzip` to the final name: whatever had come when it failed stayed there as the newest dump.
#[test]
fn a_dump_that_breaks_off_is_not_kept_as_the_newest() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    let good = tool.newest();
    // Definitions that end in the middle, with exit code 0 and after warnings, as a full pipe or disk leaves them.
    let folder = tool.path("bin");
    std::fs::create_dir(&folder).unwrap();
    let real = server.bin_dir().join("pg_dump").display().to_string();
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec '{real}' --version\n\
         echo 'pg_dump: warning: there is something to see' >&2\n'{real}' \"$@\" | head -c 1000\nexit 0\n"
    );
    std::fs::write(folder.join("pg_dump"), script).unwrap();
    std::fs::set_permissions(folder.join("pg_dump"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let tool = tool.with("FH_PG_BINDIR", folder.display().to_string());
    tool.run(&["create"]).expect(3);
    assert_eq!(tool.sets(), std::slice::from_ref(&good));
    assert_eq!(tool.newest(), good);
    let pages = files(&tool.path("repository/sets"));
    assert_eq!(pages.len(), 2, "one set and its page: {:?}", pages.keys());
}

/// The script ran `psql` without ON_ERROR_STOP: SQL errors scrolled by, and it said "restore completed successfully".
#[test]
fn an_sql_error_in_a_restore_is_no_success() {
    let Some(server) = small_server() else { return };
    // A check that held when the rows were written and does not hold any more: no server takes them back.
    server.psql(
        "shop",
        "CREATE FUNCTION allowed(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
         CREATE TABLE guarded (x int CHECK (public.allowed(x))); INSERT INTO guarded VALUES (1);
         CREATE OR REPLACE FUNCTION allowed(int) RETURNS boolean LANGUAGE sql AS 'SELECT false';",
    );
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.create_database("copy");
    let failed = tool.run(&["restore", "--into", "copy"]).expect(3);
    for part in [
        "public.guarded",
        "violates check constraint",
        "the target is unfinished",
    ] {
        assert!(
            failed.stderr.contains(part),
            "{part} is missing in:\n{}",
            failed.stderr
        );
    }
    assert!(!failed.stdout.contains("can be used"), "{}", failed.stdout);
}

/// The script restored over whatever the database held.
#[test]
fn a_restore_does_not_write_over_a_live_database() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql(
        "shop",
        "UPDATE item SET name = 'newer than the backup' WHERE id = 1",
    );
    tool.run(&["restore"]).expect(4);
    assert_eq!(
        server.psql("shop", "SELECT name FROM item WHERE id = 1"),
        "newer than the backup"
    );
}

/// The script deleted by age alone: after a week of failures the last dump that could be restored was gone.
#[test]
fn age_alone_deletes_nothing_while_backups_fail() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    tool.run(&["verify"]).expect(0);
    let good = tool.newest();
    let tool = tool.with("DATABASE_URL", server.url("gone"));
    for _ in 0..3 {
        tool.run(&["create"]).expect(3);
    }
    tool.run(&["prune", "--keep-within", "1s"]).expect(0);
    assert_eq!(tool.sets(), std::slice::from_ref(&good));
    server.create_database("copy");
    let tool = tool.with("DATABASE_URL", server.url("shop"));
    tool.run(&["restore", "--into", "copy", &good]).expect(0);
    assert_eq!(server.psql("copy", "SELECT count(*) FROM item"), "5000");
}

/// The script wrote `.env` with every value replaced by stars.
#[test]
fn an_env_file_comes_back_with_its_values() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    let content = "SECRET_KEY=of-the-shop\nDEBUG=\n";
    std::fs::write(tool.path(".env"), content).unwrap();
    std::fs::write(
        tool.path("financehub.toml"),
        "[backup]\nconfig_files = ['.env']\n",
    )
    .unwrap();
    tool.run(&["create"]).expect(0);
    std::fs::remove_file(tool.path(".env")).unwrap();
    tool.run(&["restore", "--config-files", "--to", "out"]).expect(0);
    let restored = files(&tool.path("out"));
    let found = restored.iter().find(|(path, _)| path.ends_with(".env"));
    assert_eq!(found.map(|(_, bytes)| &bytes[..]), Some(content.as_bytes()));
}

/// The script uploaded only when static keys stood in the environment, so never in an ECS task, and said nothing.
#[test]
fn a_task_role_is_enough_to_upload() {
    let Some(server) = small_server() else { return };
    let s3 = S3::start();
    let role = format!(
        r#"{{"AccessKeyId":"{}","SecretAccessKey":"{}","Token":"of-the-task","Expiration":"2099-01-01T00:00:00Z"}}"#,
        s3.access_key(),
        s3.secret_key()
    );
    let reply = || {
        Reply::status(200)
            .header("content-type", "application/json")
            .body(role.clone())
    };
    let metadata = Webhook::start((0..40).map(|_| reply()));
    let tool = Tool::new()
        .in_s3(&s3, false)
        .with("DATABASE_URL", server.url("shop"))
        .with("AWS_ACCESS_KEY_ID", "")
        .with("AWS_SECRET_ACCESS_KEY", "")
        .with(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            metadata.url("/v2/credentials"),
        );
    let before = s3.requests().len();
    tool.run(&["create"]).expect(0);
    assert!(!metadata.requests().is_empty(), "the role was asked for");
    assert!(
        s3.requests()[before..]
            .iter()
            .any(|request| request.method == "PUT" && request.path.contains("/sets/")),
        "the set was uploaded"
    );
    tool.run(&["verify", "--full"]).expect(0);
}

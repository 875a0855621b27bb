//! Real programs of libpq in the environment that we make for them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use fh_pg::{Program, Tools, child_environment};
use fh_testkit::{Postgres, require};

use super::{open, target};

/// Every character that the password file gives a meaning to.
const PASSWORD: &str = "pa:ss\\wo'rd #1";

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn psql_reaches_the_same_server_with_the_same_checks() {
    let postgres = require!(Postgres::builder().tls_only().scram(PASSWORD).try_start());
    let session = open(&postgres.tls_url("postgres")).await;
    let environment = child_environment(session.target()).unwrap();
    let psql = Tools::find(Program::Psql, session.server.major(), Some(postgres.bin_dir()))
        .await
        .unwrap();
    let mut command = Command::new(&psql.path);
    // `-w`: asking a person would hide a missing password. The full name of the mode is what the child was told.
    command.args([
        "-XAtw",
        "-c",
        "select ssl, current_user from pg_stat_ssl where pid = pg_backend_pid()",
    ]);
    environment.apply(&mut command);
    assert_eq!(run(&mut command), "t|postgres\n");
    let value = |name: &str| {
        environment
            .variables()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    assert_eq!(value("PGSSLMODE").unwrap(), "verify-full");
    assert_eq!(value("PGHOSTADDR").unwrap(), "127.0.0.1");
}

/// The check is the child's own: given another authority it refuses, too.
#[tokio::test]
async fn psql_refuses_an_authority_that_is_not_trusted() {
    let postgres = require!(Postgres::builder().tls().try_start());
    let url = format!(
        "{}?sslmode=verify-full",
        postgres.tcp_url_to("localhost", postgres.port(), "postgres")
    );
    let environment = child_environment(&target(&url)).unwrap();
    let mut command = Command::new(postgres.bin_dir().join("psql"));
    command.args(["-XAtw", "-c", "select 1"]);
    environment.apply(&mut command);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("certificate verify failed"), "{said}");
}

#[tokio::test]
async fn psql_goes_through_the_socket_and_takes_options() {
    let postgres = require!(Postgres::try_start());
    let url = format!(
        "{}&options=-c%20work_mem%3D7MB&application_name=mine",
        postgres.url("postgres")
    );
    let environment = child_environment(&target(&url)).unwrap();
    let mut command = tokio::process::Command::new(postgres.bin_dir().join("psql"));
    command.args([
        "-XAtw",
        "-c",
        "select current_setting('work_mem'), current_setting('application_name')",
    ]);
    environment.apply_tokio(&mut command);
    let output = command.output().await.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "7MB|mine\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// libpq gets the modes as we mean them: raised for RDS, with the roots that no libpq has.
#[test]
fn a_raised_mode_is_handed_on() {
    let rds = target("postgresql://app:pw@shop.c9a.eu-central-1.rds.amazonaws.com/shop?sslmode=require");
    let environment = child_environment(&rds).unwrap();
    let value = |name: &str| {
        environment
            .variables()
            .find(|(known, _)| *known == name)
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(value("PGSSLMODE"), "verify-full");
    let roots = fs_err::read_to_string(value("PGSSLROOTCERT")).unwrap();
    assert!(roots.matches("BEGIN CERTIFICATE").count() >= fh_pg::rds_roots().len());
}

#[test]
fn the_password_is_in_a_private_file_that_goes_away() {
    let target = target("postgresql://app:s3cr%3At-word@db.example.com:6543/shop");
    let environment = child_environment(&target).unwrap();
    let mut all = String::new();
    for (name, value) in environment.variables() {
        all.push_str(&format!("{name}={}\n", value.display()));
    }
    assert!(!all.contains("t-word") && !all.contains("PGPASSWORD"), "{all}");
    let file = environment
        .variables()
        .find(|(name, _)| *name == "PGPASSFILE")
        .unwrap()
        .1
        .to_owned();
    assert_eq!(
        fs_err::read_to_string(&file).unwrap(),
        "db.example.com:6543:shop:app:s3cr\\:t-word\n"
    );
    assert_eq!(
        fs_err::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    drop(environment);
    assert!(!std::path::Path::new(&file).exists());
}

/// The test runs itself once more, with variables that would lead a program of libpq elsewhere.
#[test]
fn variables_of_the_surroundings_do_not_get_through() {
    const AGAIN: &str = "FH_PG_TEST_CHILD";
    if std::env::var_os(AGAIN).is_some() {
        let environment =
            child_environment(&target("postgresql://app:s3cret-word@db.example.com/shop")).unwrap();
        let mut command = Command::new("env");
        environment.apply(&mut command);
        let seen = run(&mut command);
        for name in [
            "PGSERVICE",
            "PGPASSWORD",
            "PGHOSTADDR",
            "PGSSLCRL",
            "PSQLRC",
            "LANGUAGE",
            "s3cret-word",
            "elsewhere",
        ] {
            assert!(!seen.contains(name), "{name} in\n{seen}");
        }
        assert!(
            seen.contains("\nPGHOST=db.example.com\n") || seen.starts_with("PGHOST=db.example.com\n"),
            "{seen}"
        );
        assert!(
            seen.contains("LC_ALL=C\n") && seen.contains("UNRELATED=stays\n"),
            "{seen}"
        );
        return;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "child::variables_of_the_surroundings_do_not_get_through",
            "--nocapture",
        ])
        .env(AGAIN, "1");
    for name in [
        "PGSERVICE",
        "PGPASSWORD",
        "PGHOST",
        "PGHOSTADDR",
        "PGSSLCRL",
        "PSQLRC",
        "LANGUAGE",
    ] {
        command.env(name, "elsewhere");
    }
    let said = run(command.env("UNRELATED", "stays"));
    assert!(said.contains("1 passed"), "{said}");
}

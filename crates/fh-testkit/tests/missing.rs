//! A service that is not installed: skipped aloud, or a failure where every service is required.
//!
//! The test runs its own binary again, with an environment in which the service cannot be found.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use fh_testkit::{Moto, OpenSsl, Parsers, Postgres, Redis, require};

const ROLE: &str = "FH_TESTKIT_WITHOUT";

/// Runs the test `name` in its second role; `required` is the value of `FH_TEST_REQUIRE`.
fn second_run(name: &str, variable: &str, required: Option<&str>) -> (Output, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture"])
        .env(ROLE, "1")
        .env(variable, "/nonexistent/place");
    match required {
        Some(value) => command.env("FH_TEST_REQUIRE", value),
        None => command.env_remove("FH_TEST_REQUIRE"),
    };
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, stderr)
}

fn check(name: &str, variable: &str, remedies: &[&str]) {
    let (output, stderr) = second_run(name, variable, None);
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("SKIPPED: "), "{stderr}");
    for remedy in remedies.iter().chain(&[variable]) {
        assert!(stderr.contains(remedy), "{stderr}");
    }
    let (output, stderr) = second_run(name, variable, Some("all"));
    assert!(!output.status.success(), "{stderr}");
    assert!(
        stderr.contains("may not be skipped") && !stderr.contains("SKIPPED"),
        "{stderr}"
    );
}

#[test]
fn without_postgres() {
    if std::env::var_os(ROLE).is_some() {
        drop(require!(Postgres::try_start()));
        panic!("it started nevertheless");
    }
    check(
        "without_postgres",
        "FH_PG_BINDIR",
        &["pg_restore", "Correct or unset it"],
    );
}

#[test]
fn without_redis() {
    if std::env::var_os(ROLE).is_some() {
        drop(require!(Redis::try_start()));
        panic!("it started nevertheless");
    }
    check(
        "without_redis",
        "FH_REDIS_SERVER",
        &["apt-get install redis-server", "cargo xtask setup"],
    );
}

#[test]
fn without_moto() {
    if std::env::var_os(ROLE).is_some() {
        drop(require!(Moto::try_start()));
        panic!("it started nevertheless");
    }
    check(
        "without_moto",
        "FH_MOTO_SERVER",
        &["pip install", "cargo xtask setup"],
    );
}

#[test]
fn without_openssl() {
    if std::env::var_os(ROLE).is_some() {
        drop(require!(OpenSsl::try_start()));
        panic!("it started nevertheless");
    }
    check("without_openssl", "FH_OPENSSL", &["apt-get install openssl"]);
}

#[test]
fn without_parsers() {
    if std::env::var_os(ROLE).is_some() {
        drop(require!(Parsers::try_start()));
        panic!("it started nevertheless");
    }
    check(
        "without_parsers",
        "FH_TEST_PYTHON",
        &["pip install", "cargo xtask setup"],
    );
}

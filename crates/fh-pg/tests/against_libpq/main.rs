//! libpq as the judge: the same connection string must lead to the same server, with the same protection, or be turned
//! away by both; and libpq's programs must get there in the environment that we make for them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod children;
mod log_in;
mod servers;
mod tls;

use std::time::Duration;

use fh_core::{Deadline, Error, Exit, Result, Secret};
use fh_pg::{ConnectOptions, Connection, ConnectionString, Environment, connect};
use fh_testkit::Postgres;

/// Nothing that a person would write, so that finding it anywhere is a leak.
const PASSWORD: &str = r"c4nary:p@ss\word'é";

/// A port on which nothing listens: it is reserved, and below those that an ordinary user may take.
const DEAD_PORT: u16 = 1;

/// The environment of a user without files or variables.
fn environment() -> Environment {
    Environment::empty().with_user("postgres")
}

fn target(text: &str) -> ConnectionString {
    ConnectionString::parse(&Secret::new(text), &environment())
        .unwrap_or_else(|error| panic!("{text}: {}", error.render()))
}

fn options() -> ConnectOptions {
    ConnectOptions {
        connect_timeout: Duration::from_secs(20),
        deadline: Deadline::never(),
        application_name: "fh-pg tests".into(),
        merge_rows: false,
    }
}

async fn open(text: &str) -> Result<Connection> {
    connect(&target(text), &options()).await
}

async fn opened(text: &str) -> Connection {
    open(text)
        .await
        .unwrap_or_else(|error| panic!("{text}: {}", error.render()))
}

/// The text of the error of a connection that must fail, with exit code 3, a hint, and no password.
async fn refused(text: &str) -> String {
    refused_by(&target(text)).await
}

async fn refused_by(target: &ConnectionString) -> String {
    let error: Error = match connect(target, &options()).await {
        Ok(connection) => panic!("{} was accepted: {connection:?}", target.redacted()),
        Err(error) => error,
    };
    let rendered = error.render();
    assert_eq!(error.exit(), Exit::Unable, "{rendered}");
    assert!(error.advice().is_some(), "no hint: {rendered}");
    assert!(!rendered.contains("c4nary"), "{rendered}");
    rendered
}

/// One text from a query of one value.
async fn one(connection: &Connection, sql: &str) -> String {
    let row = connection.query_one(sql, &[]).await;
    row.unwrap_or_else(|error| panic!("{sql}: {}", fh_pg::describe(&error)))
        .get(0)
}

/// Replaces the server's `pg_hba.conf`; the socket stays open to everybody.
fn set_hba(postgres: &Postgres, lines: &str) {
    let file = postgres.data_dir().join("pg_hba.conf");
    fs_err::write(&file, format!("local all all trust\n{lines}\n")).unwrap();
    let loaded = || postgres.psql("postgres", "select pg_conf_load_time()");
    let before = loaded();
    postgres.psql("postgres", "select pg_reload_conf()");
    wait_until("the server has read pg_hba.conf", || loaded() != before);
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..600 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited in vain: {what}");
}

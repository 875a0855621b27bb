//! Real servers: every `sslmode`, every way a log-in fails, pinned sessions, and `psql` in the environment we make.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod child;
mod fake;
mod log_in;
mod reach;
mod session;
mod tls;

use std::time::Duration;

use fh_core::{Exit, Secret};
use fh_pg::{ConnectOptions, Connection, ConnectionString, Environment, connect};

/// Nothing of the surroundings of the test gets in.
fn target(url: &str) -> ConnectionString {
    ConnectionString::parse(&Secret::new(url), &Environment::empty()).unwrap()
}

/// Long enough for a slow machine, short enough to end before the test runner loses patience.
fn options() -> ConnectOptions {
    ConnectOptions {
        connect_timeout: Duration::from_secs(30),
        ..ConnectOptions::default()
    }
}

async fn open(url: &str) -> Connection {
    connect(&target(url), &options())
        .await
        .unwrap_or_else(|error| panic!("{}", error.render()))
}

/// The error of a connection that must fail with exit code 3.
async fn failure(url: &str) -> String {
    match connect(&target(url), &options()).await {
        Ok(connection) => panic!("{url} connects: {connection:?}"),
        Err(error) => {
            assert_eq!(error.exit(), Exit::Unable, "{}", error.render());
            error.render()
        }
    }
}

/// [`failure`] with the port, which differs each time, replaced.
async fn failure_at(port: u16, url: &str) -> String {
    hide_port(port, &failure(url).await)
}

fn hide_port(port: u16, text: &str) -> String {
    text.replace(&format!(":{port}"), ":PORT")
}

/// A port at which nobody listens.
fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

async fn text(connection: &Connection, sql: &str) -> String {
    let messages = connection.simple_query(sql).await.unwrap();
    let row = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    row.expect("a row").get(0).unwrap_or("NULL").to_owned()
}

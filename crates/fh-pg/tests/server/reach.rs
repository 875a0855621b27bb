//! Servers that cannot be reached, or are none.

use std::time::Duration;

use fh_core::{Deadline, Exit};
use fh_pg::{ConnectOptions, connect};
use fh_testkit::{Postgres, require};

use super::fake::{Silent, answering, fatal};
use super::{closed_port, failure, failure_at, hide_port, open, options, target, text};

#[tokio::test]
async fn nobody_listens() {
    let port = closed_port();
    insta::assert_snapshot!(failure_at(port, &format!("postgresql://app@127.0.0.1:{port}/shop")).await, @r#"
    error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "app", database "shop")
    caused by: Connection refused (os error 111)
    hint: is the server running, and does it listen on this address and port (listen_addresses, port)?
    "#);
    insta::assert_snapshot!(failure("postgresql://app@/shop?host=/nowhere/run").await, @r#"
    error: cannot connect to PostgreSQL at /nowhere/run:5432 (role "app", database "shop")
    caused by: No such file or directory (os error 2)
    hint: no server listens on the socket /nowhere/run/.s.PGSQL.5432: is it running, and is this its unix_socket_directories and port?
    "#);
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    // No resolver is asked about an empty label. What the system says to it differs.
    let error = failure("postgresql://app@db..example/shop").await;
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines[0],
        "error: cannot find the host of PostgreSQL at db..example:5432 (role \"app\", database \"shop\")"
    );
    assert!(lines[1].starts_with("caused by: "), "{error}");
    assert_eq!(
        lines[2],
        "hint: check the name, and whether this machine can resolve it: getent hosts NAME"
    );
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let silent = Silent::start();
    let port = silent.port();
    let hurried = ConnectOptions {
        connect_timeout: Duration::from_millis(200),
        ..options()
    };
    for mode in ["disable", "prefer", "verify-full"] {
        let url = format!("postgresql://app@127.0.0.1:{port}/shop?sslmode={mode}");
        let error = connect(&target(&url), &hurried).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        let text = hide_port(port, &error.render());
        if mode == "disable" {
            insta::assert_snapshot!(text, @r#"
            error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "app", database "shop")
            caused by: the server did not answer within 200ms
            hint: a firewall, a security group or a missing route may swallow the packets; or the server is overloaded
            "#);
        }
        assert!(text.contains("did not answer within 200ms"), "{mode}: {text}");
    }
}

/// The deadline of the run counts when it is nearer than the time-out of the connection.
#[tokio::test]
async fn the_deadline_bounds_the_attempt() {
    let silent = Silent::start();
    let url = format!(
        "postgresql://app@127.0.0.1:{}/shop?connect_timeout=3000",
        silent.port()
    );
    let late = ConnectOptions {
        deadline: Deadline::after(Duration::from_millis(300)),
        ..options()
    };
    let error = connect(&target(&url), &late).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert!(
        error.render().contains("did not answer within"),
        "{}",
        error.render()
    );
    // Now it has passed, so nothing is begun.
    let error = connect(&target(&url), &late).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert!(error.message().contains("deadline"), "{}", error.render());
}

#[tokio::test]
async fn a_server_that_starts_up() {
    let port = answering(fatal("57P03", "the database system is starting up")).await;
    insta::assert_snapshot!(failure_at(port, &format!("postgresql://app@127.0.0.1:{port}/shop?sslmode=disable")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT takes no connections now (database "shop", role "app")
    caused by: FATAL: the database system is starting up (SQLSTATE 57P03)
    hint: it is starting up, recovering or shutting down: try again in a moment
    "#);
}

#[tokio::test]
async fn something_that_is_no_postgresql() {
    let port = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    insta::assert_snapshot!(failure_at(port, &format!("postgresql://app@127.0.0.1:{port}/shop?sslmode=require")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT broke the connection off during the log-in (role "app", database "shop")
    caused by: the answer is not that of a PostgreSQL server
    hint: is it PostgreSQL that listens there? If it is, see the server's log
    "#);
    let port = answering(Vec::new()).await;
    insta::assert_snapshot!(failure_at(port, &format!("postgresql://app@127.0.0.1:{port}/shop?sslmode=require")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT broke the connection off during the log-in (role "app", database "shop")
    caused by: the connection was closed before an answer came
    hint: is it PostgreSQL that listens there? If it is, see the server's log
    "#);
}

/// It says yes to TLS and then talks none.
#[tokio::test]
async fn a_handshake_that_fails() {
    let port = answering(b"Sthis is no handshake".to_vec()).await;
    insta::assert_snapshot!(failure_at(port, &format!("postgresql://app@127.0.0.1:{port}/shop?sslmode=require")).await, @r#"
    error: the TLS handshake with PostgreSQL at 127.0.0.1:PORT failed (role "app", database "shop")
    caused by: received corrupt message of type InvalidContentType
    hint: the server must do TLS 1.2 or 1.3; if it wants a client certificate, give sslcert and sslkey
    "#);
}

#[tokio::test]
async fn several_servers_are_tried_in_order() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let (dead, other, port) = (closed_port(), closed_port(), postgres.port());
    let url = |ports: &[u16], rest: &str| {
        let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("postgresql://postgres@{}/{rest}", hosts.join(","))
    };
    let connection = open(&url(&[dead, port], "postgres")).await;
    assert_eq!(text(&connection, "select 1").await, "1");
    // The session's own target leads to that server only.
    assert_eq!(connection.target().place(), format!("127.0.0.1:{port}"));
    // A server that turns us away ends the search: the next one would only ask for the same again.
    let error = failure(&url(&[port, dead], "nowhere")).await;
    assert!(
        error.contains("has no database \"nowhere\"") && !error.contains(&dead.to_string()),
        "{error}"
    );
    let error = failure(&url(&[dead, other], "postgres")).await;
    insta::assert_snapshot!(hide_port(other, &hide_port(dead, &error)), @r#"
    error: cannot connect to PostgreSQL at any of 127.0.0.1:PORT,127.0.0.1:PORT (role "postgres", database "postgres")
    caused by: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres"): Connection refused (os error 111); cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres"): Connection refused (os error 111)
    hint: is the server running, and does it listen on this address and port (listen_addresses, port)?
    "#);
}

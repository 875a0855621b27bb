//! Several servers, and which of them is taken.

use fh_pg::{Place, TlsState, connect};
use fh_testkit::postgres::Postgres;
use fh_testkit::require;

use super::{DEAD_PORT, PASSWORD, one, open, opened, options, refused, target};

#[tokio::test]
async fn the_first_that_fits_is_taken_as_libpq_does() {
    let writes = require!(Postgres::builder().tcp().try_start());
    let reads = require!(
        Postgres::builder()
            .tcp()
            .setting("default_transaction_read_only", "on")
            .try_start()
    );
    let (dead, writes_port, reads_port) = (DEAD_PORT, writes.port(), reads.port());
    let mut compared = 0;
    for ports in [
        [dead, writes_port, reads_port],
        [dead, reads_port, writes_port],
        [writes_port, reads_port, dead],
        [reads_port, writes_port, dead],
        [dead, reads_port, dead],
    ] {
        for attrs in [
            "any",
            "read-write",
            "read-only",
            "primary",
            "standby",
            "prefer-standby",
        ] {
            let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
            let url = format!(
                "postgresql://postgres@{}/postgres?target_session_attrs={attrs}",
                hosts.join(",")
            );
            let sql = "select current_setting('port')";
            let libpq = writes.psql_url(&url, sql).ok();
            let ours = match open(&url).await {
                Ok(connection) => Some(one(&connection, sql).await),
                Err(_) => None,
            };
            assert_eq!(ours, libpq, "{url}");
            compared += usize::from(ours.is_some());
        }
    }
    assert!(compared > 15, "only {compared} connections were made");
    let url =
        format!("postgresql://postgres@127.0.0.1:{reads_port}/postgres?target_session_attrs=read-write");
    let error = refused(&url).await;
    assert!(
        error.contains("is not what target_session_attrs=read-write asks for"),
        "{error}"
    );
}

#[tokio::test]
async fn a_rejected_login_is_not_tried_elsewhere() {
    let locked = require!(Postgres::builder().scram(PASSWORD).try_start());
    let open_to_all = require!(Postgres::builder().tcp().try_start());
    let text = format!(
        "postgresql://postgres:c4nary-no@127.0.0.1:{},127.0.0.1:{}/postgres",
        locked.port(),
        open_to_all.port()
    );
    assert!(
        locked.psql_url(&text, "select 1").is_err(),
        "libpq does not either"
    );
    assert!(refused(&text).await.contains("rejects the password"));
}

#[tokio::test]
async fn the_target_of_a_session_is_the_server_that_answered() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).tls().try_start());
    let text = format!(
        "host=127.0.0.1,localhost port={},{} user=postgres dbname=postgres password='{}' target_session_attrs=primary",
        DEAD_PORT,
        postgres.port(),
        PASSWORD.replace('\\', "\\\\").replace('\'', "\\'"),
    );
    let first = opened(&text).await;
    let narrowed = first.target();
    let [server] = narrowed.servers() else {
        panic!("{narrowed:?}")
    };
    assert_eq!(server.port, postgres.port());
    assert!(
        matches!(&server.place, Place::Tcp { host, address: Some(_) } if host == "localhost"),
        "{server:?}"
    );
    assert!(matches!(first.tls, TlsState::Encrypted { .. }));
    // What the first reached is what the next one insists on.
    first
        .batch_execute("begin isolation level repeatable read")
        .await
        .unwrap();
    let snapshot = one(&first, "select pg_export_snapshot()").await;
    let second = connect(narrowed, &options()).await.unwrap();
    second
        .batch_execute(&format!(
            "begin isolation level repeatable read; set transaction snapshot '{snapshot}'"
        ))
        .await
        .unwrap();
    assert_eq!(second.tls, first.tls);
    assert_eq!(narrowed.ssl_mode(server), fh_pg::SslMode::Require);
    assert_eq!(target(&text).ssl_mode(server), fh_pg::SslMode::Prefer);
}

/// `prefer` found TLS without a check, at a name whose certificate would be checked if `require` had been said: the next
/// session insists on what the first had, not on more.
#[tokio::test]
async fn a_reached_mode_is_not_raised() {
    let postgres = require!(Postgres::builder().tls().try_start());
    let host = "shop.c9akciq32.eu-central-1.rds.amazonaws.com";
    let at = format!(
        "postgresql://postgres@{host}:{}/postgres?hostaddr=127.0.0.1",
        postgres.port()
    );
    let first = opened(&format!("{at}&sslmode=prefer")).await;
    let second = connect(first.target(), &options()).await.unwrap();
    assert_eq!((&second.tls, first.tls.is_private()), (&first.tls, true));
}

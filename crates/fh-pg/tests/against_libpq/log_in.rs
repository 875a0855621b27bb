//! Logging in: passwords in odd forms, channel binding, passwords made for each session.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use fh_core::{Exit, Result, Secret};
use fh_pg::{PasswordSource, Proven, TlsState, connect};
use fh_testkit::postgres::Postgres;
use fh_testkit::require;

use super::{PASSWORD, one, opened, options, refused, refused_by, target};

#[tokio::test]
async fn scram_ties_the_login_to_the_certificate() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).tls().try_start());
    // `require` fails unless the server proved that it knows the password and owns this TLS session.
    let connection = opened(&format!(
        "{}&channel_binding=require",
        postgres.tls_url("postgres")
    ))
    .await;
    assert_eq!(connection.tls, TlsState::Encrypted { server: Proven::Host });
    let url = postgres.tcp_url("postgres");
    opened(&format!("{url}?channel_binding=require&sslmode=require")).await;
    opened(&format!("{url}?channel_binding=disable&sslmode=require")).await;
    opened(&format!(
        "{url}?channel_binding=require&sslmode=require&ssl_max_protocol_version=TLSv1.2"
    ))
    .await;
    let error = refused(&format!("{url}?channel_binding=require&sslmode=disable")).await;
    assert!(error.contains("channel binding"), "{error}");
}

#[tokio::test]
async fn other_kinds_of_passwords_work_too() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).try_start());
    postgres.psql(
        "postgres",
        "set password_encryption = md5; create role old login password 'c4nary-md5'",
    );
    super::set_hba(&postgres, "host all old all md5\nhost all postgres all password");
    let port = postgres.port();
    let connection = opened(&format!("postgresql://old:c4nary-md5@127.0.0.1:{port}/postgres")).await;
    assert_eq!(one(&connection, "select current_user::text").await, "old");
    opened(&postgres.tcp_url("postgres")).await;
    let error = refused(&format!("postgresql://old:c4nary-no@127.0.0.1:{port}/postgres")).await;
    assert!(error.contains("rejects the password of role \"old\""), "{error}");
}

#[tokio::test]
async fn the_session_is_who_and_where_was_said() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let odd = r#"o"d d='\:é"#;
    postgres.create_database(odd);
    let encoded: String = odd.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let connection = opened(&format!(
        "{}&application_name=mine&options=-c%20geqo%3Doff",
        postgres.url(&encoded).replace("%25", "%")
    ))
    .await;
    assert_eq!(one(&connection, "select current_database()::text").await, odd);
    assert_eq!(
        one(&connection, "select current_setting('application_name')").await,
        "mine"
    );
    assert_eq!(one(&connection, "select current_setting('geqo')").await, "off");
    assert_eq!(connection.tls, TlsState::Socket);
    assert_eq!(connection.server.major(), postgres.major());
    assert_eq!(
        one(&connection, "select current_setting('server_version_num')").await,
        connection.server.number().to_string()
    );
    let connection = opened(&postgres.url("postgres")).await;
    assert_eq!(
        one(&connection, "select current_setting('application_name')").await,
        "fh-pg tests"
    );
}

/// Counts how often it is asked.
#[derive(Debug)]
struct Minted {
    asked: AtomicU32,
    password: &'static str,
}

#[async_trait]
impl PasswordSource for Minted {
    async fn password(&self, host: &str, port: u16, user: &str) -> Result<Secret> {
        assert_eq!((host, user), ("localhost", "postgres"));
        assert_ne!(port, 0);
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Secret::new(self.password))
    }
}

fn minted(password: &'static str) -> Arc<Minted> {
    Arc::new(Minted {
        asked: AtomicU32::new(0),
        password,
    })
}

#[tokio::test]
async fn made_passwords_are_asked_for_each_session_and_never_sent_in_clear() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).tls().try_start());
    let port = postgres.port();
    let source = minted(PASSWORD);
    let base = target(&format!(
        "postgresql://postgres:c4nary-other@localhost:{port}/postgres?hostaddr=127.0.0.1"
    ));
    let with_source = base.with_password_source(Arc::clone(&source) as Arc<dyn PasswordSource>);
    let first = connect(&with_source, &options()).await.unwrap();
    // Without a word about TLS it is on.
    assert_eq!(
        first.tls,
        TlsState::Encrypted {
            server: Proven::Nothing
        }
    );
    connect(first.target(), &options()).await.unwrap();
    assert_eq!(source.asked.load(Ordering::SeqCst), 2);

    let wrong = refused_by(&base.with_password_source(minted("c4nary-stale"))).await;
    assert!(wrong.contains("it was made for this session"), "{wrong}");

    let clear = target(&format!(
        "postgresql://postgres@localhost:{port}/postgres?sslmode=disable"
    ));
    let error = connect(&clear.with_password_source(minted(PASSWORD)), &options())
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.message().contains("in clear"), "{error}");
}

#[tokio::test]
async fn made_passwords_are_not_sent_to_a_server_without_tls() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).try_start());
    let base = target(&format!(
        "postgresql://postgres@localhost:{}/postgres?hostaddr=127.0.0.1&sslmode=prefer",
        postgres.port()
    ));
    let error = refused_by(&base.with_password_source(minted(PASSWORD))).await;
    assert!(error.contains("does not offer TLS"), "{error}");
    connect(&base.with_password(Secret::new(PASSWORD)), &options())
        .await
        .unwrap();
}

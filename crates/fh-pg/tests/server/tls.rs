//! Every `sslmode` against servers with and without TLS, with good and bad certificates.

use std::fmt::Write as _;
use std::path::Path;

use fh_pg::{Proven, TlsState, connect};
use fh_testkit::certs::{Authority, TlsFiles};
use fh_testkit::{Postgres, require};

use super::{failure_at, hide_port, open, options, target, text};

const MODES: [&str; 8] = [
    "",
    "sslmode=disable",
    "sslmode=allow",
    "sslmode=prefer",
    "sslmode=require",
    "sslmode=require&ROOT",
    "sslmode=verify-ca&ROOT",
    "sslmode=verify-full&ROOT",
];

/// What each mode comes to: the protection, which the server confirms, or the error.
async fn outcomes(postgres: &Postgres, host: &str, root: &Path) -> String {
    let mut table = String::new();
    for mode in MODES {
        let parameters = mode.replace("ROOT", &format!("sslrootcert={}", root.display()));
        let url = format!(
            "{}?{parameters}",
            postgres.tcp_url_to(host, postgres.port(), "postgres")
        );
        let outcome = match connect(&target(&url), &options()).await {
            Ok(connection) => {
                let ssl = text(
                    &connection,
                    "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
                )
                .await;
                let encrypted = matches!(connection.tls, TlsState::Encrypted { .. });
                assert_eq!(
                    ssl,
                    if encrypted { "t" } else { "f" },
                    "{mode}: {}",
                    connection.tls
                );
                connection.tls.to_string()
            }
            Err(error) => {
                assert_eq!(error.exit(), fh_core::Exit::Unable, "{mode}");
                format!(
                    "\n  {}",
                    hide_port(postgres.port(), &error.render()).replace('\n', "\n  ")
                )
            }
        };
        writeln!(
            table,
            "{}: {outcome}",
            if mode.is_empty() { "(none)" } else { mode }
        )
        .unwrap();
    }
    table
}

fn with_certificate(
    authority: &Authority,
    identity: fh_testkit::certs::Identity,
) -> anyhow::Result<Postgres> {
    Postgres::builder()
        .tls_with(TlsFiles::new(authority, identity)?)
        .try_start()
}

#[tokio::test]
async fn a_good_certificate() {
    let postgres = require!(Postgres::builder().tls().try_start());
    insta::assert_snapshot!(outcomes(&postgres, "localhost", postgres.ca_pem_path()).await, @"");
}

#[tokio::test]
async fn no_tls_on_the_server() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let root = TlsFiles::for_localhost().unwrap();
    insta::assert_snapshot!(outcomes(&postgres, "127.0.0.1", &root.ca_pem_path).await, @"");
}

#[tokio::test]
async fn a_server_that_rejects_plain_sessions() {
    let postgres = require!(Postgres::builder().tls_only().try_start());
    insta::assert_snapshot!(outcomes(&postgres, "127.0.0.1", postgres.ca_pem_path()).await, @"");
}

#[tokio::test]
async fn an_authority_that_is_not_trusted() {
    let postgres = require!(Postgres::builder().tls().try_start());
    let other = TlsFiles::for_localhost().unwrap();
    insta::assert_snapshot!(outcomes(&postgres, "localhost", &other.ca_pem_path).await, @"");
    // Without a file the authorities of the system and of RDS count, and none of them signed it.
    let url = postgres.tcp_url_to("localhost", postgres.port(), "postgres");
    for mode in ["verify-ca", "verify-full"] {
        let error = failure_at(postgres.port(), &format!("{url}?sslmode={mode}")).await;
        assert!(
            error.contains("signed by an authority that is not trusted here"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_expired_certificate() {
    let authority = Authority::new().unwrap();
    let identity = authority.expired_server(&["localhost", "127.0.0.1"]).unwrap();
    let postgres = require!(with_certificate(&authority, identity));
    insta::assert_snapshot!(outcomes(&postgres, "localhost", postgres.ca_pem_path()).await, @"");
}

#[tokio::test]
async fn a_certificate_for_another_host() {
    let authority = Authority::new().unwrap();
    let identity = authority.server(&["db.example.com", "10.0.0.7"]).unwrap();
    let postgres = require!(with_certificate(&authority, identity));
    insta::assert_snapshot!(outcomes(&postgres, "localhost", postgres.ca_pem_path()).await, @"");
}

/// `require` and no `sslmode` at all mean `verify-full` there, against the authorities that are built in.
#[tokio::test]
async fn a_host_of_rds_must_prove_itself() {
    const HOST: &str = "shop.c9akciq32.eu-central-1.rds.amazonaws.com";
    let authority = Authority::new().unwrap();
    let identity = authority.server(&[HOST]).unwrap();
    let postgres = require!(with_certificate(&authority, identity));
    let url = format!(
        "{}?hostaddr=127.0.0.1",
        postgres.tcp_url_to(HOST, postgres.port(), "postgres")
    );
    let refused = failure_at(postgres.port(), &url).await;
    insta::assert_snapshot!(refused, @"");
    assert_eq!(
        failure_at(postgres.port(), &format!("{url}&sslmode=require")).await,
        refused
    );
    // A file replaces the built-in ones, and a weaker mode that is written down is obeyed.
    let root = postgres.ca_pem_path().display();
    let connection = open(&format!("{url}&sslmode=verify-full&sslrootcert={root}")).await;
    assert_eq!(connection.tls, TlsState::Encrypted { server: Proven::Host });
    let connection = open(&format!("{url}&sslmode=prefer")).await;
    assert_eq!(
        connection.tls,
        TlsState::Encrypted {
            server: Proven::Nothing
        }
    );
}

#[tokio::test]
async fn only_one_version_of_tls() {
    let postgres = require!(Postgres::builder().tls().try_start());
    let version = "select version from pg_stat_ssl where pid = pg_backend_pid()";
    let url = postgres.tls_url("postgres");
    let connection = open(&format!("{url}&ssl_max_protocol_version=TLSv1.2")).await;
    assert_eq!(text(&connection, version).await, "TLSv1.2");
    let connection = open(&format!("{url}&ssl_min_protocol_version=TLSv1.3")).await;
    assert_eq!(text(&connection, version).await, "TLSv1.3");
}

#[tokio::test]
async fn a_root_file_that_is_missing_is_a_mistake_of_configuration() {
    let error = connect(
        &target("postgresql://u@127.0.0.1:1/d?sslmode=verify-full&sslrootcert=/nowhere/ca.pem"),
        &options(),
    )
    .await
    .unwrap_err();
    assert_eq!(error.exit(), fh_core::Exit::Usage);
    insta::assert_snapshot!(error.render(), @"");
}

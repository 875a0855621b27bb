//! Every `sslmode` against servers with and without TLS, with good and bad certificates.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

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
    // No spaces at the ends of lines: the snapshots stand in this file.
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
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
    insta::assert_snapshot!(outcomes(&postgres, "localhost", postgres.ca_pem_path()).await, @r#"
    (none): TLS, certificate not checked
    sslmode=disable: no TLS (sslmode=disable)
    sslmode=allow: no TLS (sslmode=allow)
    sslmode=prefer: TLS, certificate not checked
    sslmode=require: TLS, certificate not checked
    sslmode=require&ROOT: TLS, authority checked, host name not
    sslmode=verify-ca&ROOT: TLS, authority checked, host name not
    sslmode=verify-full&ROOT: TLS, authority and host name checked
    "#);
}

#[tokio::test]
async fn no_tls_on_the_server() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let root = TlsFiles::for_localhost().unwrap();
    insta::assert_snapshot!(outcomes(&postgres, "127.0.0.1", &root.ca_pem_path).await, @r#"
    (none): no TLS (the server offers no TLS, and sslmode=prefer puts up with that)
    sslmode=disable: no TLS (sslmode=disable)
    sslmode=allow: no TLS (sslmode=allow)
    sslmode=prefer: no TLS (the server offers no TLS, and sslmode=prefer puts up with that)
    sslmode=require:
      error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres")
      caused by: the server does not offer TLS, and sslmode=require insists on it
      hint: turn ssl on in the server's postgresql.conf; if nobody can listen on the way, say sslmode=disable
    sslmode=require&ROOT:
      error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres")
      caused by: the server does not offer TLS, and sslmode=verify-ca insists on it
      hint: turn ssl on in the server's postgresql.conf; if nobody can listen on the way, say sslmode=disable
    sslmode=verify-ca&ROOT:
      error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres")
      caused by: the server does not offer TLS, and sslmode=verify-ca insists on it
      hint: turn ssl on in the server's postgresql.conf; if nobody can listen on the way, say sslmode=disable
    sslmode=verify-full&ROOT:
      error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres")
      caused by: the server does not offer TLS, and sslmode=verify-full insists on it
      hint: turn ssl on in the server's postgresql.conf; if nobody can listen on the way, say sslmode=disable
    "#);
}

#[tokio::test]
async fn a_server_that_rejects_plain_sessions() {
    let postgres = require!(Postgres::builder().tls_only().try_start());
    insta::assert_snapshot!(outcomes(&postgres, "127.0.0.1", postgres.ca_pem_path()).await, @r#"
    (none): TLS, certificate not checked
    sslmode=disable:
      error: PostgreSQL at 127.0.0.1:PORT does not let role "postgres" into database "postgres" from this machine
      caused by: FATAL: pg_hba.conf rejects connection for host "127.0.0.1", user "postgres", database "postgres", no encryption (SQLSTATE 28000)
      hint: the server may accept it with TLS: say sslmode=verify-full or sslmode=require; otherwise pg_hba.conf needs a line for it
    sslmode=allow: TLS, certificate not checked
    sslmode=prefer: TLS, certificate not checked
    sslmode=require: TLS, certificate not checked
    sslmode=require&ROOT: TLS, authority checked, host name not
    sslmode=verify-ca&ROOT: TLS, authority checked, host name not
    sslmode=verify-full&ROOT: TLS, authority and host name checked
    "#);
}

#[tokio::test]
async fn an_authority_that_is_not_trusted() {
    let postgres = require!(Postgres::builder().tls().try_start());
    let other = TlsFiles::for_localhost().unwrap();
    insta::assert_snapshot!(outcomes(&postgres, "localhost", &other.ca_pem_path).await, @r#"
    (none): TLS, certificate not checked
    sslmode=disable: no TLS (sslmode=disable)
    sslmode=allow: no TLS (sslmode=allow)
    sslmode=prefer: TLS, certificate not checked
    sslmode=require: TLS, certificate not checked
    sslmode=require&ROOT:
      error: cannot connect to PostgreSQL at localhost:PORT (role "postgres", database "postgres")
      caused by: the server's certificate is not signed by the authority of that name that is trusted here
      hint: the authority has another key than the one in sslrootcert: give the certificate that the server's authority has now. If neither was renewed, somebody may sit in between
    sslmode=verify-ca&ROOT:
      error: cannot connect to PostgreSQL at localhost:PORT (role "postgres", database "postgres")
      caused by: the server's certificate is not signed by the authority of that name that is trusted here
      hint: the authority has another key than the one in sslrootcert: give the certificate that the server's authority has now. If neither was renewed, somebody may sit in between
    sslmode=verify-full&ROOT:
      error: cannot connect to PostgreSQL at localhost:PORT (role "postgres", database "postgres")
      caused by: the server's certificate is not signed by the authority of that name that is trusted here
      hint: the authority has another key than the one in sslrootcert: give the certificate that the server's authority has now. If neither was renewed, somebody may sit in between
    "#);
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
    insta::assert_snapshot!(outcomes(&postgres, "localhost", postgres.ca_pem_path()).await, @r#"
    (none): TLS, certificate not checked
    sslmode=disable: no TLS (sslmode=disable)
    sslmode=allow: no TLS (sslmode=allow)
    sslmode=prefer: TLS, certificate not checked
    sslmode=require: TLS, certificate not checked
    sslmode=require&ROOT:
      error: cannot connect to PostgreSQL at localhost:PORT (role "postgres", database "postgres")
      caused by: the server's certificate has expired on 2021-01-01
      hint: renew the server's certificate (on RDS: choose a newer certificate authority for the instance)
    sslmode=verify-ca&ROOT:
      error: cannot connect to PostgreSQL at localhost:PORT (role "postgres", database "postgres")
      caused by: the server's certificate has expired on 2021-01-01
      hint: renew the server's certificate (on RDS: choose a newer certificate authority for the instance)
    sslmode=verify-full&ROOT:
      error: cannot connect to PostgreSQL at localhost:PORT (role "postgres", database "postgres")
      caused by: the server's certificate has expired on 2021-01-01
      hint: renew the server's certificate (on RDS: choose a newer certificate authority for the instance)
    "#);
}

#[tokio::test]
async fn a_certificate_for_another_host() {
    let authority = Authority::new().unwrap();
    let identity = authority.server(&["db.example.com", "10.0.0.7"]).unwrap();
    let postgres = require!(with_certificate(&authority, identity));
    insta::assert_snapshot!(outcomes(&postgres, "localhost", postgres.ca_pem_path()).await, @r#"
    (none): TLS, certificate not checked
    sslmode=disable: no TLS (sslmode=disable)
    sslmode=allow: no TLS (sslmode=allow)
    sslmode=prefer: TLS, certificate not checked
    sslmode=require: TLS, certificate not checked
    sslmode=require&ROOT: TLS, authority checked, host name not
    sslmode=verify-ca&ROOT: TLS, authority checked, host name not
    sslmode=verify-full&ROOT:
      error: cannot connect to PostgreSQL at localhost:PORT (role "postgres", database "postgres")
      caused by: the server's certificate is for db.example.com, 10.0.0.7, not for localhost
      hint: connect by a name that the certificate has (subjectAltName), give the server one with localhost, or say sslmode=verify-ca to check the authority only
    "#);
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
    insta::assert_snapshot!(refused, @r#"
    error: cannot connect to PostgreSQL at shop.c9akciq32.eu-central-1.rds.amazonaws.com:PORT (role "postgres", database "postgres")
    caused by: the server's certificate is signed by an authority that is not trusted here
    hint: give the authority's certificate with sslrootcert=FILE. The authorities of Amazon RDS are built in, but for China, GovCloud and regions opened lately download the region's bundle from https://truststore.pki.rds.amazonaws.com
    "#);
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
    insta::assert_snapshot!(error.render(), @r#"
    error: cannot read the certificate authorities in /nowhere/ca.pem
    caused by: failed to open file `/nowhere/ca.pem`: No such file or directory (os error 2)
    hint: sslrootcert (or ssl_root_cert of the configuration) names a PEM file that this user can read
    "#);
}

/// Everything that is said at the level of a warning or above while this lives, on this thread.
struct Warnings {
    said: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Warnings {
    fn listen() -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&said);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .with_writer(move || Sink(Arc::clone(&writer)))
            .finish();
        Self {
            said,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    fn take(&self, port: u16) -> String {
        let said = std::mem::take(&mut *self.said.lock().unwrap());
        hide_port(port, &String::from_utf8(said).unwrap())
            .trim()
            .to_owned()
    }
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// No downgrade is silent, and nobody is warned of what they asked for.
#[tokio::test]
async fn a_downgrade_is_said_aloud() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let (url, port) = (postgres.tcp_url("postgres"), postgres.port());
    let warnings = Warnings::listen();
    let first = open(&url).await;
    insta::assert_snapshot!(warnings.take(port), @r#"
    WARN the session with PostgreSQL at 127.0.0.1:PORT is not encrypted: the server offers no TLS, and sslmode=prefer puts up with that
    "#);
    // Once for a run, not for each of its sessions.
    connect(first.target(), &options()).await.unwrap();
    assert_eq!(warnings.take(port), "");
    open(&format!("{url}?sslmode=allow")).await;
    insta::assert_snapshot!(warnings.take(port), @r#"
    WARN the session with PostgreSQL at 127.0.0.1:PORT is not encrypted: sslmode=allow
    "#);
    open(&format!("{url}?sslmode=disable")).await;
    open(&postgres.url("postgres")).await;
    assert_eq!(warnings.take(port), "");
}

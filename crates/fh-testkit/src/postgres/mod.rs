//! A throw-away PostgreSQL cluster per test.
//!
//! [`Postgres::start`] copies an initialised cluster, starts it on a unix socket in a private folder and waits until it
//! takes connections. `fsync` and autovacuum are off, the locale is `C.UTF-8`, the superuser is `postgres` without a password.
//! Run as root the server becomes user 65534, because PostgreSQL refuses to run as root.
//!
//! [`Builder`] adds TCP, TLS, SCRAM passwords, settings, another major version. SQL and comparisons go through
//! `psql` and `pg_dump` ([`Postgres::psql`], [`Postgres::table_contents`]): an opinion independent of our own code.

mod builder;
mod client;
mod discover;
mod fault;
mod oracle;
mod standby;
mod template;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

pub use builder::Builder;
pub(crate) use client::clean as clean_command;
pub use discover::{Installation, installations};

use crate::certs::TlsFiles;
use crate::host;
use crate::process::Daemon;

/// Tries for a port when another process took the free one before the server could.
const PORT_TRIES: u32 = 5;

/// A running PostgreSQL cluster that ends with this value.
#[derive(Debug)]
pub struct Postgres {
    daemon: Daemon,
    installation: Installation,
    port: u16,
    tcp: bool,
    tls: Option<TlsFiles>,
    password: Option<String>,
}

impl Postgres {
    /// A cluster that listens on its unix socket only.
    ///
    /// # Panics
    /// When it does not start, also when PostgreSQL is not installed. Tests prefer `require!(Postgres::try_start())`.
    #[expect(
        clippy::must_use_candidate,
        reason = "a cluster may be started only to see that it starts"
    )]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A cluster that listens on its unix socket only; for [`require!`](crate::require).
    ///
    /// # Errors
    /// [`Missing`](crate::Missing) when PostgreSQL is not installed, else why it did not start.
    pub fn try_start() -> Result<Self> {
        Self::builder().try_start()
    }

    /// Options first, then `.start()` or `.try_start()`.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// URL of `database` over the unix socket: `postgresql://postgres@/db?host=%2Ftmp%2F…&port=5432`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as(self.superuser(), database)
    }

    /// [`Postgres::url`] for another role. The socket asks nobody for a password.
    #[must_use]
    pub fn url_as(&self, role: &str, database: &str) -> String {
        format!(
            "postgresql://{}@/{}?host={}&port={}",
            client::percent_encode(role),
            client::percent_encode(database),
            client::percent_encode(&self.socket_dir().display().to_string()),
            self.port,
        )
    }

    /// URL of `database` over TCP, with the password of [`Builder::scram`]: `postgresql://postgres:secret@127.0.0.1:40123/db`.
    ///
    /// # Panics
    /// When the cluster was built without TCP.
    #[must_use]
    pub fn tcp_url(&self, database: &str) -> String {
        assert!(
            self.tcp,
            "this cluster has no TCP port; build it with Postgres::builder().tcp()"
        );
        self.tcp_url_to("127.0.0.1", self.port, database)
    }

    /// [`Postgres::tcp_url`] with another host and port, such as those of a [`Proxy`](crate::proxy::Proxy).
    #[must_use]
    pub fn tcp_url_to(&self, host: &str, port: u16, database: &str) -> String {
        let password = self.password.as_deref().map_or_else(String::new, |password| {
            format!(":{}", client::percent_encode(password))
        });
        format!(
            "postgresql://{}{password}@{host}:{port}/{}",
            self.superuser(),
            client::percent_encode(database)
        )
    }

    /// URL of `database` over TCP to `localhost` with `sslmode=verify-full` and the authority's certificate.
    ///
    /// # Panics
    /// When the cluster was built without TLS.
    #[must_use]
    pub fn tls_url(&self, database: &str) -> String {
        let ca = client::percent_encode(&self.ca_pem_path().display().to_string());
        let url = self.tcp_url_to("localhost", self.port, database);
        format!("{url}?sslmode=verify-full&sslrootcert={ca}")
    }

    /// The certificate of the authority that signed the server's, as a PEM file.
    ///
    /// # Panics
    /// When the cluster was built without TLS.
    #[must_use]
    pub fn ca_pem_path(&self) -> &Path {
        match &self.tls {
            Some(files) => &files.ca_pem_path,
            None => panic!("this cluster has no TLS; build it with Postgres::builder().tls()"),
        }
    }

    /// The superuser's name, `postgres`.
    #[must_use]
    pub fn superuser(&self) -> &'static str {
        template::SUPERUSER
    }

    /// The folder with the unix socket: what libpq calls `host`.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.daemon.workdir.path()
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.socket_dir().join("data")
    }

    /// The TCP port, and the number in the socket's name.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with `psql`, `pg_dump` and the others of this server's version.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        &self.installation.bin_dir
    }

    /// Major version, such as 15.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.installation.major
    }

    /// Full version, such as `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.installation.version
    }

    /// Keeps the data and the log in [`Postgres::socket_dir`] when the server ends well, too.
    pub fn keep(&mut self) {
        self.daemon.workdir.keep();
    }

    /// What the server has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs_err::read_to_string(self.daemon.log_path()).unwrap_or_default()
    }

    /// Creates an empty database.
    ///
    /// # Panics
    /// When it exists already.
    pub fn create_database(&self, name: &str) {
        self.psql(
            "postgres",
            &format!(
                "create database {} template template0",
                client::quote_identifier(name)
            ),
        );
    }

    /// Drops a database and everybody's connections to it.
    ///
    /// # Panics
    /// When there is no such database.
    pub fn drop_database(&self, name: &str) {
        self.psql(
            "postgres",
            &format!("drop database {} with (force)", client::quote_identifier(name)),
        );
    }

    /// Runs SQL (psql commands such as `\if` work too) as the superuser, each statement in its own transaction. Gives the
    /// rows with `|` between columns and without the last newline.
    ///
    /// # Panics
    /// At the first error, with psql's output.
    #[expect(clippy::must_use_candidate, reason = "most scripts give nothing back")]
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.try_psql(database, sql)
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// [`Postgres::psql`] for SQL that may fail.
    ///
    /// # Errors
    /// psql's output.
    pub fn try_psql(&self, database: &str, sql: &str) -> Result<String> {
        self.psql_url(&self.url(database), sql)
    }

    /// [`Postgres::try_psql`] with a URL of one's own: another role, TCP, a proxy.
    ///
    /// # Errors
    /// psql's output.
    pub fn psql_url(&self, url: &str, sql: &str) -> Result<String> {
        client::psql(self.bin_dir(), url, &[], sql)
    }

    /// Runs a script file, as [`Postgres::psql`] does.
    ///
    /// # Panics
    /// At the first error, with psql's output.
    pub fn psql_file(&self, database: &str, file: &Path) -> String {
        let script = fs_err::read_to_string(file).unwrap_or_else(|error| panic!("{error}"));
        self.psql(database, &script)
    }

    /// Starts the server for the first time, on another port when somebody took ours.
    fn first_start(&mut self) -> Result<()> {
        for attempt in 1.. {
            if self.tcp {
                self.port = host::free_port()?;
            }
            match self.launch() {
                Err(error) if attempt < PORT_TRIES && self.log().contains("Address already in use") => {
                    let _ = error;
                }
                result => return result,
            }
        }
        Ok(())
    }

    /// Starts the server and waits until it takes connections: the eighth line of its pid file says `ready` then.
    fn launch(&mut self) -> Result<()> {
        let data = self.data_dir();
        let pid_file = data.join("postmaster.pid");
        // A killed server leaves its file, which says ready too.
        match fs_err::remove_file(&pid_file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut command = client::clean(
            Command::new(self.bin_dir().join("postgres")),
            self.daemon.workdir.path(),
        );
        command.arg("-D").arg(&data).arg("-p").arg(self.port.to_string());
        self.daemon.spawn(command)?;
        self.daemon
            .wait_until(|| {
                let text = fs_err::read_to_string(&pid_file).unwrap_or_default();
                text.lines().nth(7).is_some_and(|line| line.trim() == "ready")
            })
            .context("PostgreSQL did not start")
    }
}

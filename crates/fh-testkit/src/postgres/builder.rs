//! How a cluster shall be: with or without TCP, TLS, passwords, extra settings.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use rustix::process::Signal;

use super::client::clean;
use super::discover::{self, Installation};
use super::{Postgres, template};
use crate::certs::TlsFiles;
use crate::host;
use crate::process::{Daemon, Workdir};

/// The socket's file name needs some port number; without TCP nobody else sees it.
const SOCKET_PORT: u16 = 5432;

/// Options of a throw-away cluster; see [`Postgres::builder`].
#[derive(Debug, Default)]
pub struct Builder {
    tcp: bool,
    tls: Option<TlsFiles>,
    tls_wanted: bool,
    tls_required: bool,
    scram: Option<String>,
    settings: Vec<(String, String)>,
    major: Option<u32>,
}

impl Builder {
    /// Also listen on 127.0.0.1, on a free port. Without this there is only the unix socket.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// TLS on TCP with a certificate for `localhost` and `127.0.0.1`, signed by a new authority
    /// ([`Postgres::ca_pem_path`]). Plain connections stay possible.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls_wanted = true;
        self.tcp()
    }

    /// TLS with these files, for example an expired certificate or one for another host.
    #[must_use]
    pub fn tls_with(mut self, files: TlsFiles) -> Self {
        self.tls = Some(files);
        self.tls()
    }

    /// TLS, and plain TCP connections are rejected (`hostnossl … reject`).
    #[must_use]
    pub fn tls_only(mut self) -> Self {
        self.tls_required = true;
        self.tls()
    }

    /// TCP connections need this password of the superuser, by SCRAM-SHA-256. The unix socket stays open to everyone.
    #[must_use]
    pub fn scram(mut self, password: &str) -> Self {
        self.scram = Some(password.to_owned());
        self.tcp()
    }

    /// One more line of postgresql.conf. The value is quoted here.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// This major version instead of the preferred installation.
    #[must_use]
    pub fn major(mut self, major: u32) -> Self {
        self.major = Some(major);
        self
    }

    /// Starts the cluster.
    ///
    /// # Panics
    /// When that fails, also when PostgreSQL is not installed.
    #[expect(
        clippy::must_use_candidate,
        reason = "a cluster may be started only to see that it starts"
    )]
    pub fn start(self) -> Postgres {
        self.try_start().unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Starts the cluster; for [`require!`](crate::require).
    ///
    /// # Errors
    /// [`Missing`](crate::Missing) when PostgreSQL is not installed, else why it did not start.
    pub fn try_start(mut self) -> Result<Postgres> {
        let installation = discover::find(self.major, self.tls_wanted)?;
        let workdir = Workdir::new("PostgreSQL", "fh-pg-", "QUIT", host::server_user())?;
        let data = workdir.path().join("data");
        template::copy_to(&installation, &data)?;
        if self.tls_wanted && self.tls.is_none() {
            self.tls = Some(TlsFiles::for_localhost()?);
        }
        self.write_files(&data, workdir.path(), &installation)?;
        let daemon = Daemon::new(workdir, Signal::QUIT);
        let mut postgres = Postgres {
            daemon,
            installation,
            port: SOCKET_PORT,
            tcp: self.tcp,
            tls: self.tls,
            password: None,
        };
        postgres.first_start()?;
        if let Some(password) = self.scram {
            let quoted = password.replace('\'', "''");
            let sql =
                format!("set password_encryption = 'scram-sha-256'; alter role postgres password '{quoted}'");
            postgres.try_psql("postgres", &sql)?;
            postgres.password = Some(password);
        }
        Ok(postgres)
    }

    /// Writes postgresql.conf's additions, pg_hba.conf and the TLS files.
    fn write_files(&self, data: &Path, socket_dir: &Path, installation: &Installation) -> Result<()> {
        let mut conf = fs_err::read_to_string(data.join("postgresql.conf"))?;
        let mut set = |key: &str, value: &str| {
            let _ = writeln!(conf, "{key} = '{}'", value.replace('\'', "''"));
        };
        set("unix_socket_directories", &socket_dir.display().to_string());
        set("unix_socket_permissions", "0777");
        set("listen_addresses", if self.tcp { "127.0.0.1" } else { "" });
        // Nothing here outlives the test, so nothing needs to reach the disk. `synchronous_commit` stays on: what was
        // committed must survive `kill9`.
        for key in ["fsync", "full_page_writes", "autovacuum"] {
            set(key, "off");
        }
        set("shared_buffers", "16MB");
        set("max_connections", "50");
        set("max_wal_size", "2GB");
        set("timezone", "UTC");
        set("log_timezone", "UTC");
        set("log_line_prefix", "%m [%p] %q%u@%d %a: ");
        if let Some(files) = &self.tls {
            let own = |name: &str, pem: &str| -> Result<()> {
                let path = data.join(name);
                fs_err::write(&path, pem)?;
                fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
                template::give(&path, host::server_user())
            };
            own("server.crt", &files.identity.cert_pem)?;
            own("server.key", &files.identity.key_pem)?;
            set("ssl", "on");
        }
        for (key, value) in &self.settings {
            set(key, value);
        }
        fs_err::write(data.join("postgresql.conf"), conf)?;
        let method = if self.scram.is_some() {
            "scram-sha-256"
        } else {
            "trust"
        };
        let plain = if self.tls_required {
            "hostnossl all all all reject\n"
        } else {
            ""
        };
        let hba = format!(
            "local all all trust\nlocal replication all trust\n{plain}host all all 127.0.0.1/32 {method}\n"
        );
        fs_err::write(data.join("pg_hba.conf"), hba)?;
        // A wrong `setting` is better told by the server itself, before the start is retried.
        let check = clean(Command::new(installation.bin_dir.join("postgres")), data)
            .args(["-C", "listen_addresses", "-D"])
            .arg(data)
            .output()?;
        anyhow::ensure!(
            check.status.success(),
            "PostgreSQL rejects its settings:\n{}",
            String::from_utf8_lossy(&check.stderr)
        );
        Ok(())
    }
}

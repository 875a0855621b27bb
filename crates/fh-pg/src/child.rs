//! The environment for `pg_dump`, `pg_restore` and `psql`, so that they reach the same server as we do, as the same
//! role, with the same checks, and without a secret in their arguments or environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use fh_core::{Context as _, Result};
use tempfile::TempDir;

use crate::passfile;
use crate::target::{ChannelBinding, ConnectionString, Place, RootCert, SessionAttrs, SslMode};
use crate::tls::bundle_pem;

/// Variables and files of a child process. The files are removed with this value: keep it until the child has ended.
#[derive(Debug)]
pub struct ChildEnvironment {
    variables: BTreeMap<&'static str, OsString>,
    folder: TempDir,
}

/// The environment with which a program of libpq connects to `target`. Give it what
/// [`Connection::target`](crate::Connection::target) returns when it must be the same server.
///
/// The password is in a file of mode 0600 (`PGPASSFILE`), certificates of ours are in another (`PGSSLROOTCERT`).
/// Programs need the database's name only when they demand one.
///
/// # Errors
/// Exit code 3 when the files cannot be written, 2 when a file of certificates cannot be read.
pub fn child_environment(target: &ConnectionString) -> Result<ChildEnvironment> {
    let folder = tempfile::Builder::new()
        .prefix("fh-pg-")
        .tempdir()
        .or_unable(|| "cannot make a temporary folder for the password file")?;
    let mut environment = ChildEnvironment {
        variables: BTreeMap::new(),
        folder,
    };
    environment.place(target);
    environment.tls(target)?;
    environment.password(target)?;
    environment.rest(target);
    Ok(environment)
}

impl ChildEnvironment {
    /// Sets up a command: every other `PG…` variable is removed, messages are in English.
    pub fn apply(&self, command: &mut std::process::Command) {
        for name in foreign_variables() {
            command.env_remove(name);
        }
        command.envs(&self.variables);
    }

    /// [`ChildEnvironment::apply`] for a command of tokio.
    pub fn apply_tokio(&self, command: &mut tokio::process::Command) {
        self.apply(command.as_std_mut());
    }

    /// The variables, which hold no secret.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.variables.iter().map(|(name, value)| (*name, value))
    }

    fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.variables.insert(name, value.into());
    }

    fn place(&mut self, target: &ConnectionString) {
        let list = |text: &dyn Fn(&crate::target::Server) -> String| {
            target.servers.iter().map(text).collect::<Vec<_>>().join(",")
        };
        self.set(
            "PGHOST",
            list(&|server| match &server.place {
                Place::Tcp { host, .. } => host.clone(),
                Place::Socket(folder) => folder.display().to_string(),
            }),
        );
        let address = |server: &crate::target::Server| match &server.place {
            Place::Tcp {
                address: Some(address),
                ..
            } => address.to_string(),
            _ => String::new(),
        };
        if target.servers.iter().any(|server| !address(server).is_empty()) {
            self.set("PGHOSTADDR", list(&address));
        }
        self.set("PGPORT", list(&|server| server.port.to_string()));
        self.set("PGUSER", &target.user);
        self.set("PGDATABASE", &target.database);
    }

    /// libpq knows one `sslmode` for all hosts, so the strongest that any of them needs applies.
    fn tls(&mut self, target: &ConnectionString) -> Result<()> {
        let over_tcp = target
            .servers
            .iter()
            .filter(|server| matches!(server.place, Place::Tcp { .. }));
        let mode = over_tcp
            .map(|server| target.ssl_mode(server))
            .max()
            .unwrap_or(SslMode::Prefer);
        self.set("PGSSLMODE", mode.as_str());
        let roots = match (mode, target.root_cert()) {
            (SslMode::VerifyCa | SslMode::VerifyFull, RootCert::File(file)) => file,
            // "system" is new in libpq 16, and no libpq knows the authorities of RDS.
            (SslMode::VerifyCa | SslMode::VerifyFull, source) => {
                self.write("roots.pem", bundle_pem(&source)?.as_bytes())?
            }
            // A file that exists would turn the weaker modes into verify-ca.
            _ => self.folder.path().join("none.pem"),
        };
        self.set("PGSSLROOTCERT", roots);
        // The same for the client's certificate: ours or none.
        let (cert, key) = target.tls.client_cert.clone().unwrap_or_else(|| {
            let none = self.folder.path().join("none.crt");
            (none.clone(), none)
        });
        self.set("PGSSLCERT", cert);
        self.set("PGSSLKEY", key);
        if target.tls.direct {
            self.set("PGSSLNEGOTIATION", "direct");
        }
        if !target.tls.sni {
            self.set("PGSSLSNI", "0");
        }
        match target.tls.versions {
            (true, false) => self.set("PGSSLMAXPROTOCOLVERSION", "TLSv1.2"),
            (false, true) => self.set("PGSSLMINPROTOCOLVERSION", "TLSv1.3"),
            _ => {}
        }
        match target.channel_binding {
            ChannelBinding::Disable => self.set("PGCHANNELBINDING", "disable"),
            ChannelBinding::Require => self.set("PGCHANNELBINDING", "require"),
            ChannelBinding::Prefer => {}
        }
        // We never use Kerberos, so neither shall the child, which else tries it before TLS.
        self.set("PGGSSENCMODE", "disable");
        Ok(())
    }

    /// One line for each server. An empty file keeps libpq from looking into the user's.
    fn password(&mut self, target: &ConnectionString) -> Result<()> {
        let mut lines = String::new();
        for server in &target.servers {
            let password = target
                .password
                .clone()
                .or_else(|| passfile::look_up(target, server));
            let Some(password) = password else { continue };
            let host = match &server.place {
                Place::Tcp { host, .. } => host.clone(),
                // Whether libpq calls a folder `localhost` depends on how it was built.
                Place::Socket(_) => String::new(),
            };
            let mut line = passfile::line(
                &host,
                server.port,
                &target.database,
                &target.user,
                password.expose(),
            );
            if host.is_empty() {
                line.insert(0, '*');
            }
            lines.push_str(&line);
        }
        let file = self.write("passwords", lines.as_bytes())?;
        self.set("PGPASSFILE", file);
        Ok(())
    }

    fn rest(&mut self, target: &ConnectionString) {
        if let Some(options) = &target.options {
            self.set("PGOPTIONS", options);
        }
        if let Some(name) = &target.application_name {
            self.set("PGAPPNAME", name);
        }
        // libpq would wait for ever without one.
        let timeout = target
            .connect_timeout
            .map_or(10, |timeout| timeout.as_secs().max(2));
        self.set("PGCONNECT_TIMEOUT", timeout.to_string());
        // Versions before 14 know the first three words only, and fail on the others as they should.
        let attrs = match target.session_attrs {
            SessionAttrs::Any => None,
            SessionAttrs::ReadWrite => Some("read-write"),
            SessionAttrs::ReadOnly => Some("read-only"),
            SessionAttrs::Primary => Some("primary"),
            SessionAttrs::Standby => Some("standby"),
            SessionAttrs::PreferStandby => Some("prefer-standby"),
        };
        if let Some(attrs) = attrs {
            self.set("PGTARGETSESSIONATTRS", attrs);
        }
        self.set("PGCLIENTENCODING", "UTF8");
        self.set("PG_COLOR", "never");
        self.set("LC_ALL", "C");
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        write_private(&path, content).or_unable(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)
}

/// Variables of this process that would change what a child does.
fn foreign_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        name.to_str()
            .is_some_and(|name| name.starts_with("PG") || name.starts_with("PSQL") || name == "LANGUAGE")
    })
}

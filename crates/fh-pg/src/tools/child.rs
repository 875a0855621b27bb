//! The environment of a libpq program: where to connect, with the password in a file that only we can read.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use fh_core::{Context as _, Result};

use crate::connect::password;
use crate::passfile;
use crate::target::{ConnectionString, Place, Server, SslMode};
use crate::tls::bundle_pem;

/// Variables for a child process, and the files they name. The files go when this is dropped: keep it until the child
/// has ended.
#[derive(Debug)]
pub struct ChildEnvironment {
    set: Vec<(&'static str, OsString)>,
    remove: Vec<OsString>,
    _files: tempfile::TempDir,
}

/// Makes the environment of a child that connects to the first server of `target`. Neither arguments nor variables hold
/// a secret: other users can see both.
///
/// # Errors
/// Exit code 3 when the temporary files cannot be written.
pub async fn child_environment(target: &ConnectionString) -> Result<ChildEnvironment> {
    let files = tempfile::Builder::new()
        .prefix("fh-pg-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .or_unable(|| "cannot make a temporary folder for the PostgreSQL programs")?;
    let server = &target.servers[0];
    let mode = target.ssl_mode(server);
    let (host, address) = match &server.place {
        Place::Tcp { host, address } => (OsString::from(host), *address),
        Place::Socket(folder) => (folder.clone().into_os_string(), None),
    };
    let mut set: Vec<(&'static str, OsString)> = vec![
        ("PGHOST", host),
        ("PGPORT", server.port.to_string().into()),
        ("PGUSER", target.user.clone().into()),
        ("PGDATABASE", target.database.clone().into()),
        ("PGSSLMODE", mode.as_str().into()),
        // English messages, whatever the operator's language: they are shown beside ours.
        ("LC_ALL", "C".into()),
    ];
    if let Some(address) = address {
        set.push(("PGHOSTADDR", address.to_string().into()));
    }
    let text = |variable, value: &Option<String>| value.as_ref().map(|value| (variable, OsString::from(value)));
    set.extend(text("PGOPTIONS", &target.options));
    set.extend(text("PGAPPNAME", &target.application_name));
    if let Some(wait) = target.connect_timeout {
        set.push(("PGCONNECT_TIMEOUT", wait.as_secs().to_string().into()));
    }
    if let Some((certificate, key)) = &target.tls.client_cert {
        set.push(("PGSSLCERT", certificate.into()));
        set.push(("PGSSLKEY", key.into()));
    }
    if mode >= SslMode::VerifyCa {
        set.push(("PGSSLROOTCERT", write(&files, "roots.pem", bundle_pem(&target.root_cert())?.as_bytes())?));
    }
    // Always a file of ours, even an empty one, so that the child does not find another password in the user's.
    let line = match password(target, server, mode).await? {
        Some(password) => {
            passfile::line(&passfile_host(server), server.port, &target.database, &target.user, password.expose())
        }
        None => String::new(),
    };
    set.push(("PGPASSFILE", write(&files, "pgpass", line.as_bytes())?));
    let remove = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("PG"))
        .chain(["DATABASE_URL".into()])
        .collect();
    Ok(ChildEnvironment { set, remove, _files: files })
}

fn write(files: &tempfile::TempDir, name: &str, content: &[u8]) -> Result<OsString> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    let path = files.path().join(name);
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(&path)
        .and_then(|mut file| file.write_all(content))
        .or_unable(|| "cannot write a temporary file for the PostgreSQL programs")?;
    Ok(path.into_os_string())
}

/// The server's name in the password file: sockets in libpq's default folder are `localhost` (PostgreSQL manual, 34.16),
/// and which folder that is depends on how libpq was built; a star fits every build.
fn passfile_host(server: &Server) -> String {
    match &server.place {
        Place::Tcp { host, .. } => host.clone(),
        Place::Socket(_) => "*".into(),
    }
}

impl ChildEnvironment {
    /// Gives the environment to a command.
    pub fn apply(&self, command: &mut Command) {
        for name in &self.remove {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }

    /// Gives the environment to an asynchronous command.
    pub fn apply_tokio(&self, command: &mut tokio::process::Command) {
        self.apply(command.as_std_mut());
    }
}

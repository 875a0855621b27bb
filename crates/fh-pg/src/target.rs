//! Where to connect, as whom, and how much TLS to insist on: a connection string with every default filled in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fh_core::Secret;

use crate::password::PasswordSource;
use crate::tls::is_rds_host;

/// One server to try. libpq takes several and uses the first that accepts (PostgreSQL manual, 34.1.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// How to reach it.
    pub place: Place,
    /// TCP port, or the number in the name of the socket file.
    pub port: u16,
}

/// How to reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Over TCP.
    Tcp {
        /// Name or address as given: TLS checks the certificate against it.
        host: String,
        /// `hostaddr`: the address to connect to, when it is not to be looked up.
        address: Option<std::net::IpAddr>,
    },
    /// Through the Unix socket in this folder.
    Socket(PathBuf),
}

impl std::fmt::Display for Server {
    /// `host:port`, or the socket's folder and number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Place::Tcp { host, .. } if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Place::Tcp { host, .. } => write!(f, "{host}:{}", self.port),
            Place::Socket(folder) => write!(f, "{}:{}", folder.display(), self.port),
        }
    }
}

/// `sslmode` of libpq (PostgreSQL manual, 34.19.1), weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only if the server insists.
    Allow,
    /// TLS if the server offers it.
    Prefer,
    /// TLS, without checking who the server is.
    Require,
    /// TLS, with a certificate of a known authority.
    VerifyCa,
    /// TLS, with a certificate of a known authority for this host.
    VerifyFull,
}

impl SslMode {
    /// libpq's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// Which certificate authorities are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCert {
    /// Nothing given: the authorities of the system and those of Amazon RDS.
    Default,
    /// `sslrootcert=system`: those of the system only.
    System,
    /// `sslrootcert=FILE`: those of the file only.
    File(PathBuf),
}

/// `target_session_attrs` of libpq.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionAttrs {
    /// Any server will do.
    Any,
    /// One that accepts writes.
    ReadWrite,
    /// One that does not.
    ReadOnly,
    /// One that is not in recovery.
    Primary,
    /// One that is.
    Standby,
    /// A standby if there is one, any server otherwise.
    PreferStandby,
}

/// `channel_binding` of libpq: whether SCRAM must tie the login to the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

/// TCP keepalives. The defaults are short, because load balancers and NAT gateways forget idle connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keepalives {
    pub(crate) on: bool,
    pub(crate) idle: Duration,
    pub(crate) interval: Duration,
    pub(crate) count: u32,
    /// `tcp_user_timeout`: how long sent data may stay unacknowledged.
    pub(crate) user_timeout: Option<Duration>,
}

impl Default for Keepalives {
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Self {
            on: true,
            idle: ten,
            interval: ten,
            count: 60,
            user_timeout: None,
        }
    }
}

/// Everything about TLS but the mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsOptions {
    pub(crate) root_cert: RootCert,
    /// `~/.postgresql/root.crt`, when it exists: used when nothing else is given.
    pub(crate) home_root_cert: Option<PathBuf>,
    /// Client certificate and key files (PEM).
    pub(crate) client_cert: Option<(PathBuf, PathBuf)>,
    /// `sslnegotiation=direct`: begin with the handshake, without asking first.
    pub(crate) direct: bool,
    /// `sslsni`: tell the server the host name in the clear part of the handshake.
    pub(crate) sni: bool,
    /// Whether TLS 1.2 and 1.3 may be used.
    pub(crate) versions: (bool, bool),
}

/// A connection string with every default filled in.
#[derive(Debug, Clone)]
pub struct ConnectionString {
    pub(crate) servers: Vec<Server>,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) password_source: Option<Arc<dyn PasswordSource>>,
    /// `.pgpass`, read when a password is needed: it may have one for each server and database.
    pub(crate) passfile: Option<PathBuf>,
    pub(crate) database: String,
    /// `None` when nobody said: libpq's default is `prefer`.
    pub(crate) ssl_mode: Option<SslMode>,
    /// `ssl_mode` is what a session has reached: take it as it is.
    pub(crate) exact_mode: bool,
    pub(crate) tls: TlsOptions,
    pub(crate) channel_binding: ChannelBinding,
    /// `options`: command-line options for the server process.
    pub(crate) options: Option<String>,
    pub(crate) application_name: Option<String>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) session_attrs: SessionAttrs,
    pub(crate) keepalives: Keepalives,
    /// `load_balance_hosts=random`.
    pub(crate) any_order: bool,
}

impl ConnectionString {
    /// The servers, in the order in which they are tried. Never empty.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Name of the role.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Name of the database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The same server and role with another database.
    #[must_use]
    pub fn with_database(&self, name: impl Into<String>) -> Self {
        Self {
            database: name.into(),
            ..self.clone()
        }
    }

    /// The same server and database in the role `name`, which the log-in role must be a member of: `SET ROLE` for every
    /// session and child process, as a start-up option of libpq (PostgreSQL manual, 34.1.2, `options`).
    #[must_use]
    pub fn with_role(&self, name: &str) -> Self {
        let mut option = String::from("-c role=");
        for letter in name.chars() {
            if letter.is_whitespace() || letter == '\\' {
                option.push('\\');
            }
            option.push(letter);
        }
        let options = match &self.options {
            Some(before) => format!("{before} {option}"),
            None => option,
        };
        Self {
            options: Some(options),
            ..self.clone()
        }
    }

    /// The same with certificate authorities from the configuration, unless the connection string names some.
    #[must_use]
    pub fn with_root_cert(&self, file: Option<PathBuf>) -> Self {
        let mut target = self.clone();
        if let (Some(file), RootCert::Default) = (file, &self.tls.root_cert) {
            target.tls.root_cert = RootCert::File(file);
        }
        target
    }

    /// The same with this password.
    #[must_use]
    pub fn with_password(&self, password: Secret) -> Self {
        Self {
            password: Some(password),
            password_source: None,
            ..self.clone()
        }
    }

    /// The same with passwords made for each session.
    #[must_use]
    pub fn with_password_source(&self, source: Arc<dyn PasswordSource>) -> Self {
        Self {
            password_source: Some(source),
            ..self.clone()
        }
    }

    /// The `sslmode` that applies to `server`.
    ///
    /// It is what the connection string says, but never weaker than what libpq or we know to be meant:
    /// a given root certificate turns `require` into `verify-ca` (PostgreSQL manual, 34.19.1), `sslrootcert=system` turns
    /// everything into `verify-full`, and so does a host of Amazon RDS for `require` and for no `sslmode` at all, because
    /// we have the certificates of its authorities. Unix sockets never use TLS.
    #[must_use]
    pub fn ssl_mode(&self, server: &Server) -> SslMode {
        let Place::Tcp { host, .. } = &server.place else {
            return SslMode::Disable;
        };
        if self.exact_mode {
            return self.ssl_mode.unwrap_or(SslMode::Prefer);
        }
        let roots = self.root_cert();
        let given = match self.ssl_mode {
            // Passwords that are made for a session go over the line as they are.
            None | Some(SslMode::Allow | SslMode::Prefer) if self.password_source.is_some() => {
                Some(SslMode::Require)
            }
            given => given,
        };
        match given {
            None if roots == RootCert::System => SslMode::VerifyFull,
            None | Some(SslMode::Require) if roots == RootCert::Default && is_rds_host(host) => {
                SslMode::VerifyFull
            }
            Some(SslMode::Require) if matches!(roots, RootCert::File(_)) => SslMode::VerifyCa,
            given => given.unwrap_or(SslMode::Prefer),
        }
    }

    /// The certificate authorities that apply.
    #[must_use]
    pub fn root_cert(&self) -> RootCert {
        match (&self.tls.root_cert, &self.tls.home_root_cert) {
            (RootCert::Default, Some(file)) => RootCert::File(file.clone()),
            (given, _) => given.clone(),
        }
    }

    /// `postgres://user@host:port/database` for reports and messages: never the password.
    #[must_use]
    pub fn redacted(&self) -> String {
        format!("postgres://{}@{}/{}", self.user, self.place(), self.database)
    }

    /// `host:port`, or the socket folder; several are separated by commas.
    #[must_use]
    pub fn place(&self) -> String {
        self.servers
            .iter()
            .map(Server::to_string)
            .collect::<Vec<_>>()
            .join(",")
    }
}

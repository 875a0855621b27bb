//! From a connection string to a session that is logged in.

pub(crate) mod attempt;
mod explain;
mod failure;
mod merging;
mod socket;

use std::time::Duration;

use fh_core::{Deadline, Error, Result};
use tokio_postgres::SimpleQueryMessage;

use attempt::{Opened, attempt, library_config};
pub(crate) use attempt::{Route, rustls_connect};
use explain::{Origin, explain, explain_all};
use failure::{Failure, Next};
pub(crate) use socket::{Address, ask_for_tls, dial};

use crate::connection::Connection;
use crate::passfile;
use crate::target::{ConnectionString, Place, Server, SessionAttrs, SslMode};
use crate::tls::{Proven, TlsState};

/// How to connect, beyond what the connection string says.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// How long one server may take from the look-up of its name to the end of the log-in. The connection string's own
    /// `connect_timeout` comes first.
    pub connect_timeout: Duration,
    /// When the whole run must be over.
    pub deadline: Deadline,
    /// What `pg_stat_activity` shows when the connection string does not say.
    pub application_name: String,
    /// Whether the rows of a `COPY … TO STDOUT` may come many at a time, which is several times as fast for short ones. For
    /// readers of COPY's text format, whose rows end with a newline and hold no other.
    pub merge_rows: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            deadline: Deadline::never(),
            application_name: "financehub".into(),
            merge_rows: false,
        }
    }
}

/// Connects to the first server that accepts, in the order and by the rules of libpq (PostgreSQL manual, 34.1.1.3): the
/// next one is tried when a server cannot be reached, is starting up or is of the wrong kind, not when it rejects the
/// log-in.
///
/// Connecting without TLS although TLS was preferred is said in [`Connection::tls`] and in a warning.
///
/// # Errors
/// Exit code 3 with server, role and database, never the password; exit code 2 when a certificate file is unusable.
pub async fn connect(target: &ConnectionString, options: &ConnectOptions) -> Result<Connection> {
    if target.session_attrs == SessionAttrs::PreferStandby {
        let standby = ConnectionString {
            session_attrs: SessionAttrs::Standby,
            ..target.clone()
        };
        if let Ok(connection) = connect_in_order(&standby, options).await {
            return Ok(connection);
        }
        let any = ConnectionString {
            session_attrs: SessionAttrs::Any,
            ..target.clone()
        };
        return connect_in_order(&any, options).await;
    }
    connect_in_order(target, options).await
}

async fn connect_in_order(target: &ConnectionString, options: &ConnectOptions) -> Result<Connection> {
    let mut servers: Vec<&Server> = target.servers.iter().collect();
    if target.any_order {
        let start = std::time::UNIX_EPOCH
            .elapsed()
            .map_or(0, |now| now.subsec_nanos() as usize)
            % servers.len();
        servers.rotate_left(start);
    }
    let mut errors: Vec<(String, Error)> = Vec::new();
    for server in servers {
        let (password, origin) = password(target, server).await?;
        let wanted = target.connect_timeout.unwrap_or(options.connect_timeout);
        let limit = options
            .deadline
            .bound(wanted, &format!("connecting to PostgreSQL at {server}"))?;
        let mut config = library_config(target, &options.application_name);
        if let Some(password) = &password {
            config.password(password.expose());
        }
        let outcome =
            tokio::time::timeout(limit, try_server(target, server, &config, options.merge_rows)).await;
        match outcome.unwrap_or(Err(Failure::TimedOut(limit))) {
            Ok(opened) => {
                warn_when_plain(&opened, server);
                let narrowed = narrow(target, server, &opened, password);
                return Connection::new(opened, narrowed);
            }
            Err(failure) => {
                let stop = failure.next() == Next::Nothing;
                let error = explain(failure, target, server, &origin);
                if stop {
                    return Err(error);
                }
                errors.push((server.to_string(), error));
            }
        }
    }
    match errors.pop() {
        Some((_, only)) if errors.is_empty() => Err(only),
        Some(last) => {
            errors.push(last);
            Err(explain_all(errors, target))
        }
        None => Err(Error::usage("the connection string names no server")),
    }
}

/// Tries every address of a server.
async fn try_server(
    target: &ConnectionString,
    server: &Server,
    config: &tokio_postgres::Config,
    merge_rows: bool,
) -> Result<Opened, Failure> {
    let mut last = None;
    for address in socket::addresses(server).await.map_err(Failure::LookUp)? {
        match attempt(target, server, &address, config, merge_rows).await {
            Ok(opened) => {
                check_kind(&opened, target.session_attrs).await?;
                return Ok(opened);
            }
            Err(failure) if failure.next() == Next::Address => last = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    Err(last.unwrap_or_else(|| Failure::LookUp(std::io::Error::other("the name has no address"))))
}

/// The password for one server, with where it came from.
async fn password(target: &ConnectionString, server: &Server) -> Result<(Option<fh_core::Secret>, Origin)> {
    if let Some(source) = &target.password_source {
        let host = match &server.place {
            Place::Tcp { host, .. } => host.clone(),
            Place::Socket(folder) => folder.display().to_string(),
        };
        if matches!(server.place, Place::Tcp { .. }) && target.ssl_mode(server) == SslMode::Disable {
            return Err(Error::usage(format!(
                "sslmode=disable would send a password token to {server} in clear"
            ))
            .hint("leave sslmode out, or say sslmode=verify-full"));
        }
        return Ok((
            Some(source.password(&host, server.port, &target.user).await?),
            Origin::Source,
        ));
    }
    if let Some(password) = &target.password {
        return Ok((Some(password.clone()), Origin::Given));
    }
    Ok(match (passfile::look_up(target, server), &target.passfile) {
        (Some(password), Some(file)) => (Some(password), Origin::Passfile(file.clone())),
        _ => (None, Origin::None),
    })
}

/// Checks `target_session_attrs`.
async fn check_kind(opened: &Opened, attrs: SessionAttrs) -> Result<(), Failure> {
    let wanted = match attrs {
        SessionAttrs::Any | SessionAttrs::PreferStandby => return Ok(()),
        SessionAttrs::ReadWrite => "read-write",
        SessionAttrs::ReadOnly => "read-only",
        SessionAttrs::Primary => "primary",
        SessionAttrs::Standby => "standby",
    };
    let answer = opened
        .client
        .simple_query(
            "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')",
        )
        .await
        .map_err(Failure::from_library)?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0) == Some("t"), row.get(1) == Some("on"))),
        _ => None,
    });
    let fits = row.is_some_and(|(standby, read_only)| match attrs {
        SessionAttrs::ReadWrite => !standby && !read_only,
        SessionAttrs::ReadOnly => standby || read_only,
        SessionAttrs::Primary => !standby,
        SessionAttrs::Standby => standby,
        SessionAttrs::Any | SessionAttrs::PreferStandby => true,
    });
    if fits {
        Ok(())
    } else {
        Err(Failure::WrongKind { wanted })
    }
}

/// Loopback is no exception: behind it there may be a tunnel or a proxy.
fn warn_when_plain(opened: &Opened, server: &Server) {
    let TlsState::Plain { because } = &opened.tls else {
        return;
    };
    if because == "sslmode=disable" {
        tracing::debug!("the session with PostgreSQL at {server} is not encrypted: {because}");
    } else {
        tracing::warn!("the session with PostgreSQL at {server} is not encrypted: {because}");
    }
}

/// The target reduced to the very server and address that answered, with the protection that was reached: for further
/// sessions and child processes that must not end up elsewhere or with less.
fn narrow(
    target: &ConnectionString,
    server: &Server,
    opened: &Opened,
    password: Option<fh_core::Secret>,
) -> ConnectionString {
    let place = match (&server.place, &opened.route.address) {
        (Place::Tcp { host, .. }, Address::Tcp(address)) => Place::Tcp {
            host: host.clone(),
            address: Some(address.ip()),
        },
        (place, _) => place.clone(),
    };
    let reached = match &opened.tls {
        TlsState::Socket => target.ssl_mode,
        TlsState::Plain { .. } => Some(SslMode::Disable),
        TlsState::Encrypted { server: Proven::Host } => Some(SslMode::VerifyFull),
        TlsState::Encrypted {
            server: Proven::Authority,
        } => Some(SslMode::VerifyCa),
        TlsState::Encrypted {
            server: Proven::Nothing,
        } => Some(SslMode::Require),
    };
    ConnectionString {
        servers: vec![Server {
            place,
            port: server.port,
        }],
        password,
        ssl_mode: reached,
        exact_mode: true,
        session_attrs: SessionAttrs::Any,
        ..target.clone()
    }
}

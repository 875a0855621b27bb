//! An open connection, and what is known about it.

use std::ops::Deref;

use fh_core::{Error, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client};

use crate::error::query_error;
use crate::target::{Place, Server, SessionAttrs, SslMode};
use crate::tls::{Proven, TlsState};
use crate::version::ServerVersion;

/// A session. It derefs to the driver's client; dropping it closes the session.
#[derive(Debug)]
pub struct Connection {
    /// Version of the server.
    pub server: ServerVersion,
    /// How it is protected.
    pub tls: TlsState,
    client: Client,
    driver: JoinHandle<()>,
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    pub(super) async fn new<S, T>(
        client: Client,
        connection: tokio_postgres::Connection<S, T>,
        server: &Server,
        mode: SslMode,
        proven: Proven,
    ) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let driver = tokio::spawn(drive(connection));
        let failed = |error| query_error(format!("cannot ask PostgreSQL at {server} for its version"), error);
        let row = client
            .query_one(
                "SELECT current_setting('server_version'),
                        (SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid())",
                &[],
            )
            .await
            .map_err(failed)?;
        let text: String = row.get(0);
        let version = ServerVersion::parse(&text)
            .ok_or_else(|| Error::unable(format!("PostgreSQL at {server} gives no version that is understood: {text:?}")))?;
        let encrypted = row.get::<_, Option<bool>>(1).unwrap_or(false);
        let tls = state(server, mode, encrypted.then_some(proven));
        if let TlsState::Plain { because } = &tls
            && mode != SslMode::Disable
        {
            tracing::warn!("the connection to PostgreSQL at {server} is not encrypted: {because}");
        }
        Ok(Self { server: version, tls, client, driver })
    }

    pub(super) async fn is(&self, wanted: SessionAttrs) -> Result<bool> {
        let expression = match wanted {
            SessionAttrs::Any | SessionAttrs::PreferStandby => return Ok(true),
            SessionAttrs::ReadWrite => "current_setting('transaction_read_only') = 'off'",
            SessionAttrs::ReadOnly => "current_setting('transaction_read_only') = 'on'",
            SessionAttrs::Primary => "NOT pg_catalog.pg_is_in_recovery()",
            SessionAttrs::Standby => "pg_catalog.pg_is_in_recovery()",
        };
        let row = self.client.query_one(&format!("SELECT {expression}"), &[]).await;
        Ok(row.map_err(|error| query_error("cannot ask the server what it is", error))?.get(0))
    }
}

fn state(server: &Server, mode: SslMode, encrypted: Option<Proven>) -> TlsState {
    match (encrypted, &server.place) {
        (Some(server), _) => TlsState::Encrypted { server },
        (None, Place::Socket(_)) => TlsState::Socket,
        (None, Place::Tcp { .. }) => TlsState::Plain {
            because: match mode {
                SslMode::Disable => "sslmode asks for no TLS".into(),
                _ => format!("the server offers no TLS, and sslmode={} accepts that", mode.as_str()),
            },
        },
    }
}

/// Moves bytes until the session ends; what the server says on the way goes to the log.
async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match std::future::poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!("PostgreSQL: {}: {}", notice.severity(), notice.message());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!("the connection to PostgreSQL ended: {error}");
                break;
            }
            None => break,
        }
    }
}

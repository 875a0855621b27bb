//! A session that is logged in.

mod cancel;
pub(crate) mod driver;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

pub use cancel::CancelToken;
use driver::Driver;
use fh_core::{Error, Result};
use tokio_postgres::Client;

use crate::connect::attempt::Opened;
use crate::target::ConnectionString;
use crate::tls::TlsState;
use crate::version::ServerVersion;

/// A session. It is used as the [`Client`] inside; the task that drives it ends with this value.
pub struct Connection {
    client: Client,
    /// The server's version.
    pub server: ServerVersion,
    /// How the session is protected.
    pub tls: TlsState,
    target: ConnectionString,
    cancel: CancelToken,
    driver: Driver,
}

impl Connection {
    pub(crate) fn new(opened: Opened, target: ConnectionString) -> Result<Self> {
        let Opened {
            client,
            driver,
            version,
            tls,
            route,
        } = opened;
        let place = target.place();
        let server = ServerVersion::parse(&version).ok_or_else(|| {
            Error::unable(format!(
                "PostgreSQL at {place} calls its version {version:?}, which is none"
            ))
            .hint("a proxy in between may hide it: connect to the server itself")
        })?;
        let cancel = CancelToken {
            token: client.cancel_token(),
            route,
            keepalives: target.keepalives,
            limit: Duration::from_secs(10),
            place,
        };
        Ok(Self {
            client,
            server,
            tls,
            target,
            cancel,
            driver,
        })
    }

    /// The very server, address, password and protection of this session. Further sessions that must see the same
    /// server (an exported snapshot), and child processes, are given this and not the original connection string, which
    /// may lead elsewhere the next time.
    #[must_use]
    pub fn target(&self) -> &ConnectionString {
        &self.target
    }

    /// For stopping a statement from outside. (It is not the [`Client`]'s, which does not know the way to the server.)
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// Why the session ended by itself, when it did: the server's last words, such as `terminating connection due to
    /// administrator command`.
    #[must_use]
    pub fn lost(&self) -> Option<&str> {
        self.driver.lost.get().map(String::as_str)
    }

    /// Ends the session and waits until the server has been told.
    pub async fn close(self) {
        let Self { client, driver, .. } = self;
        drop(client);
        drop(driver.needed);
        // It cannot fail in a way that matters: the session is over either way.
        let _ = driver.task.await;
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("target", &self.target.redacted())
            .field("server", &self.server)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

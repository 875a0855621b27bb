//! Asking the server to stop a statement.

use std::time::Duration;

use fh_core::{Context as _, Error, Result};
use tokio_postgres::tls::NoTls;

use crate::connect::{Route, ask_for_tls, dial, rustls_connect};
use crate::target::Keepalives;

/// Stops the statement that a session is running, over a connection of its own to the same address with the same TLS.
#[derive(Clone)]
pub struct CancelToken {
    pub(super) token: tokio_postgres::CancelToken,
    pub(super) route: Route,
    pub(super) keepalives: Keepalives,
    pub(super) limit: Duration,
    pub(super) place: String,
}

impl CancelToken {
    /// Sends the request. The server does not say whether there was something to stop; the statement itself fails with
    /// SQLSTATE 57014 if there was.
    ///
    /// # Errors
    /// Exit code 3 when the request cannot be delivered.
    pub async fn cancel(&self) -> Result<()> {
        match tokio::time::timeout(self.limit, self.send()).await {
            Ok(result) => result,
            Err(_) => Err(Error::unable(format!(
                "PostgreSQL at {} did not take the request to cancel within {:?}",
                self.place, self.limit
            ))),
        }
    }

    async fn send(&self) -> Result<()> {
        let what = || format!("cannot ask PostgreSQL at {} to cancel", self.place);
        let mut socket = dial(&self.route.address, &self.keepalives)
            .await
            .or_unable(what)?;
        let sent = match self.route.tls.clone() {
            None => self.token.cancel_query_raw(socket, NoTls).await,
            Some(mut tls) => {
                // Whoever listens to this request could cancel statements, too, so it never goes out in clear.
                if !tls.direct && !ask_for_tls(&mut socket).await.or_unable(what)? {
                    return Err(Error::unable(what()).because("the server offers no TLS any more"));
                }
                self.token
                    .cancel_query_raw(socket, rustls_connect(&mut tls))
                    .await
            }
        };
        sent.or_unable(what)
    }
}

impl std::fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelToken")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

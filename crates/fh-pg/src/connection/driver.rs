//! The task that moves the bytes of a session and hears what the server says unasked.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fh_core::scrub;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::AsyncMessage;
use tokio_postgres::error::{DbError, Severity};

use crate::error::describe;

/// After its [`Connection`](crate::Connection) is gone a session may still end in good order. A long answer that nobody
/// reads any more is cut off instead.
const GRACE: Duration = Duration::from_secs(2);

/// The running task.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) task: JoinHandle<()>,
    /// Dropping it says that nobody needs the session any more.
    pub(crate) needed: oneshot::Sender<()>,
    /// Why the session ended by itself.
    pub(crate) lost: Arc<OnceLock<String>>,
}

pub(crate) fn start<S, T>(mut connection: tokio_postgres::Connection<S, T>) -> Driver
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (needed, unneeded) = oneshot::channel::<()>();
    let lost = Arc::new(OnceLock::new());
    let reason = Arc::clone(&lost);
    let task = tokio::spawn(async move {
        let drive = async {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                match message {
                    Ok(AsyncMessage::Notice(notice)) => log_notice(&notice),
                    Ok(_) => {}
                    Err(error) => {
                        let text = scrub(&describe(&error));
                        tracing::debug!("a PostgreSQL session ended: {text}");
                        let _ = reason.set(text);
                        return;
                    }
                }
            }
        };
        let overdue = async {
            let _ = unneeded.await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = drive => {}
            () = overdue => {}
        }
    });
    Driver { task, needed, lost }
}

fn log_notice(notice: &DbError) {
    let text = scrub(notice.message());
    match notice.parsed_severity() {
        Some(Severity::Warning) => tracing::warn!("PostgreSQL: {text}"),
        Some(Severity::Notice) => tracing::info!("PostgreSQL: {text}"),
        _ => tracing::debug!("PostgreSQL: {text}"),
    }
}

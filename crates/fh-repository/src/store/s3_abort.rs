//! Unfinished uploads that are ended in the background, because whoever began them is gone.
//!
//! A future that is dropped cannot wait for an answer. Its abort is sent by a task of its own, and the program waits for
//! those tasks before the runtime ends.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

/// The tasks of this process that may not be done yet.
static PENDING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Runs `abort` in the background. Without a runtime it is lost, and a sweep will find what it would have removed.
pub(super) fn in_background(abort: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|task| !task.is_finished());
        pending.push(runtime.spawn(abort));
    }
}

/// Waits until every abort in the background is done, at most `limit`. To be called on the runtime that the stores were
/// used on, before it ends.
pub async fn finish_aborts(limit: Duration) {
    let pending = std::mem::take(&mut *PENDING.lock().unwrap_or_else(PoisonError::into_inner));
    let all = async {
        for task in pending {
            // It has logged itself what went wrong.
            let _ = task.await;
        }
    };
    let _ = tokio::time::timeout(limit, all).await;
}

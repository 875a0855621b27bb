//! Unfinished uploads that are ended in the background, because whoever began them is gone.
//!
//! A future that is dropped cannot wait for an answer. Its abort is sent by a task of its own, and the program waits for
//! those tasks before the runtime ends. It also waits for uploads whose task was told to stop and has not noticed yet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

/// Between two looks at what is still open: a task that was stopped is dropped within one turn of the scheduler.
const LOOK: Duration = Duration::from_millis(5);

/// The tasks of this process that may not be done yet.
static PENDING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());
/// Uploads that were begun and are not over.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// An upload that is going on.
#[derive(Debug)]
pub(super) struct Open(());

impl Open {
    pub(super) fn new() -> Self {
        OPEN.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs `abort` in the background. Without a runtime it is lost, and a sweep will find what it would have removed.
pub(super) fn in_background(abort: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|task| !task.is_finished());
        pending.push(runtime.spawn(abort));
    }
}

fn pending() -> Vec<JoinHandle<()>> {
    std::mem::take(&mut *PENDING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Waits until no upload is open and every abort in the background is done, at most `limit`. To be called on the runtime
/// that the stores were used on, when its work is over or was dropped.
pub async fn finish_aborts(limit: Duration) {
    let all = async {
        loop {
            // Open ones first: one that closes now has put its abort among the pending ones before.
            let open = OPEN.load(Ordering::SeqCst);
            let pending = pending();
            if open == 0 && pending.is_empty() {
                return;
            }
            for task in pending {
                // It has logged itself what went wrong.
                let _ = task.await;
            }
            if open > 0 {
                tokio::time::sleep(LOOK).await;
            }
        }
    };
    let _ = tokio::time::timeout(limit, all).await;
}

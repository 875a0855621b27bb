//! Tables, several at a time: each worker has its own session and takes the next table until none is left.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use fh_core::{Error, Result};
use fh_pg::Connection;
use tokio::task::JoinSet;

/// Work that any worker may take next.
#[derive(Debug)]
pub struct Queue<T>(Arc<Mutex<VecDeque<T>>>);

impl<T> Queue<T> {
    /// A queue in the order given.
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self(Arc::new(Mutex::new(items.into_iter().collect())))
    }

    /// Takes the next item, if one is left.
    #[must_use]
    pub fn next(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Runs `work` on every connection at the same time and gathers what they return. The first failure stops the others.
///
/// # Errors
/// That first failure.
pub async fn on_each<R, F>(connections: Vec<Connection>, work: impl Fn(Connection) -> F) -> Result<Vec<R>>
where
    R: Send + 'static,
    F: Future<Output = Result<R>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for connection in connections {
        running.spawn(work(connection));
    }
    let mut results = Vec::new();
    while let Some(ended) = running.join_next().await {
        results.push(ended.map_err(|crashed| Error::unable("a worker ended early").because(crashed))??);
    }
    Ok(results)
}

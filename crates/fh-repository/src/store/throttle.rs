//! A store that is written to at a limited speed, for lines that others need too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::Result;
use tokio::time::Instant;

use super::{Deleted, Entry, Lock, Put, Store};

/// Passes everything on, and lets writes begin so far apart that on average no more than a number of bytes goes out each
/// second.
#[derive(Debug)]
pub struct Throttled {
    inner: Arc<dyn Store>,
    bytes_per_second: u64,
    /// When the line is free again.
    free: Mutex<Option<Instant>>,
}

impl Throttled {
    /// Limits `inner` to this many bytes a second; at least one.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, bytes_per_second: u64) -> Self {
        Self {
            inner,
            bytes_per_second: bytes_per_second.max(1),
            free: Mutex::default(),
        }
    }

    /// When a write of `size` bytes may begin. The line is taken until it would be through.
    fn turn(&self, size: u64, now: Instant) -> Instant {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = free.map_or(now, |free| free.max(now));
        let millis = size.saturating_mul(1000) / self.bytes_per_second;
        *free = begin.checked_add(Duration::from_millis(millis)).or(*free);
        begin
    }
}

#[async_trait]
impl Store for Throttled {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        self.inner.get(key, limit).await
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        let begin = self.turn(body.len() as u64, Instant::now());
        tokio::time::sleep_until(begin).await;
        self.inner.put_new(key, body).await
    }

    async fn delete(&self, key: &str) -> Result<Deleted> {
        self.inner.delete(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        self.inner.list(prefix).await
    }

    fn lock(&self) -> Option<Lock> {
        self.inner.lock()
    }

    async fn lock_until(&self, key: &str, until: jiff::Timestamp) -> Result<()> {
        self.inner.lock_until(key, until).await
    }

    async fn sweep_uploads(&self, older_than: Duration) -> Result<u64> {
        self.inner.sweep_uploads(older_than).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::DirStore;

    #[test]
    fn writes_are_spread_and_a_pause_is_not_saved_up() {
        let store = Throttled::new(Arc::new(DirStore::new("unused")), 1000);
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(store.turn(2000, start), start);
        assert_eq!(store.turn(500, start), after(2000));
        assert_eq!(store.turn(1, after(100)), after(2500));
        assert_eq!(store.turn(1, after(60_000)), after(60_000));
        assert_eq!(store.turn(1, after(60_000)), after(60_001));
    }
}

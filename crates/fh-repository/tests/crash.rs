//! A run that dies at any write: earlier sets stay, no half set shows, and the next run succeeds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod small;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::{Error, Exit, Result};
use fh_repository::{Access, Deleted, Entry, Lock, Put, Repository, SetState, Store};
use small::{Small, backup, open, read, store};

/// Passes everything on until a number of writes was made; every later one fails, before or after it took effect.
#[derive(Debug)]
struct Dying {
    inner: Arc<dyn Store>,
    writes_left: AtomicU32,
    after_effect: bool,
}

#[async_trait]
impl Store for Dying {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        self.inner.get(key, limit).await
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        let alive = self
            .writes_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if alive || self.after_effect {
            let put = self.inner.put_new(key, body).await?;
            if alive {
                return Ok(put);
            }
        }
        Err(Error::unable("no space left"))
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

    async fn sweep_uploads(&self, older_than: std::time::Duration) -> Result<u64> {
        self.inner.sweep_uploads(older_than).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

async fn dies_everywhere(encrypted: bool, after_effect: bool) {
    const TEXTS: [&str; 4] = ["one\n", "four\n", "five\n", "six\n"];
    // "one" is there already: three segments and the set are written.
    for writes in 0..4 {
        let small = Small::new(encrypted).await;
        let access = Access {
            key: Some(small.key.clone()),
            identity: Some(small.pair.identity.clone()),
        };
        let dying = Dying {
            inner: store(&small.folder),
            writes_left: AtomicU32::new(writes),
            after_effect,
        };
        let repository = Repository::open(Arc::new(dying), access).await.unwrap();
        let error = backup(&repository, &TEXTS).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);

        let repository = open(&small).await;
        let listed = repository.list_sets().await.unwrap();
        assert!(
            listed.iter().all(|set| matches!(set.state, SetState::Good(_))),
            "{listed:?}"
        );
        // A set whose answer was lost is there, and whole; anything less is not.
        let committed = usize::from(after_effect && writes == 3);
        assert_eq!(listed.len(), 1 + committed, "after {writes} writes");
        assert_eq!(
            read(&repository, &small.set).await.unwrap(),
            ["one\n", "two\n", "three\n"]
        );

        let (next, _) = backup(&repository, &TEXTS).await.unwrap();
        assert_eq!(read(&repository, &next).await.unwrap(), TEXTS);
        let set = repository.open_set(&next).await.unwrap();
        assert_eq!(
            repository.verify_objects(&set, |_| ()).await.unwrap().problems,
            []
        );
    }
}

#[tokio::test]
async fn a_run_may_die_before_any_write() {
    dies_everywhere(false, false).await;
    dies_everywhere(true, false).await;
}

#[tokio::test]
async fn a_run_may_die_after_any_write() {
    dies_everywhere(false, true).await;
    dies_everywhere(true, true).await;
}

#[tokio::test]
async fn garbage_under_a_segments_name_is_neither_used_nor_overwritten() {
    let small = Small::new(false).await;
    let repository = open(&small).await;
    let (set, segments) = backup(&repository, &["seven\n"]).await.unwrap();
    let path = small
        .folder
        .path()
        .join("segments")
        .join(&segments[0].object[..2])
        .join(&segments[0].object);
    std::fs::remove_file(small.folder.path().join(format!("sets/{set}.set"))).unwrap();
    std::fs::write(&path, b"left by a faulty disk").unwrap();
    let (set, segments) = backup(&repository, &["seven\n"]).await.unwrap();
    assert_ne!(path.file_name().unwrap().to_string_lossy(), segments[0].object);
    assert_eq!(read(&repository, &set).await.unwrap(), ["seven\n"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"left by a faulty disk");
}

#[tokio::test]
async fn what_is_there_is_not_sent_again() {
    let small = Small::new(true).await;
    let repository = open(&small).await;
    let writer = repository.writer(1).await.unwrap();
    writer.put(Bytes::from_static(b"two\n")).await.unwrap();
    writer.put(Bytes::from_static(b"new\n")).await.unwrap();
    writer.put(Bytes::from_static(b"new\n")).await.unwrap();
    let written = writer.written();
    assert_eq!((written.new_segments, written.reused_segments), (1, 2));
}

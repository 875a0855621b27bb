//! Locks of segments that a new set needs again: extended before the set exists, or there is no set.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod small;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::{Error, Exit, Result};
use fh_repository::{
    Access, Deleted, DirStore, Entry, Location, Lock, Put, Repository, S3Options, Store, Throttled,
    open_store,
};
use jiff::{SignedDuration, Timestamp};
use small::{Small, backup};

/// A folder that notes locks.
#[derive(Debug)]
struct Locked {
    folder: DirStore,
    days: i64,
    refuses: bool,
    extended: Mutex<Vec<String>>,
}

impl Locked {
    fn new(small: &Small, days: i64, refuses: bool) -> Arc<Self> {
        Arc::new(Self {
            folder: DirStore::new(small.folder.path()),
            days,
            refuses,
            extended: Mutex::default(),
        })
    }

    fn extended(&self) -> usize {
        self.extended.lock().unwrap().len()
    }
}

#[async_trait]
impl Store for Locked {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        self.folder.get(key, limit).await
    }
    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        self.folder.put_new(key, body).await
    }
    async fn delete(&self, key: &str) -> Result<Deleted> {
        self.folder.delete(key).await
    }
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        self.folder.list(prefix).await
    }
    fn lock(&self) -> Option<Lock> {
        let after = |days| Timestamp::now() + SignedDuration::from_hours(24 * days);
        Some(Lock {
            until: after(self.days * 2),
            at_least: after(self.days),
        })
    }
    async fn lock_until(&self, key: &str, _: Timestamp) -> Result<()> {
        if self.refuses {
            return Err(Error::unable("the lock was refused"));
        }
        self.extended.lock().unwrap().push(key.to_owned());
        Ok(())
    }
    async fn sweep_uploads(&self, older_than: std::time::Duration) -> Result<u64> {
        self.folder.sweep_uploads(older_than).await
    }
    fn describe(&self) -> String {
        self.folder.describe()
    }
}

async fn take(
    small: &Small,
    store: &Arc<Locked>,
    texts: &[&'static str],
) -> Result<(String, Vec<fh_repository::SegmentRef>)> {
    let access = Access {
        key: Some(small.key.clone()),
        identity: None,
    };
    let repository = Repository::open(store.clone(), access).await.unwrap();
    backup(&repository, texts).await
}

#[tokio::test]
async fn only_locks_that_are_too_short_are_extended() {
    for encrypted in [false, true] {
        // The first set knows of no lock.
        let small = Small::new(encrypted).await;
        let store = Locked::new(&small, 10, false);
        take(&small, &store, &["one\n", "two\n", "new\n"]).await.unwrap();
        let mut extended = store.extended.lock().unwrap().clone();
        extended.sort();
        assert_eq!(
            extended.len(),
            3,
            "two old segments and the description: {extended:?}"
        );
        assert_eq!(extended[0], "fh-backup.json");

        // Now all three are locked long enough for ten days, and so are they for nineteen.
        let store = Locked::new(&small, 19, false);
        take(&small, &store, &["one\n", "two\n", "new\n"]).await.unwrap();
        assert_eq!(store.extended(), 1);
        // For longer they are not.
        let store = Locked::new(&small, 40, false);
        take(&small, &store, &["one\n", "two\n", "new\n"]).await.unwrap();
        assert_eq!(store.extended(), 4);
    }
}

#[tokio::test]
async fn a_lock_that_cannot_be_extended_means_no_set() {
    let small = Small::new(false).await;
    let store = Locked::new(&small, 10, true);
    let error = take(&small, &store, &["one\n"]).await.unwrap_err();
    assert_eq!(
        (error.exit(), error.message()),
        (Exit::Unable, "the lock was refused".to_owned())
    );
    assert_eq!(store.list("sets/").await.unwrap().len(), 1);
}

/// The header of a copy speaks of the locks of another place.
#[tokio::test]
async fn locks_of_another_place_are_not_believed() {
    let small = Small::new(false).await;
    let store = Locked::new(&small, 10, false);
    take(&small, &store, &["one\n"]).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mirror = elsewhere.path().join("mirror");
    let repository = small::open(&small).await;
    let mut copy = repository
        .mirror_in(Arc::new(DirStore::new(&mirror)))
        .await
        .unwrap();
    for set in repository.list_sets().await.unwrap() {
        repository.copy_set(&mut copy, &set.id, |_| ()).await.unwrap();
    }
    let there = Arc::new(Locked {
        folder: DirStore::new(&mirror),
        days: 5,
        refuses: false,
        extended: Mutex::default(),
    });
    take(&small, &there, &["one\n"]).await.unwrap();
    assert_eq!(there.extended(), 2, "the segment and the description");
}

/// A limit on the speed must not cost the locks.
#[tokio::test]
async fn a_store_behind_another_one_is_locked_too() {
    let small = Small::new(false).await;
    let store = Locked::new(&small, 10, false);
    let slow = Arc::new(Throttled::new(store.clone(), 1 << 30));
    let repository = Repository::open(slow, Access::default()).await.unwrap();
    backup(&repository, &["one\n"]).await.unwrap();
    assert_eq!(store.extended(), 2);
}

#[tokio::test]
async fn a_folder_that_is_asked_for_locks_can_be_read_and_not_written() {
    let small = Small::new(false).await;
    let options = S3Options {
        object_lock: Some(fh_core::config::ObjectLock {
            mode: fh_core::config::ObjectLockMode::Governance,
            days: 30.try_into().unwrap(),
        }),
        ..S3Options::default()
    };
    let place = Location::Directory(small.folder.path().to_owned());
    let store = open_store(&place, &options, fh_core::Deadline::never())
        .await
        .unwrap();
    let repository = Repository::open(store, Access::default()).await.unwrap();
    assert_eq!(small::read(&repository, &small.set).await.unwrap().len(), 3);
    let error = backup(&repository, &["four\n"]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(
        error
            .message()
            .ends_with("cannot be locked: a folder has no Object Lock"),
        "{}",
        error.render()
    );
    let error = DirStore::new(small.folder.path())
        .lock_until("x", Timestamp::now())
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
}

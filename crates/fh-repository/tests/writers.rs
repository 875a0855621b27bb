//! Runs beside each other, and answers that get lost.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bucket;
mod small;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bucket::Bucket;
use bytes::Bytes;
use fh_core::Result;
use fh_repository::{Access, Deleted, Entry, Lock, Put, Repository, SegmentRef, SetFields, Store};
use small::{Small, backup, open, read, store};

/// Two runs that know nothing of each other and write the same segments at the same time.
async fn side_by_side(encrypted: bool) {
    const TEXTS: [&str; 6] = ["a\n", "b\n", "c\n", "d\n", "e\n", "one\n"];
    let small = Small::new(encrypted).await;
    let (one, two) = (open(&small).await, open(&small).await);
    let (one, two) = tokio::join!(backup(&one, &TEXTS), backup(&two, &TEXTS));
    let repository = open(&small).await;
    for (set, _) in [one.unwrap(), two.unwrap()] {
        assert_eq!(read(&repository, &set).await.unwrap(), TEXTS);
        let set = repository.open_set(&set).await.unwrap();
        assert_eq!(
            repository.verify_objects(&set, |_| ()).await.unwrap().problems,
            []
        );
    }
    assert_eq!(repository.list_sets().await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_both_succeed() {
    side_by_side(false).await;
    side_by_side(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_one_run_may_meet_the_same_segment() {
    for encrypted in [false, true] {
        let small = Small::new(encrypted).await;
        let repository = open(&small).await;
        let writer = Arc::new(repository.writer(1).await.unwrap());
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let writer = Arc::clone(&writer);
                tokio::spawn(async move { writer.put(Bytes::from_static(b"the same\n")).await.unwrap() })
            })
            .collect();
        let mut segments: Vec<SegmentRef> = Vec::new();
        for worker in workers {
            segments.push(worker.await.unwrap());
        }
        let written = writer.written();
        assert_eq!((written.new_segments, written.reused_segments), (1, 7));
        let set = repository
            .commit(&writer, SetFields::default(), &segments)
            .await
            .unwrap();
        assert_eq!(read(&repository, &set.id).await.unwrap(), ["the same\n"; 8]);
    }
}

/// Says of each write that there was an object already, as S3 does when the answer to the first attempt was lost.
#[derive(Debug)]
struct Forgetful {
    inner: Arc<dyn Store>,
    forgets: AtomicBool,
}

#[async_trait]
impl Store for Forgetful {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        self.inner.get(key, limit).await
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        let put = self.inner.put_new(key, body).await?;
        Ok(if self.forgets.load(Ordering::SeqCst) {
            Put::Exists
        } else {
            put
        })
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

#[tokio::test]
async fn a_lost_answer_is_no_failure() {
    for encrypted in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let forgetful = Arc::new(Forgetful {
            inner: store(&folder),
            forgets: AtomicBool::new(true),
        });
        let pair = fh_repository::generate_identity();
        let recipients = if encrypted { vec![pair.recipient] } else { vec![] };
        let created = Repository::create(forgetful.clone(), &recipients).await.unwrap();
        let access = Access {
            key: Some(created.key.to_text()),
            identity: Some(pair.identity),
        };
        let repository = Repository::open(forgetful, access).await.unwrap();
        let (set, segments) = backup(&repository, &["one\n", "two\n"]).await.unwrap();
        assert_eq!(read(&repository, &set).await.unwrap(), ["one\n", "two\n"]);
        // Nothing was written a second time under another name.
        let objects = repository.open_set(&set).await.unwrap().header.segments.len();
        assert_eq!(
            (
                objects,
                segments.len(),
                store(&folder).list("segments/").await.unwrap().len()
            ),
            (2, 2, 2)
        );
    }
}

#[tokio::test]
async fn a_repository_in_a_bucket_is_written_damaged_and_found_out() {
    let bucket = Bucket::start();
    let store: Arc<dyn Store> = Arc::new(bucket.store("team/shop"));
    let pair = fh_repository::generate_identity();
    let created = Repository::create(Arc::clone(&store), &[pair.recipient])
        .await
        .unwrap();
    let access = Access {
        key: Some(created.key.to_text()),
        identity: Some(pair.identity),
    };
    let repository = Repository::open(store, access).await.unwrap();
    let (first, _) = backup(&repository, &["one\n", "two\n"]).await.unwrap();
    let (second, segments) = backup(&repository, &["two\n", "three\n"]).await.unwrap();
    assert_eq!(read(&repository, &second).await.unwrap(), ["two\n", "three\n"]);
    let set = repository.open_set(&second).await.unwrap();
    assert_eq!(
        (set.header.totals.segments, set.header.totals.new_segments),
        (2, 1)
    );

    let object = &segments[0].object;
    let key = format!("team/shop/segments/{}/{object}", &object[..2]);
    let path = bucket.server.object_path(bucket::NAME, &key);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    // Both sets need it.
    for id in [first, second] {
        let set = repository.open_set(&id).await.unwrap();
        let findings = repository.verify_objects(&set, |_| ()).await.unwrap();
        assert_eq!(findings.problems.len(), 1, "{findings:?}");
        assert_eq!(&findings.problems[0].object, object);
        assert_eq!(
            findings.problems[0].problem,
            "was changed: its hash is not the one in the set"
        );
    }
}

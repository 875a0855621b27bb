//! What every store must do, and each of them is asked to do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bucket;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bucket::Bucket;
use bytes::Bytes;
use fh_core::Exit;
use fh_repository::{DirStore, Put, Store};

/// An empty store, and the folder in which its objects are files, so that they can be made behind its back.
struct Subject {
    store: Arc<dyn Store>,
    files: PathBuf,
    _keep: Box<dyn std::any::Any>,
}

fn subjects() -> Vec<Subject> {
    let folder = tempfile::tempdir().unwrap();
    let mut subjects = vec![Subject {
        store: Arc::new(DirStore::new(folder.path().join("not/yet/there"))),
        files: folder.path().join("not/yet/there"),
        _keep: Box::new(folder),
    }];
    for prefix in ["", "some/prefix"] {
        let bucket = Bucket::start();
        subjects.push(Subject {
            store: Arc::new(bucket.store(prefix)),
            files: bucket.server.root().join(bucket::NAME).join(prefix),
            _keep: Box::new(bucket),
        });
    }
    subjects
}

async fn keys(store: &dyn Store, prefix: &str) -> Vec<String> {
    store
        .list(prefix)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.key)
        .collect()
}

#[tokio::test]
async fn an_empty_store_has_nothing() {
    for Subject { store, .. } in subjects() {
        assert_eq!(store.get("sets/x.set", 10).await.unwrap(), None, "{store:?}");
        assert_eq!(store.list("").await.unwrap(), [], "{store:?}");
        assert_eq!(store.list("sets/").await.unwrap(), [], "{store:?}");
    }
}

#[tokio::test]
async fn what_is_put_can_be_got_and_is_never_replaced() {
    for Subject { store, .. } in subjects() {
        let large = Bytes::from((0..3 << 20).map(|at: u32| (at % 251) as u8).collect::<Vec<_>>());
        for (key, body) in [
            ("top", Bytes::from_static(b"one")),
            ("a/b/empty", Bytes::new()),
            ("a/large", large),
        ] {
            assert_eq!(
                store.put_new(key, body.clone()).await.unwrap(),
                Put::Created,
                "{store:?} {key}"
            );
            assert_eq!(
                store.put_new(key, Bytes::from_static(b"other")).await.unwrap(),
                Put::Exists
            );
            assert_eq!(
                store.get(key, body.len() as u64).await.unwrap(),
                Some(body),
                "{store:?} {key}"
            );
        }
    }
}

#[tokio::test]
async fn an_object_above_the_limit_is_bad() {
    for Subject { store, .. } in subjects() {
        store.put_new("x", Bytes::from_static(b"12345")).await.unwrap();
        assert!(store.get("x", 5).await.unwrap().is_some());
        let error = store.get("x", 4).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Bad);
        assert!(error.message().contains("is larger than 4 bytes"), "{error}");
    }
}

#[tokio::test]
async fn a_listing_has_every_object_below_the_prefix_in_order() {
    for Subject { store, .. } in subjects() {
        for key in [
            "segments/ab/2",
            "segments/ab/1",
            "segments/aa/3",
            "sets/1.set",
            "setsnot",
            "fh-backup.json",
        ] {
            store.put_new(key, Bytes::from_static(b"123")).await.unwrap();
        }
        assert_eq!(
            keys(&*store, "segments/").await,
            ["segments/aa/3", "segments/ab/1", "segments/ab/2"]
        );
        assert_eq!(
            keys(&*store, "segments/ab").await,
            ["segments/ab/1", "segments/ab/2"]
        );
        assert_eq!(keys(&*store, "sets/").await, ["sets/1.set"]);
        assert_eq!(keys(&*store, "").await.len(), 6);
        let entry = store.list("sets/").await.unwrap().remove(0);
        assert_eq!(entry.size, 3);
        let age = jiff::Timestamp::now().duration_since(entry.modified.unwrap());
        assert!(age.as_secs().abs() < 600, "{store:?}: {age}");
    }
}

/// S3 gives a thousand keys at a time.
#[tokio::test]
async fn a_long_listing_comes_in_pages() {
    for Subject { store, files, .. } in subjects() {
        std::fs::create_dir_all(files.join("segments")).unwrap();
        let expected: Vec<String> = (0..1_010).map(|number| format!("segments/{number:05}")).collect();
        for key in &expected {
            std::fs::write(files.join(key), b"x").unwrap();
        }
        assert_eq!(keys(&*store, "segments/").await, expected, "{store:?}");
    }
}

#[tokio::test]
async fn other_prefixes_of_the_bucket_are_not_ours() {
    let bucket = Bucket::start();
    let (one, two) = (bucket.store("one"), bucket.store("one-and-more"));
    one.put_new("x", Bytes::from_static(b"1")).await.unwrap();
    two.put_new("x", Bytes::from_static(b"2")).await.unwrap();
    assert_eq!(keys(&one, "").await, ["x"]);
    assert_eq!(one.get("x", 1).await.unwrap().unwrap(), "1");
    assert_eq!(
        (one.describe(), bucket.store("").describe()),
        ("s3://backups/one".into(), "s3://backups".into())
    );
}

/// Not asked of the S3 server of the tests: its conditional writes are not atomic.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_of_one_name_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let key = format!("round/{round}");
        let writers: Vec<_> = (0..8_u8)
            .map(|writer| {
                let (store, key) = (DirStore::new(folder.path()), key.clone());
                tokio::spawn(async move {
                    (
                        writer,
                        store.put_new(&key, Bytes::from(vec![writer])).await.unwrap(),
                    )
                })
            })
            .collect();
        let mut winners = Vec::new();
        for writer in writers {
            let (writer, put) = tokio::time::timeout(Duration::from_secs(60), writer)
                .await
                .unwrap()
                .unwrap();
            if put == Put::Created {
                winners.push(writer);
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(std::fs::read(folder.path().join(&key)).unwrap(), winners);
    }
    let left = std::fs::read_dir(folder.path().join("round")).unwrap().count();
    assert_eq!(left, 20, "nothing but the winners");
}

//! Garbage collection: what no set needs goes in two steps, what one needs stays, whatever runs beside it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bent;
mod bucket;
mod small;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bent::{Act, Bent};
use bytes::Bytes;
use fh_core::Exit;
use fh_repository::{Access, Collected, Deleted, GarbageOptions, Repository};
use jiff::{SignedDuration, Timestamp};
use small::{Small, backup, open, read, store};

const DAY: Duration = Duration::from_hours(24);

fn options(hours: i64) -> GarbageOptions {
    GarbageOptions {
        grace: DAY,
        at: Timestamp::now() + SignedDuration::from_hours(hours),
        host: "collector".into(),
        dry_run: false,
    }
}

/// Stores a segment that no set will name.
async fn orphan(repository: &Repository, text: &'static str) -> String {
    let writer = repository.writer(1).await.unwrap();
    writer
        .put(Bytes::from_static(text.as_bytes()))
        .await
        .unwrap()
        .object
}

async fn objects(small: &Small) -> BTreeSet<String> {
    let entries = store(&small.folder).list("segments/").await.unwrap();
    entries.iter().map(|entry| entry.key[12..].to_owned()).collect()
}

async fn lists(small: &Small) -> usize {
    store(&small.folder).list("gc/").await.unwrap().len()
}

#[tokio::test]
async fn what_no_set_names_goes_in_two_steps() {
    for encrypted in [false, true] {
        let small = Small::new(encrypted).await;
        let repository = open(&small).await;
        let needed = objects(&small).await;
        let lost = orphan(&repository, "lost\n").await;
        let collect = async |hours| repository.collect_garbage(&options(hours)).await.unwrap();
        assert_eq!(collect(0).await, Collected::default(), "too young");
        let mut look = options(25);
        look.dry_run = true;
        assert_eq!(repository.collect_garbage(&look).await.unwrap().marked, 1);
        assert_eq!(lists(&small).await, 0, "a dry run writes nothing");

        assert_eq!(collect(25).await.marked, 1);
        let again = collect(25).await;
        assert_eq!((again.marked, again.waiting, again.removed), (0, 1, 0));
        assert!(objects(&small).await.contains(&lost));
        look.at = options(50).at;
        assert_eq!(repository.collect_garbage(&look).await.unwrap().removed, 1);
        assert!(objects(&small).await.contains(&lost), "a dry run removes nothing");
        assert_eq!(collect(50).await.removed, 1);
        assert_eq!(objects(&small).await, needed);
        assert_eq!(lists(&small).await, 0);

        // The set goes, and then its segments do.
        assert_eq!(repository.remove_set(&small.set).await.unwrap(), Deleted::Gone);
        assert_eq!(collect(25).await.marked, 3);
        assert_eq!(collect(50).await.removed, 3);
        assert!(objects(&small).await.is_empty());
    }
}

#[tokio::test]
async fn in_a_bucket_too() {
    let bucket = bucket::Bucket::start();
    let store: Arc<dyn fh_repository::Store> = Arc::new(bucket.store("team/shop"));
    Repository::create(Arc::clone(&store), &[]).await.unwrap();
    let repository = Repository::open(store, Access::default()).await.unwrap();
    let (first, _) = backup(&repository, &["one\n", "two\n"]).await.unwrap();
    let (second, _) = backup(&repository, &["two\n", "three\n"]).await.unwrap();
    repository
        .put_document(&format!("evidence/{first}/x.json"), &1)
        .await
        .unwrap();
    assert_eq!(repository.remove_set(&first).await.unwrap(), Deleted::Gone);
    assert_eq!(repository.ids().await.unwrap(), std::slice::from_ref(&second));
    assert!(repository.documents::<u8>("evidence/").await.unwrap().is_empty());
    assert_eq!(repository.collect_garbage(&options(25)).await.unwrap().marked, 1);
    assert_eq!(repository.collect_garbage(&options(50)).await.unwrap().removed, 1);
    assert_eq!(
        repository.collect_garbage(&options(75)).await.unwrap(),
        Collected::default()
    );
    assert_eq!(read(&repository, &second).await.unwrap(), ["two\n", "three\n"]);
}

#[tokio::test]
async fn a_name_that_is_about_to_go_is_not_used_again() {
    let small = Small::new(false).await;
    let repository = open(&small).await;
    let first = orphan(&repository, "lost\n").await;
    // In clear it can be seen to be the right content, and is used.
    assert_eq!(orphan(&repository, "lost\n").await, first);
    repository.collect_garbage(&options(25)).await.unwrap();
    let (set, segments) = backup(&repository, &["lost\n", "one\n"]).await.unwrap();
    assert_ne!(segments[0].object, first);
    let swept = repository.collect_garbage(&options(50)).await.unwrap();
    assert_eq!((swept.removed, swept.spared), (1, 0));
    assert_eq!(read(&repository, &set).await.unwrap(), ["lost\n", "one\n"]);
}

/// A backup that reuses the segments of an earlier set; beside it that set is removed and its segments are listed at
/// step `mark` of the backup, and the list is carried out at step `sweep`.
async fn beside(mark: usize, sweep: usize) -> (usize, Option<usize>) {
    let small = Small::new(false).await;
    let collector = Bent::new(store(&small.folder), SignedDuration::from_hours(-48));
    let access = Access {
        key: Some(small.key.clone()),
        identity: None,
    };
    let collector = Repository::open(Arc::new(collector), access.clone())
        .await
        .unwrap();
    let bent = Arc::new(Bent::new(store(&small.folder), SignedDuration::ZERO));
    let repository = Repository::open(bent.clone(), access).await.unwrap();
    bent.arm(
        collector,
        small.set.clone(),
        [(mark, Act::RemoveAndMark), (sweep, Act::Sweep)],
    );
    let result = backup(&repository, &["two\n", "one\n", "new\n"]).await;
    let (steps, last_look) = bent.steps();
    bent.act(Act::Sweep).await;

    let after = open(&small).await;
    let ids = after.ids().await.unwrap();
    match result {
        Ok((id, _)) => {
            assert!(ids.contains(&id), "{mark} {sweep}");
            assert_eq!(
                read(&after, &id).await.unwrap(),
                ["two\n", "one\n", "new\n"],
                "marked at {mark}, swept at {sweep}"
            );
        }
        Err(error) => {
            assert_eq!(error.exit(), Exit::Unable);
            assert!(
                error.message().contains("removed or are about to be"),
                "{}",
                error.render()
            );
            assert!(ids.iter().all(|id| *id == small.set), "{ids:?}");
        }
    }
    (steps, last_look)
}

/// The lists here last ten minutes, less than the writer's margin of fifteen: so it must refuse whatever it saw listed.
/// That a list is made and carried out between its last look and its last write is what the margin and the least grace
/// of an hour exclude; every other order is tried.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_it_is_whole_or_refused_in_every_order() {
    let (steps, last_look) = beside(usize::MAX, usize::MAX).await;
    let last_look = last_look.unwrap();
    assert!(steps >= 7 && last_look < steps, "{steps} {last_look}");
    let pairs = (0..=last_look).flat_map(|mark| (mark..=steps).map(move |sweep| (mark, sweep)));
    let runs: Vec<_> = pairs
        .map(|(mark, sweep)| tokio::spawn(beside(mark, sweep)))
        .collect();
    for run in runs {
        run.await.unwrap();
    }
}

#[tokio::test]
async fn a_list_with_time_left_does_not_stop_a_backup_and_then_spares_it() {
    let small = Small::new(true).await;
    let repository = open(&small).await;
    let writer = repository.writer(1).await.unwrap();
    let segment = writer.put(Bytes::from_static(b"one\n")).await.unwrap();
    repository.remove_set(&small.set).await.unwrap();
    assert_eq!(repository.collect_garbage(&options(25)).await.unwrap().marked, 3);
    let set = repository
        .commit(&writer, fh_repository::SetFields::default(), &vec![segment])
        .await
        .unwrap();
    let swept = repository.collect_garbage(&options(50)).await.unwrap();
    assert_eq!((swept.removed, swept.spared), (2, 1));
    assert_eq!(read(&repository, &set.id).await.unwrap(), ["one\n"]);
}

#[tokio::test]
async fn nothing_goes_while_a_set_cannot_be_read() {
    let small = Small::new(false).await;
    let repository = open(&small).await;
    let (other, _) = backup(&repository, &["four\n"]).await.unwrap();
    orphan(&repository, "lost\n").await;
    let before = objects(&small).await;
    let path = small.folder.path().join(format!("sets/{other}.set"));
    let whole = std::fs::read(&path).unwrap();

    // With a damaged body it still says what it needs.
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &changed).unwrap();
    assert_eq!(repository.collect_garbage(&options(25)).await.unwrap().marked, 1);

    for (cut, at) in [(true, 0), (true, 40), (false, 100)] {
        let mut changed = whole.clone();
        if cut {
            changed.truncate(at);
        } else {
            changed[at] ^= 1;
        }
        std::fs::write(&path, &changed).unwrap();
        let error = repository.collect_garbage(&options(50)).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Bad);
        assert!(error.message().contains(&other), "{}", error.render());
        assert_eq!(objects(&small).await, before);
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(repository.collect_garbage(&options(50)).await.unwrap().removed, 1);
    assert_eq!(read(&repository, &other).await.unwrap(), ["four\n"]);
}

#[tokio::test]
async fn a_list_that_nobody_sealed_removes_nothing() {
    let small = Small::new(false).await;
    let repository = open(&small).await;
    orphan(&repository, "lost\n").await;
    repository.collect_garbage(&options(25)).await.unwrap();
    let before = objects(&small).await;
    let entry = store(&small.folder).list("gc/").await.unwrap().remove(0);
    let path = small.folder.path().join(&entry.key);
    let text = std::fs::read_to_string(&path).unwrap();
    let named = before.iter().find(|object| !text.contains(*object)).unwrap();
    let listed = before.iter().find(|object| text.contains(*object)).unwrap();
    std::fs::write(&path, text.replace(listed, named)).unwrap();
    let collected = repository.collect_garbage(&options(50)).await.unwrap();
    assert_eq!(collected.doubtful.len(), 1, "{collected:?}");
    assert_eq!((collected.removed, collected.marked), (0, 1));
    assert_eq!(objects(&small).await, before);
}

#[tokio::test]
async fn clocks_that_disagree_and_stores_without_one_collect_nothing() {
    for (shift, expected) in [
        (Some(SignedDuration::from_mins(-10)), "seconds apart"),
        (Some(SignedDuration::from_mins(10)), "seconds apart"),
        (None, "does not say when"),
    ] {
        let small = Small::new(false).await;
        orphan(&open(&small).await, "lost\n").await;
        let mut bent = Bent::new(store(&small.folder), SignedDuration::ZERO);
        bent.shift_lists(shift);
        let access = Access::default();
        let repository = Repository::open(Arc::new(bent), access).await.unwrap();
        let error = repository.collect_garbage(&options(25)).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        assert!(error.message().contains(expected), "{}", error.render());
        assert_eq!(lists(&small).await, 0);
    }
}

#[tokio::test]
async fn a_collection_that_dies_is_finished_by_the_next() {
    // Three segments and the list of them.
    for deletions in 0..4 {
        let small = Small::new(false).await;
        let (kept, _) = backup(&open(&small).await, &["three\n", "four\n"]).await.unwrap();
        for text in ["a\n", "b\n"] {
            orphan(&open(&small).await, text).await;
        }
        open(&small).await.remove_set(&small.set).await.unwrap();
        open(&small).await.collect_garbage(&options(25)).await.unwrap();
        let mut bent = Bent::new(store(&small.folder), SignedDuration::ZERO);
        // One is that of the list which only told the time.
        bent.dies_after_deletions(deletions + 1);
        let dying = Repository::open(Arc::new(bent), Access::default()).await.unwrap();
        dying.collect_garbage(&options(50)).await.unwrap_err();
        let repository = open(&small).await;
        assert_eq!(read(&repository, &kept).await.unwrap(), ["three\n", "four\n"]);
        repository.collect_garbage(&options(51)).await.unwrap();
        assert_eq!(objects(&small).await.len(), 2, "after {deletions} deletions");
        assert_eq!(lists(&small).await, 0);
        assert_eq!(read(&repository, &kept).await.unwrap(), ["three\n", "four\n"]);
    }
}

#[tokio::test]
async fn what_the_store_keeps_is_counted_and_nothing_is_lost() {
    let small = Small::new(false).await;
    orphan(&open(&small).await, "lost\n").await;
    open(&small).await.collect_garbage(&options(25)).await.unwrap();
    let mut bent = Bent::new(store(&small.folder), SignedDuration::ZERO);
    bent.keeps("segments/");
    bent.keeps("sets/");
    let repository = Repository::open(Arc::new(bent), Access::default()).await.unwrap();
    let collected = repository.collect_garbage(&options(50)).await.unwrap();
    assert_eq!(
        (collected.removed, collected.removed_bytes, collected.locked),
        (0, 0, 1)
    );
    assert_eq!(objects(&small).await.len(), 4);
    assert_eq!(repository.remove_set(&small.set).await.unwrap(), Deleted::Kept);
    assert_eq!(repository.ids().await.unwrap(), [small.set]);
}

#[tokio::test]
async fn what_a_bucket_hides_and_keeps_is_told() {
    let small = Small::new(false).await;
    orphan(&open(&small).await, "lost\n").await;
    open(&small).await.collect_garbage(&options(25)).await.unwrap();
    let mut bent = Bent::new(store(&small.folder), SignedDuration::ZERO);
    bent.versions = true;
    let repository = Repository::open(Arc::new(bent), Access::default()).await.unwrap();
    let collected = repository.collect_garbage(&options(50)).await.unwrap();
    assert_eq!((collected.removed, collected.hidden, collected.locked), (1, 1, 0));
    assert_eq!(repository.remove_set(&small.set).await.unwrap(), Deleted::Hidden);
    assert!(repository.ids().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_set_goes_with_what_stands_beside_it() {
    let small = Small::new(false).await;
    let repository = open(&small).await;
    let (other, _) = backup(&repository, &["four\n"]).await.unwrap();
    for id in [&small.set, &other] {
        repository
            .put_document(&format!("evidence/{id}/x.json"), &1)
            .await
            .unwrap();
        repository
            .put_document(&format!("accepted/{id}.json"), &1)
            .await
            .unwrap();
        repository
            .put_document(&format!("sets/{id}.RESTORE.md"), &1)
            .await
            .unwrap();
    }
    repository.remove_set(&small.set).await.unwrap();
    let left = async |repository: &Repository| {
        let mut found = Vec::new();
        for folder in ["evidence/", "accepted/", "sets/"] {
            let entries = store(&small.folder).list(folder).await.unwrap();
            found.extend(entries.into_iter().map(|entry| entry.key));
        }
        assert_eq!(repository.ids().await.unwrap(), std::slice::from_ref(&other));
        found
    };
    let expected = left(&repository).await;
    assert_eq!(expected.len(), 4);
    assert!(expected.iter().all(|key| key.contains(&other)), "{expected:?}");

    // What a removal left that was cut short goes later; what belongs to a set that is there stays.
    repository
        .put_document(&format!("evidence/{}/y.json", small.set), &1)
        .await
        .unwrap();
    let gone = BTreeSet::from([small.set.clone(), other.clone()]);
    assert_eq!(repository.remove_leftovers(&gone).await.unwrap(), 1);
    assert_eq!(left(&repository).await, expected);
}

//! Copies in a second repository: whole or not there, and never over something else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bucket;
mod small;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucket::Bucket;
use fh_core::Exit;
use fh_repository::{Access, Copied, DirStore, Repository, SetFields, Store};
use small::{Small, backup, open, read, store};

const EVIDENCE: &str = "2026-11-24T030000Z.json";

async fn copy(from: &Repository, to: &Arc<dyn Store>, set: &str) -> Copied {
    let mut mirror = from.mirror_in(Arc::clone(to)).await.unwrap();
    from.copy_set(&mut mirror, set, |_| ()).await.unwrap()
}

/// The source as a host sees it that holds the repository key only.
async fn without_identity(small: &Small) -> Repository {
    let access = Access {
        key: Some(small.key.clone()),
        identity: None,
    };
    Repository::open(store(&small.folder), access).await.unwrap()
}

async fn opened(small: &Small, store: &Arc<dyn Store>) -> Repository {
    let access = Access {
        key: Some(small.key.clone()),
        identity: Some(small.pair.identity.clone()),
    };
    Repository::open(Arc::clone(store), access).await.unwrap()
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_copy_is_a_whole_repository_of_its_own() {
    for encrypted in [false, true] {
        let small = Small::new(encrypted).await;
        let source = without_identity(&small).await;
        source
            .put_document(&format!("evidence/{}/{EVIDENCE}", small.set), &vec![1])
            .await
            .unwrap();
        source
            .put_document(&format!("accepted/{}.json", small.set), &vec![2])
            .await
            .unwrap();
        let beside = small.folder.path().join(format!("sets/{}.RESTORE.md", small.set));
        fs::write(&beside, "how to").unwrap();
        let bucket = Bucket::start();
        let target: Arc<dyn Store> = Arc::new(bucket.store("second"));

        let copied = copy(&source, &target, &small.set).await;
        assert_eq!(
            (copied.sent, copied.present),
            (7, 0),
            "three segments, three beside, the set"
        );
        assert_eq!(copied.problems, []);
        // A second set shares two segments.
        let (second, _) = backup(&open(&small).await, &["one\n", "two\n", "four\n"])
            .await
            .unwrap();
        let copied = copy(&source, &target, &second).await;
        assert_eq!((copied.sent, copied.present), (2, 2));
        // Nothing is sent twice.
        let copied = copy(&source, &target, &small.set).await;
        assert_eq!((copied.sent, copied.sent_bytes, copied.present), (0, 0, 7));

        // The source is lost; the copy is all there is, and is copied back into a folder.
        fs::rename(small.folder.path(), small.folder.path().with_extension("lost")).unwrap();
        let mirror = opened(&small, &target).await;
        assert_eq!(
            read(&mirror, &second).await.unwrap(),
            ["one\n", "two\n", "four\n"]
        );
        assert_eq!(
            mirror.documents::<Vec<u32>>("evidence/").await.unwrap()[0].document,
            Ok(vec![1])
        );
        let back: Arc<dyn Store> = Arc::new(DirStore::new(small.folder.path()));
        for set in [&small.set, &second] {
            assert_eq!(copy(&mirror, &back, set).await.problems, []);
        }
        assert_eq!(fs::read_to_string(&beside).unwrap(), "how to");
        let again = open(&small).await;
        let set = again.open_set(&small.set).await.unwrap();
        assert_eq!(again.verify_objects(&set, |_| ()).await.unwrap().problems, []);
        assert_eq!(
            read(&again, &small.set).await.unwrap(),
            ["one\n", "two\n", "three\n"]
        );
        fs::remove_dir_all(small.folder.path().with_extension("lost")).unwrap();
    }
}

#[tokio::test]
async fn what_is_damaged_in_the_source_is_named_and_not_copied() {
    let small = Small::new(true).await;
    let source = open(&small).await;
    let (second, _) = backup(&source, &["four\n"]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target: Arc<dyn Store> = Arc::new(DirStore::new(folder.path()));
    let segments = files(&small.folder.path().join("segments"), ".age");
    for (damage, word) in [
        ("flip", "was changed"),
        ("cut", "bytes instead of"),
        ("remove", "is missing"),
    ] {
        let one = small.segments[0].object.clone();
        let path = segments.iter().find(|path| path.ends_with(&one)).unwrap();
        let whole = fs::read(path).unwrap();
        match damage {
            "flip" => {
                let mut bytes = whole.clone();
                bytes[20] ^= 1;
                fs::write(path, bytes).unwrap();
            }
            "cut" => fs::write(path, &whole[..20]).unwrap(),
            _ => fs::remove_file(path).unwrap(),
        }
        let copied = copy(&source, &target, &small.set).await;
        assert_eq!(copied.problems.len(), 1, "{copied:?}");
        assert!(copied.problems[0].object.ends_with(&one), "{copied:?}");
        assert!(copied.problems[0].problem.contains(word), "{copied:?}");
        assert_eq!(target.list("sets/").await.unwrap(), []);
        fs::write(path, whole).unwrap();
    }
    // The set beside it is not held up, and neither is this one once it is whole again.
    assert_eq!(copy(&source, &target, &second).await.problems, []);
    let copied = copy(&source, &target, &small.set).await;
    assert_eq!((copied.sent, copied.present), (2, 2), "two segments came before");

    // A set that was changed.
    let path = small.folder.path().join(format!("sets/{second}.set"));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let copied = copy(&source, &target, &second).await;
    assert_eq!(copied.problems[0].object, format!("sets/{second}.set"));
    assert!(
        copied.problems[0].problem.contains("its body was changed"),
        "{copied:?}"
    );
}

#[tokio::test]
async fn what_a_copy_lost_comes_again_and_what_is_foreign_there_is_said() {
    let small = Small::new(true).await;
    let source = open(&small).await;
    let key = format!("evidence/{}/{EVIDENCE}", small.set);
    source.put_document(&key, &vec![1]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target: Arc<dyn Store> = Arc::new(DirStore::new(folder.path()));
    copy(&source, &target, &small.set).await;

    // A segment is lost there.
    let segments = files(&folder.path().join("segments"), ".age");
    fs::remove_file(&segments[0]).unwrap();
    assert_eq!(copy(&source, &target, &small.set).await.sent, 1);

    // A copy that broke off, and a segment of the same size that is not ours: no set vouches for it.
    let set = folder.path().join(format!("sets/{}.set", small.set));
    fs::remove_file(&set).unwrap();
    let whole = fs::read(&segments[1]).unwrap();
    let mut other = whole.clone();
    other[0] ^= 1;
    fs::write(&segments[1], other).unwrap();
    let copied = copy(&source, &target, &small.set).await;
    assert_eq!(copied.problems.len(), 1, "{copied:?}");
    assert_eq!(
        copied.problems[0].problem,
        "something else has this name in the copy"
    );
    assert!(!set.exists());
    fs::write(&segments[1], whole).unwrap();
    let copied = copy(&source, &target, &small.set).await;
    assert_eq!((copied.sent, copied.problems.len()), (1, 0));

    // Another set under the name, and evidence that was changed here.
    fs::write(&set, "other").unwrap();
    let copied = copy(&source, &target, &small.set).await;
    assert_eq!(
        copied.problems[0].problem,
        "another set has this name in the copy"
    );
    fs::remove_file(&set).unwrap();
    let evidence = small.folder.path().join(&key);
    let text = fs::read_to_string(&evidence).unwrap();
    fs::write(&evidence, text.replace("[1]", "[2]")).unwrap();
    let copied = copy(&source, &target, &small.set).await;
    assert_eq!(copied.problems[0].object, key);
    assert!(
        copied.problems[0].problem.contains("its seal is wrong"),
        "{copied:?}"
    );
}

#[tokio::test]
async fn another_repository_is_left_alone() {
    let (small, other) = (Small::new(true).await, Small::new(true).await);
    let source = open(&small).await;
    let refused = async |folder: &Path| {
        let error = source
            .mirror_in(Arc::new(DirStore::new(folder)))
            .await
            .unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        error.message()
    };
    let place = other.folder.path();
    assert_eq!(
        refused(place).await,
        format!("there is another repository in {}", place.display())
    );
    // A description that was changed after it was copied.
    let folder = tempfile::tempdir().unwrap();
    let mine = small.folder.path().join("fh-backup.json");
    let text = fs::read_to_string(&mine).unwrap();
    fs::write(
        folder.path().join("fh-backup.json"),
        text.replace("\"version\"", " \"version\""),
    )
    .unwrap();
    assert!(
        refused(folder.path())
            .await
            .contains("was changed since it was copied")
    );
    // Sets without a description.
    fs::remove_file(other.folder.path().join("fh-backup.json")).unwrap();
    assert!(refused(place).await.contains("and no description"));
    assert_eq!(files(place, ".set").len(), 1);
}

#[tokio::test]
async fn rotated_keys_come_before_the_sets_that_know_of_them() {
    let small = Small::new(true).await;
    let new = fh_repository::generate_identity();
    open(&small)
        .await
        .rotate(std::slice::from_ref(&new.recipient), &[])
        .await
        .unwrap();
    let source = open(&small).await;
    let (second, _) = backup(&source, &["four\n"]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target: Arc<dyn Store> = Arc::new(DirStore::new(folder.path()));
    assert_eq!(copy(&source, &target, &second).await.problems, []);
    let access = Access {
        key: None,
        identity: Some(new.identity),
    };
    let mirror = Repository::open(Arc::clone(&target), access).await.unwrap();
    assert_eq!(read(&mirror, &second).await.unwrap(), ["four\n"]);
    backup(&mirror, &["five\n"]).await.unwrap();

    // Rotations that part ways are not mixed.
    source.rotate(&[], &[new.recipient]).await.unwrap();
    let other = fh_repository::generate_identity();
    mirror.rotate(&[other.recipient], &[]).await.unwrap();
    let error = source.mirror_in(target).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(
        error.message().starts_with("another keys/000002.json is in"),
        "{error}"
    );
    let path = small.folder.path().join("keys/000001.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"number\":1", "\"number\":3")).unwrap();
    let error = source
        .mirror_in(Arc::new(DirStore::new(folder.path().join("x"))))
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Bad, "{}", error.render());
}

#[tokio::test]
async fn a_page_for_people_that_was_changed_is_not_passed_on() {
    let small = Small::new(false).await;
    let source = open(&small).await;
    let writer = source.writer(1).await.unwrap();
    let segment = writer.put(bytes::Bytes::from_static(b"one\n")).await.unwrap();
    let fields = SetFields {
        guide: Some("restore {set}".into()),
        ..SetFields::default()
    };
    let set = source.commit(&writer, fields, &vec![segment]).await.unwrap();
    let page = small.folder.path().join(format!("sets/{}.RESTORE.md", set.id));
    let whole = fs::read(&page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target: Arc<dyn Store> = Arc::new(DirStore::new(folder.path()));
    fs::write(&page, "rm -rf /").unwrap();
    let copied = copy(&source, &target, &set.id).await;
    assert_eq!(copied.problems[0].problem, "was changed: do not run its commands");
    assert_eq!(target.list("sets/").await.unwrap(), []);
    fs::write(&page, whole).unwrap();
    assert_eq!(copy(&source, &target, &set.id).await.problems, []);
    assert_eq!(target.list("sets/").await.unwrap().len(), 2);
}

//! What is particular to a folder: modes, files in the making, and places where nothing can be written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bytes::Bytes;
use fh_core::Exit;
use fh_repository::{DirStore, Put, Repository, Store as _};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn nobody_else_may_look() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("new/repository");
    DirStore::new(&root)
        .put_new("segments/ab/x", Bytes::from_static(b"1"))
        .await
        .unwrap();
    for (path, expected) in [
        ("", 0o700),
        ("segments", 0o700),
        ("segments/ab", 0o700),
        ("segments/ab/x", 0o600),
    ] {
        assert_eq!(mode(&root.join(path)), expected, "{path}");
    }
}

#[tokio::test]
async fn files_in_the_making_are_not_listed_and_not_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirStore::new(folder.path());
    store
        .put_new("sets/1.set", Bytes::from_static(b"1"))
        .await
        .unwrap();
    // As a run leaves it that was killed before the rename.
    std::fs::write(folder.path().join("sets/.tmp-a8Fq"), b"half a").unwrap();
    assert_eq!(store.list("").await.unwrap().len(), 1);
    assert_eq!(
        store
            .put_new("sets/2.set", Bytes::from_static(b"2"))
            .await
            .unwrap(),
        Put::Created
    );
}

#[tokio::test]
async fn a_relative_place_works() {
    // Cargo runs a test in the folder of its crate; nothing may be left there.
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = DirStore::new(folder.path().file_name().unwrap());
    assert_eq!(
        store
            .put_new("sets/1.set", Bytes::from_static(b"1"))
            .await
            .unwrap(),
        Put::Created
    );
    assert_eq!(store.list("sets/").await.unwrap()[0].key, "sets/1.set");
}

#[tokio::test]
async fn a_file_in_the_way_is_named_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("file");
    std::fs::write(&root, b"somebody's").unwrap();
    let store = std::sync::Arc::new(DirStore::new(&root));
    let error = Repository::create(store.clone(), &[]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    let place = root.display();
    assert_eq!(
        error.render(),
        format!(
            "error: cannot list {place}/sets\n\
             caused by: Not a directory (os error 20)\n\
             hint: a part of that path is a file"
        )
    );
    let error = store.put_new("fh-backup.json", Bytes::new()).await.unwrap_err();
    assert_eq!(error.message(), format!("cannot write {place}/fh-backup.json"));
    let error = store.get("fh-backup.json", 10).await.unwrap_err();
    assert_eq!(error.message(), format!("cannot read {place}/fh-backup.json"));
    assert_eq!(std::fs::read(&root).unwrap(), b"somebody's");
}

#[tokio::test]
async fn where_nobody_may_write_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o500)).unwrap();
    // Root may write everywhere but into the kernel's own tree.
    let place = if rustix::process::geteuid().is_root() {
        Path::new("/proc/1")
    } else {
        &locked
    };
    let error = DirStore::new(place.join("backups"))
        .put_new("x", Bytes::new())
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert!(error.message().starts_with("cannot write "), "{}", error.render());
    assert!(!error.causes().is_empty(), "{}", error.render());
}

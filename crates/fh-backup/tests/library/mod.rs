//! The repository of a tool, opened as a library: for what cannot be arranged from the command line.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses a part"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fh_backup::evidence::{Details, Evidence, Kind};
use fh_backup::keep::removal::{Removal, Removed};
use fh_repository::{Access, Collected, DirStore, GarbageOptions, Repository};
use jiff::{SignedDuration, Timestamp};

/// Does something with an unencrypted repository in a folder.
pub fn with<T>(folder: &Path, work: impl AsyncFnOnce(Repository) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Arc::new(DirStore::new(folder));
        work(Repository::open(store, Access::default()).await.unwrap()).await
    })
}

/// Writes down that a set was found good, or damaged.
pub fn evidence(folder: &Path, set: &str, kind: Kind, good: bool) {
    let mut details = Details::default();
    if !good {
        details.problem("a segment is missing");
    }
    let evidence = Evidence::now("fh-backup test", set, kind, Timestamp::now(), details);
    with(folder, async |repository| {
        evidence.keep(&repository).await.unwrap();
    });
}

/// The record of another run that is removing a set; its path.
pub fn removal(folder: &Path, set: &str) -> PathBuf {
    let removal = Removal {
        at: Timestamp::now(),
        host: "elsewhere".into(),
        tool: "fh-backup".into(),
        sets: vec![Removed {
            set: set.to_owned(),
            reason: "no rule keeps it".into(),
        }],
    };
    let key = "removals/other.json";
    with(folder, async |repository| {
        repository.put_document(key, &removal).await.unwrap();
    });
    folder.join(key)
}

/// Collects garbage as if it were so many hours later.
pub fn collect(folder: &Path, hours: i64) -> Collected {
    let options = GarbageOptions {
        grace: Duration::from_hours(24),
        at: Timestamp::now() + SignedDuration::from_hours(hours),
        host: "test".into(),
        dry_run: false,
    };
    with(folder, async |repository| {
        repository.collect_garbage(&options).await.unwrap()
    })
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

//! Backups, from the documents of a repository.

use std::path::Path;

use fh_core::Deadline;
use fh_core::report::Status;
use fh_repository::evidence::{Details, Evidence, Kind};
use fh_repository::{Access, Location, Repository, S3Options, SetFields, open_store};
use jiff::{SignedDuration, Timestamp};

use super::round::{Round, said};

fn config(folder: &Path, more: &str) -> String {
    format!(
        "project.name = 'shop'\nbackup.directory = '{}'\n[health.backup]\n{more}\n",
        folder.display()
    )
}

/// Makes a repository in clear and a set of `database` in it; gives the set's id.
async fn add_set(folder: &Path, database: &str, create: bool) -> String {
    let location = Location::parse(&folder.display().to_string()).unwrap();
    let store = open_store(&location, &S3Options::default(), Deadline::never())
        .await
        .unwrap();
    if create {
        Repository::create(store.clone(), &[]).await.unwrap();
    }
    let repository = Repository::open(store, Access::default()).await.unwrap();
    let writer = repository.writer(1).await.unwrap();
    let segment = writer.put(bytes::Bytes::from_static(b"1\tone\n")).await.unwrap();
    let fields = SetFields {
        project: "shop".into(),
        databases: vec![database.into()],
        ..SetFields::default()
    };
    repository
        .commit(&writer, fields, &vec![segment])
        .await
        .unwrap()
        .id
}

async fn add_evidence(folder: &Path, set: &str, kind: Kind, good: bool) {
    let location = Location::parse(&folder.display().to_string()).unwrap();
    let store = open_store(&location, &S3Options::default(), Deadline::never())
        .await
        .unwrap();
    let repository = Repository::open(store, Access::default()).await.unwrap();
    let mut details = Details::default();
    if !good {
        details.problem("a segment is gone");
    }
    let evidence = Evidence::now("test", set, kind, Timestamp::now(), details);
    evidence.keep(&repository).await.unwrap();
}

#[test]
fn age_drill_and_damage_are_read_from_the_repository() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("backups");

    // Nothing there is not the same as nothing wrong.
    let found = Round::of(&config(&folder, "")).run();
    found.expect("backup.age", Status::Unknown);

    let set = runtime.block_on(add_set(&folder, "shop", true));
    let round = Round::of(&config(&folder, ""));
    let fresh = round.run();
    fresh.expect("backup.age.shop", Status::Pass);
    let check = fresh.expect("backup.drill.shop", Status::Fail);
    assert!(
        check.summary.contains("was ever restored by a drill"),
        "{check:#?}"
    );
    fresh.expect("backup.damaged", Status::Pass);

    runtime.block_on(add_evidence(&folder, &set, Kind::Drill, true));
    let proven = Round::of(&config(&folder, "")).run();
    proven.expect("backup.drill.shop", Status::Pass);
    let later = round.again(&fresh, SignedDuration::from_hours(27));
    let check = later.expect("backup.age.shop", Status::Fail);
    assert!(
        said(check).contains("is 1 d 03 h old") && said(check).contains("fh-backup create"),
        "{check:#?}"
    );
    later.expect("backup.drill.shop", Status::Pass);
    let much_later = round.again(&fresh, SignedDuration::from_hours(9 * 24));
    much_later.expect("backup.drill.shop", Status::Fail);

    // A database of which there must be a set, and is none.
    let missing = Round::of(&config(&folder, "databases = ['shop', 'orders']")).run();
    missing.expect("backup.age.shop", Status::Pass);
    let check = missing.expect("backup.age", Status::Fail);
    assert_eq!(check.summary, "there is no good set of orders");

    runtime.block_on(add_evidence(&folder, &set, Kind::VerifyFull, false));
    let damaged = Round::of(&config(&folder, "")).run();
    damaged.expect("backup.damaged", Status::Fail);
    damaged.expect("backup.age", Status::Fail);
}

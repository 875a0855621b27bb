//! Who may do what with which key, and what the others are told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod small;

use fh_core::Secret;
use fh_repository::{Access, Repository, generate_identity};
use small::{Small, backup, store};

async fn refusal(small: &Small, key: Option<Secret>, identity: Option<Secret>) -> String {
    Repository::open(store(&small.folder), Access { key, identity })
        .await
        .unwrap_err()
        .render()
}

#[tokio::test]
async fn a_host_with_the_key_writes_and_checks_but_cannot_read() {
    let small = Small::new(true).await;
    let access = Access {
        key: Some(small.key.clone()),
        identity: None,
    };
    let repository = Repository::open(store(&small.folder), access).await.unwrap();
    assert!(!repository.can_read());
    let (set, segments) = backup(&repository, &["eight\n"]).await.unwrap();
    let set = repository.open_set(&set).await.unwrap();
    assert_eq!(
        repository.verify_objects(&set, |_| ()).await.unwrap().problems,
        []
    );
    let error = repository.read_segment(&segments[0]).await.unwrap_err();
    assert_eq!(
        error.render(),
        "error: the data is encrypted, and no identity was given\n\
         hint: give --identity with the age private key of one of the recipients"
    );
}

#[tokio::test]
async fn the_identity_alone_opens_everything() {
    let small = Small::new(true).await;
    let access = Access {
        key: None,
        identity: Some(small.pair.identity.clone()),
    };
    let repository = Repository::open(store(&small.folder), access).await.unwrap();
    assert_eq!(
        small::read(&repository, &small.set).await.unwrap(),
        ["one\n", "two\n", "three\n"]
    );
}

#[tokio::test]
async fn wrong_and_missing_keys_are_told_apart() {
    let (small, other) = (Small::new(true).await, Small::new(true).await);
    let place = small.folder.path().display().to_string();
    assert_eq!(
        refusal(&small, Some(other.key.clone()), None).await,
        "error: the repository key belongs to another repository\n\
         hint: use the key file that `fh-backup init` wrote for this one, or the identity, which opens it too"
    );
    assert_eq!(
        refusal(&small, None, Some(generate_identity().identity)).await,
        "error: the repository key in fh-backup.json is not encrypted to this identity\n\
         hint: use the identity of one of the recipients that fh-backup.json names"
    );
    assert_eq!(
        refusal(&small, None, None).await,
        format!(
            "error: the repository in {place} is encrypted, and no key was given\n\
             hint: give --key-file with the file that `fh-backup init` wrote, or --identity to read"
        )
    );
}

#[tokio::test]
async fn a_newer_format_and_other_files_are_refused() {
    let small = Small::new(false).await;
    let path = small.folder.path().join("fh-backup.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"version\": 1", "\"version\": 2")).unwrap();
    assert!(
        refusal(&small, None, None)
            .await
            .contains("has format version 2, this program knows 1")
    );
    std::fs::write(&path, "{}").unwrap();
    assert!(
        refusal(&small, None, None)
            .await
            .contains("is not the description of a repository")
    );
    std::fs::remove_file(&path).unwrap();
    assert!(
        refusal(&small, None, None)
            .await
            .contains("there is no backup repository in")
    );
}

#[tokio::test]
async fn a_repository_is_made_once() {
    let small = Small::new(false).await;
    let error = Repository::create(store(&small.folder), &[]).await.unwrap_err();
    assert_eq!(error.exit(), fh_core::Exit::Refused);
}

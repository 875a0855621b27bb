//! Finding a set: by its whole id, by the beginning of it, and as the latest.

mod small;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::{Exit, Result};
use fh_repository::{Access, Deleted, Entry, Lock, Put, Repository, SetState, Store};
use small::{Small, backup, open, store};

#[tokio::test]
async fn a_set_is_found_by_as_much_of_its_id_as_is_needed() {
    let small = Small::new(false).await;
    let repository = open(&small).await;
    let id = &small.set;
    for wanted in [id.as_str(), &id[..id.len() - 1], &id[..4], "latest"] {
        assert_eq!(&repository.resolve(wanted).await.unwrap(), id, "{wanted}");
    }
    for wanted in ["", "1999", &id[1..], &format!("{id}0")] {
        let error = repository.resolve(wanted).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{wanted}");
        assert!(
            error
                .message()
                .starts_with(&format!("there is no set {wanted:?} in ")),
            "{error}"
        );
    }
    let (second, _) = backup(&repository, &["more\n"]).await.unwrap();
    // Two ids of one second differ in their random end only, so the later one need not be the larger.
    let newest = id.max(&second).clone();
    assert_eq!(repository.resolve("latest").await.unwrap(), newest);
    let error = repository.resolve(&id[..4]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(
        error.message(),
        format!("{:?} is the beginning of 2 sets", &id[..4])
    );
}

#[tokio::test]
async fn an_empty_repository_has_no_latest_set() {
    let folder = tempfile::tempdir().unwrap();
    Repository::create(store(&folder), &[]).await.unwrap();
    let repository = Repository::open(store(&folder), Access::default()).await.unwrap();
    assert!(repository.list_sets().await.unwrap().is_empty());
    let error = repository.resolve("latest").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert_eq!(
        error.render(),
        format!(
            "error: there is no backup in {} yet\nhint: take one with `fh-backup create`",
            folder.path().display()
        )
    );
}

#[tokio::test]
async fn sets_are_listed_oldest_first_and_the_damaged_ones_too() {
    let small = Small::new(true).await;
    let repository = open(&small).await;
    backup(&repository, &["two\n"]).await.unwrap();
    let damaged = small.folder.path().join("sets/2001-01-01T000000Z-abcdef.set");
    std::fs::write(damaged, b"{}\n").unwrap();
    let sets = repository.list_sets().await.unwrap();
    let ids: Vec<&str> = sets.iter().map(|set| set.id.as_str()).collect();
    assert!(ids.is_sorted() && ids.len() == 3, "{ids:?}");
    assert!(
        matches!(&sets[0].state, SetState::Damaged(why) if why == "its header is not readable"),
        "{sets:?}"
    );
    assert!(
        sets[1..].iter().all(|set| matches!(set.state, SetState::Good(_))),
        "{sets:?}"
    );
}

/// Lists a set that somebody removes before it is read.
#[derive(Debug)]
struct Vanishing(Arc<dyn Store>);

#[async_trait]
impl Store for Vanishing {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        self.0.get(key, limit).await
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        self.0.put_new(key, body).await
    }

    async fn delete(&self, key: &str) -> Result<Deleted> {
        self.0.delete(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let mut entries = self.0.list(prefix).await?;
        entries.insert(
            0,
            Entry {
                key: "sets/2001-01-01T000000Z-abcdef.set".into(),
                size: 1,
                modified: None,
            },
        );
        Ok(entries)
    }

    fn lock(&self) -> Option<Lock> {
        self.0.lock()
    }

    async fn lock_until(&self, key: &str, until: jiff::Timestamp) -> Result<()> {
        self.0.lock_until(key, until).await
    }

    async fn sweep_uploads(&self, older_than: std::time::Duration) -> Result<u64> {
        self.0.sweep_uploads(older_than).await
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

#[tokio::test]
async fn a_set_that_is_removed_meanwhile_is_no_failure() {
    let small = Small::new(false).await;
    let repository = Repository::open(Arc::new(Vanishing(store(&small.folder))), Access::default())
        .await
        .unwrap();
    let sets = repository.list_sets().await.unwrap();
    assert_eq!(sets.iter().map(|set| &set.id).collect::<Vec<_>>(), [&small.set]);
}

#[tokio::test]
async fn a_lost_description_is_not_replaced_by_a_new_one() {
    let small = Small::new(true).await;
    std::fs::remove_file(small.folder.path().join("fh-backup.json")).unwrap();
    let error = Repository::create(store(&small.folder), &[]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.message().starts_with("there are sets in "), "{error}");
    assert!(!small.folder.path().join("fh-backup.json").exists());
}

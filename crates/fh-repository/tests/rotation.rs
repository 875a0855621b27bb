//! Changing the recipients: who can read what afterwards, and what somebody who can write to the store cannot do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fh_core::{Exit, Secret};
use fh_repository::{
    Access, DirStore, Generated, Repository, SegmentRef, Set, SetFields, Store, generate_identity,
};

struct Place {
    folder: tempfile::TempDir,
    key: Secret,
}

impl Place {
    async fn new(recipients: &[&Generated]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipients: Vec<String> = recipients.iter().map(|pair| pair.recipient.clone()).collect();
        let created = Repository::create(store(folder.path()), &recipients)
            .await
            .unwrap();
        Self {
            key: created.key.to_text(),
            folder,
        }
    }

    async fn open(&self, identity: Option<&Generated>) -> fh_core::Result<Repository> {
        let access = Access {
            key: Some(self.key.clone()),
            identity: identity.map(|pair| pair.identity.clone()),
        };
        Repository::open(store(self.folder.path()), access).await
    }

    /// A set of two segments; gives how many of them were new.
    async fn back_up(&self) -> (Set, u64) {
        let repository = self.open(None).await.unwrap();
        let writer = repository.writer(1).await.unwrap();
        let mut body = Vec::new();
        for text in ["1\tone\n", "2\ttwo\n"] {
            body.push(writer.put(Bytes::from_static(text.as_bytes())).await.unwrap());
        }
        let set = repository
            .commit(&writer, SetFields::default(), &body)
            .await
            .unwrap();
        (set, writer.written().new_segments)
    }

    async fn read(&self, identity: &Generated, id: &str) -> fh_core::Result<Vec<u8>> {
        let repository = self.open(Some(identity)).await?;
        let set = repository.open_set(id).await?;
        let mut text = Vec::new();
        for segment in repository.read_body::<Vec<SegmentRef>>(&set)? {
            text.extend(repository.read_segment(&segment).await?);
        }
        Ok(text)
    }
}

fn store(folder: &Path) -> Arc<dyn Store> {
    Arc::new(DirStore::new(folder))
}

#[tokio::test]
async fn each_set_opens_with_the_keys_of_its_time_and_no_others() {
    let (old, new) = (generate_identity(), generate_identity());
    let place = Place::new(&[&old]).await;
    let (before, _) = place.back_up().await;
    let repository = place.open(None).await.unwrap();
    repository
        .rotate(
            std::slice::from_ref(&new.recipient),
            std::slice::from_ref(&old.recipient),
        )
        .await
        .unwrap();
    let (after, fresh) = place.back_up().await;

    // Nothing that only the old key opens was taken up, and the names were taken.
    assert_eq!(fresh, 2);
    assert_eq!(after.header.recipients, std::slice::from_ref(&new.recipient));
    assert_eq!((before.header.rotation, after.header.rotation), (0, 1));
    let rows = b"1\tone\n2\ttwo\n";
    assert_eq!(place.read(&old, &before.id).await.unwrap(), rows);
    assert_eq!(place.read(&new, &after.id).await.unwrap(), rows);
    for (identity, id) in [(&old, &after.id), (&new, &before.id)] {
        let error = place.read(identity, id).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert_eq!(
            error.message(),
            format!("set {id} is not encrypted to this identity")
        );
    }
    // The next one finds everything again.
    assert_eq!(place.back_up().await.1, 0);
    // The new identity alone opens the repository, too.
    let access = Access {
        key: None,
        identity: Some(new.identity.clone()),
    };
    let repository = Repository::open(store(place.folder.path()), access)
        .await
        .unwrap();
    assert_eq!(repository.recipients(), std::slice::from_ref(&new.recipient));
}

#[tokio::test]
async fn a_removed_recipient_does_not_cost_a_new_copy() {
    let (one, two) = (generate_identity(), generate_identity());
    let place = Place::new(&[&one, &two]).await;
    place.back_up().await;
    let repository = place.open(None).await.unwrap();
    repository
        .rotate(&[], std::slice::from_ref(&one.recipient))
        .await
        .unwrap();
    let (set, fresh) = place.back_up().await;
    assert_eq!(fresh, 0, "the one who is left can read what is there");
    assert_eq!(place.read(&two, &set.id).await.unwrap(), b"1\tone\n2\ttwo\n");
    let error = place.read(&one, &set.id).await.unwrap_err();
    assert!(error.render().contains(&two.recipient), "{}", error.render());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let (one, two) = (generate_identity(), generate_identity());
    let place = Place::new(&[&one]).await;
    let repository = place.open(None).await.unwrap();
    let list = |pair: &Generated| vec![pair.recipient.clone()];
    for (add, remove, exit) in [
        (vec![], list(&two), Exit::Usage),
        (list(&one), vec![], Exit::Usage),
        (vec![], list(&one), Exit::Refused),
        (vec!["age1nonsense".to_owned()], vec![], Exit::Usage),
    ] {
        assert_eq!(repository.rotate(&add, &remove).await.unwrap_err().exit(), exit);
    }
    assert!(!place.folder.path().join("keys").exists());

    let clear = Place::new(&[]).await;
    let error = clear
        .open(None)
        .await
        .unwrap()
        .rotate(&list(&one), &[])
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test]
async fn a_rotation_that_was_changed_removed_or_made_up_is_noticed() {
    let (old, new, thief) = (generate_identity(), generate_identity(), generate_identity());
    let place = Place::new(&[&old]).await;
    let rotate = async |add: &Generated, remove: &Generated| {
        let repository = place.open(None).await.unwrap();
        repository
            .rotate(
                std::slice::from_ref(&add.recipient),
                std::slice::from_ref(&remove.recipient),
            )
            .await
            .unwrap();
    };
    rotate(&new, &old).await;
    place.back_up().await;
    let first = place.folder.path().join("keys/000001.json");
    let whole = std::fs::read_to_string(&first).unwrap();

    // A recipient of somebody else's.
    std::fs::write(&first, whole.replace(&new.recipient, &thief.recipient)).unwrap();
    let error = place.open(None).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad);
    assert!(error.render().contains("keys/000001.json"), "{}", error.render());

    // Gone, so that backups would go to the old recipient again.
    std::fs::remove_file(&first).unwrap();
    let error = place.open(None).await.unwrap().writer(1).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad);
    assert!(error.message().contains("key rotation 1"), "{}", error.message());

    // A gap, with a later one still there.
    std::fs::write(&first, &whole).unwrap();
    rotate(&old, &new).await;
    std::fs::remove_file(&first).unwrap();
    let error = place.open(None).await.unwrap_err();
    assert!(
        error.render().contains("000001.json is missing"),
        "{}",
        error.render()
    );
}

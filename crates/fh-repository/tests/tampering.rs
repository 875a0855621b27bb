//! Somebody who can write to the store, but has no key, must not get at what is backed up next.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod small;

use fh_core::{Exit, Secret};
use fh_repository::{Access, Repository, SetState, generate_identity};
use serde_json::Value;
use small::{Small, open, store};

/// Changes fields of the description.
fn change(small: &Small, change: impl FnOnce(&mut Value)) {
    let path = small.folder.path().join("fh-backup.json");
    let mut description: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut description);
    std::fs::write(&path, description.to_string()).unwrap();
}

async fn opened(
    small: &Small,
    key: Option<Secret>,
    identity: Option<Secret>,
) -> Result<Repository, fh_core::Error> {
    Repository::open(store(&small.folder), Access { key, identity }).await
}

#[tokio::test]
async fn encryption_cannot_be_turned_off() {
    let small = Small::new(true).await;
    change(&small, |description| {
        description["encryption"] = "none".into();
        description["key"] = "fh-repository-key-1:00".into();
    });
    let error = opened(&small, Some(small.key.clone()), None).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad);
    assert_eq!(
        error.render(),
        "error: fh-backup.json was changed: its id, time or recipients are not those it was made with\n\
         hint: do not write to this repository: find out who can write to the store, and put the original back"
    );
}

#[tokio::test]
async fn no_recipient_can_be_added_or_exchanged() {
    for keep in [true, false] {
        let small = Small::new(true).await;
        let theirs = generate_identity().recipient;
        change(&small, |description| {
            let recipients = description["encryption"]["age"].as_array_mut().unwrap();
            if !keep {
                recipients.clear();
            }
            recipients.push(theirs.into());
        });
        for (key, identity) in [
            (Some(small.key.clone()), None),
            (None, Some(small.pair.identity.clone())),
        ] {
            let error = opened(&small, key, identity).await.unwrap_err();
            assert!(error.message().contains("was changed"), "{}", error.render());
        }
    }
}

#[tokio::test]
async fn a_repository_put_in_its_place_is_not_the_one_of_the_key() {
    let (small, theirs) = (Small::new(true).await, Small::new(false).await);
    let copy =
        |name: &str| std::fs::copy(theirs.folder.path().join(name), small.folder.path().join(name)).unwrap();
    copy("fh-backup.json");
    let error = opened(&small, Some(small.key.clone()), None).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(
        error.message(),
        "the repository key belongs to another repository"
    );
}

#[tokio::test]
async fn a_wrong_identity_is_noticed_when_the_repository_is_opened() {
    let small = Small::new(true).await;
    let error = opened(
        &small,
        Some(small.key.clone()),
        Some(generate_identity().identity),
    )
    .await
    .unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(
        error.message(),
        "the repository key in fh-backup.json is not encrypted to this identity"
    );
}

#[tokio::test]
async fn every_flipped_bit_of_the_description_is_noticed() {
    for encrypted in [false, true] {
        let small = Small::new(encrypted).await;
        let path = small.folder.path().join("fh-backup.json");
        let whole = std::fs::read(&path).unwrap();
        // Every position would take half a minute; a step that is no multiple of anything meets every field.
        for position in (0..whole.len()).step_by(7) {
            let mut flipped = whole.clone();
            flipped[position] ^= 4;
            std::fs::write(&path, &flipped).unwrap();
            let result = opened(&small, None, Some(small.pair.identity.clone())).await;
            // White space is not part of what is said.
            let same = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
            assert!(
                result.is_err() || same(&flipped) == same(&whole),
                "byte {position}: {}",
                String::from_utf8_lossy(&flipped)
            );
        }
    }
}

#[tokio::test]
async fn a_set_of_a_newer_version_is_shown_and_not_read() {
    let small = Small::new(false).await;
    let path = small
        .folder
        .path()
        .join("sets")
        .join(format!("{}.set", small.set));
    // Sealed as a newer version would: the key of this repository is in clear.
    let text = std::fs::read(&path).unwrap();
    let end = text.iter().position(|byte| *byte == b'\n').unwrap();
    let line: Value = serde_json::from_slice(&text[..end]).unwrap();
    let header = line["header"]
        .to_string()
        .replacen("\"version\":1", "\"version\":2", 1);
    let digits = small.key.expose().rsplit(':').next().unwrap();
    let key = *blake3::Hash::from_hex(digits).unwrap().as_bytes();
    let mac = blake3::keyed_hash(
        &blake3::derive_key("fh-backup 2026 set seal", &key),
        header.as_bytes(),
    )
    .to_hex();
    let newer = [
        format!("{{\"mac\":\"{mac}\",\"header\":{header}}}").as_bytes(),
        &text[end..],
    ]
    .concat();
    std::fs::write(&path, newer).unwrap();

    let repository = open(&small).await;
    let error = repository.open_set(&small.set).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert_eq!(
        error.render(),
        format!(
            "error: set {} was written by a newer version of fh-backup\n\
             hint: use that version, or a newer one, to read it",
            small.set
        )
    );
    let sets = repository.list_sets().await.unwrap();
    assert!(
        matches!(&sets[0].state, SetState::Damaged(why) if why.contains("newer version")),
        "{sets:?}"
    );
}

#[tokio::test]
async fn a_damaged_segment_is_bad_data_also_when_its_age_header_is_hit() {
    let small = Small::new(true).await;
    let repository = open(&small).await;
    for segment in &small.segments {
        let path = small
            .folder
            .path()
            .join("segments")
            .join(&segment.object[..2])
            .join(&segment.object);
        let whole = std::fs::read(&path).unwrap();
        for position in (0..whole.len()).step_by(5) {
            let mut flipped = whole.clone();
            flipped[position] ^= 1;
            std::fs::write(&path, flipped).unwrap();
            let error = repository.read_segment(segment).await.unwrap_err();
            assert_eq!(error.exit(), Exit::Bad, "byte {position}: {}", error.render());
            assert!(error.message().contains(&segment.id), "{error}");
        }
        std::fs::write(&path, whole).unwrap();
        assert_eq!(
            repository.read_segment(segment).await.unwrap().len() as u64,
            segment.size
        );
    }
}

//! The host that backs up reads the summaries of sets, and nothing else of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod small;

use fh_core::Exit;
use fh_repository::{Access, Repository, SegmentRef, SetFields, SetState, SummaryEntry};
use small::{Small, open, store};

fn entries() -> Vec<SummaryEntry> {
    vec![SummaryEntry {
        database: "shop".into(),
        kind: "table".into(),
        schema: "public".into(),
        name: "invoice_lines".into(),
        rows: 3,
        bytes: 120,
    }]
}

async fn with_summary(small: &Small) -> String {
    let repository = open(small).await;
    let writer = repository.writer(1).await.unwrap();
    let fields = SetFields {
        summary: entries(),
        ..SetFields::default()
    };
    let body: Vec<SegmentRef> = Vec::new();
    repository.commit(&writer, fields, &body).await.unwrap().id
}

#[tokio::test]
async fn the_repository_key_opens_the_summary_and_not_the_body() {
    for encrypted in [false, true] {
        let small = Small::new(encrypted).await;
        let id = with_summary(&small).await;
        let access = Access {
            key: Some(small.key.clone()),
            identity: None,
        };
        let host = Repository::open(store(&small.folder), access).await.unwrap();
        let set = host.open_set(&id).await.unwrap();
        assert_eq!(host.read_summary(&set).unwrap(), entries());
        if encrypted {
            let error = host.read_body::<Vec<SegmentRef>>(&set).unwrap_err();
            assert_eq!(error.exit(), Exit::Usage);
            let path = small.folder.path().join(format!("sets/{id}.set"));
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            assert!(!text.contains("invoice_lines"));
        }

        // The identity of a recipient opens it too, by way of stock age.
        let bytes = std::fs::read(small.folder.path().join(format!("sets/{id}.set"))).unwrap();
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let size = usize::try_from(set.header.summary_size).unwrap();
        let mut stored = bytes[line..line + size].to_vec();
        if encrypted {
            let key = small.pair.identity.expose().lines().nth(1).unwrap();
            let identity: age::x25519::Identity = key.parse().unwrap();
            stored = age::decrypt(&identity, &stored).unwrap();
        }
        let plain = zstd::bulk::decompress(&stored, 10_000).unwrap();
        assert_eq!(
            serde_json::from_slice::<Vec<SummaryEntry>>(&plain).unwrap(),
            entries()
        );
    }
}

#[tokio::test]
async fn every_changed_byte_of_it_is_noticed() {
    let small = Small::new(true).await;
    let id = with_summary(&small).await;
    let repository = open(&small).await;
    let size = usize::try_from(repository.open_set(&id).await.unwrap().header.summary_size).unwrap();
    let path = small.folder.path().join(format!("sets/{id}.set"));
    let whole = std::fs::read(&path).unwrap();
    let line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for at in (line..line + size).step_by(9) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&path, changed).unwrap();
        let sets = repository.list_sets().await.unwrap();
        let newest = &sets.last().unwrap().state;
        assert!(
            matches!(newest, SetState::Damaged(why) if why == "its summary was changed"),
            "byte {at}: {newest:?}"
        );
    }
}

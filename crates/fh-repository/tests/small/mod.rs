//! A small repository with one set of three segments.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses a part"
)]

use std::sync::Arc;

use bytes::Bytes;
use fh_core::Secret;
use fh_repository::{
    Access, DirStore, Generated, Repository, SegmentRef, SetFields, Store, generate_identity,
};

pub struct Small {
    pub folder: tempfile::TempDir,
    pub pair: Generated,
    pub key: Secret,
    pub set: String,
    pub segments: Vec<SegmentRef>,
}

impl Small {
    pub async fn new(encrypted: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = generate_identity();
        let recipients = if encrypted {
            vec![pair.recipient.clone()]
        } else {
            Vec::new()
        };
        let created = Repository::create(store(&folder), &recipients).await.unwrap();
        let mut small = Self {
            folder,
            pair,
            key: created.key.to_text(),
            set: String::new(),
            segments: Vec::new(),
        };
        let repository = open(&small).await;
        (small.set, small.segments) = backup(&repository, &["one\n", "two\n", "three\n"]).await.unwrap();
        small
    }
}

pub fn store(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(DirStore::new(folder.path()))
}

/// Opens with the host's key and the identity.
pub async fn open(small: &Small) -> Repository {
    let access = Access {
        key: Some(small.key.clone()),
        identity: Some(small.pair.identity.clone()),
    };
    Repository::open(store(&small.folder), access).await.unwrap()
}

/// Writes a set of these texts.
pub async fn backup(
    repository: &Repository,
    texts: &[&'static str],
) -> fh_core::Result<(String, Vec<SegmentRef>)> {
    let writer = repository.writer(1).await?;
    let mut segments = Vec::new();
    for text in texts {
        segments.push(writer.put(Bytes::from_static(text.as_bytes())).await?);
    }
    let set = repository
        .commit(&writer, SetFields::default(), &segments)
        .await?;
    Ok((set.id, segments))
}

/// Reads a set back.
pub async fn read(repository: &Repository, set: &str) -> fh_core::Result<Vec<String>> {
    let set = repository.open_set(set).await?;
    let body: Vec<SegmentRef> = repository.read_body(&set)?;
    let mut texts = Vec::new();
    for segment in &body {
        texts.push(String::from_utf8(repository.read_segment(segment).await?).unwrap());
    }
    Ok(texts)
}

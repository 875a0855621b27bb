//! Everything that a set holds besides the rows of one database: it goes in, it is listed and verified, and it comes back.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod config_files;
mod databases;
mod elasticache;
mod files;
mod globals;
mod hostile_trees;
mod redis_keys;
#[path = "../tool/mod.rs"]
mod tool;
mod tree;

use fh_backup::body::Body;
use fh_repository::{Access, Location, Repository, S3Options, SegmentRef, open_store};
use tool::Tool;

/// Writes the configuration that the tool finds in its folder.
fn configure(tool: &Tool, text: &str) {
    std::fs::write(tool.path("financehub.toml"), text).unwrap();
}

/// Fails unless every part is in the text.
fn assert_parts(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

/// Opens a clear repository in the tool's folder with the library.
async fn open(tool: &Tool) -> Repository {
    let place = Location::parse(&tool.path("repository").display().to_string()).unwrap();
    let store = open_store(&place, &S3Options::default(), fh_core::Deadline::never())
        .await
        .unwrap();
    Repository::open(store, Access::default()).await.unwrap()
}

/// The body of the newest set of a clear repository.
async fn newest_body(repository: &Repository) -> Body {
    let id = repository.resolve("latest").await.unwrap();
    repository
        .read_body(&repository.open_set(&id).await.unwrap())
        .unwrap()
}

/// Runs asynchronous work of the library.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// Flips a bit in the middle of a stored segment while `look` looks at it.
fn with_flipped_bit(tool: &Tool, segment: &SegmentRef, look: impl FnOnce()) {
    let folder = tool.path("repository/segments").join(&segment.object[..2]);
    let path = folder.join(&segment.object);
    let whole = std::fs::read(&path).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 0x04;
    std::fs::write(&path, changed).unwrap();
    look();
    std::fs::write(&path, whole).unwrap();
}

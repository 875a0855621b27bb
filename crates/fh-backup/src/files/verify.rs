//! Reads a stored tree to its end and compares every file with the hash in the index.

use fh_core::{Exit, Result};
use fh_repository::Repository;

use super::entry::Kind;
use super::index::Index;
use super::ranges::Ranges;
use super::{Counts, Tree};

/// What was found.
#[derive(Debug, Default)]
pub struct Verified {
    /// What is there and right.
    pub counts: Counts,
    /// What is wrong, one line for each file.
    pub problems: Vec<String>,
}

/// Decodes everything of a tree.
///
/// # Errors
/// Exit code 3 when the store cannot be read. What is wrong with the tree is a problem, not an error.
pub async fn verify(repository: &Repository, tree: &Tree, mut on_bytes: impl FnMut(u64)) -> Result<Verified> {
    let mut found = Verified::default();
    match walk(repository, tree, &mut found, &mut on_bytes).await {
        Err(error) if error.exit() == Exit::Bad => found.problems.push(error.message()),
        other => other?,
    }
    if found.problems.is_empty() && found.counts != tree.counts {
        found.problems.push(format!(
            "the index has {} files, {} folders and {} links, the set says {}, {} and {}",
            found.counts.files,
            found.counts.folders,
            found.counts.links,
            tree.counts.files,
            tree.counts.folders,
            tree.counts.links
        ));
    }
    Ok(found)
}

async fn walk(
    repository: &Repository,
    tree: &Tree,
    found: &mut Verified,
    on_bytes: &mut impl FnMut(u64),
) -> Result<()> {
    let mut ranges = Ranges::new(repository, &tree.segments, tree.bytes, &tree.name)?;
    let mut index = Index::new(repository, tree);
    let mut end = 0;
    while let Some((entry, start)) = index.next().await? {
        let counts = &mut found.counts;
        match entry.kind {
            Kind::Folder => counts.folders += 1,
            Kind::Link => counts.links += 1,
            Kind::File => {
                counts.files += 1;
                counts.file_bytes += entry.size;
                counts.changed += u64::from(entry.changed);
            }
        }
        let mut hasher = blake3::Hasher::new();
        // Headers and padding too: every segment is decoded, whatever is in it.
        let mut read = ranges.read(end, start - end, |_| Ok(())).await;
        if read.is_ok() {
            read = ranges
                .read(start, entry.size, |part| {
                    hasher.update(part);
                    Ok(())
                })
                .await;
        }
        end = start + entry.size;
        on_bytes(entry.size);
        match read {
            Err(error) if error.exit() == Exit::Bad => {
                found
                    .problems
                    .push(format!("{}: {}", entry.label(), error.message()));
            }
            Err(error) => return Err(error),
            Ok(()) if entry.kind == Kind::File && hasher.finalize().to_hex().as_str() != entry.hash => {
                found.problems.push(format!(
                    "{}: its content is not the one that was read",
                    entry.label()
                ));
            }
            Ok(()) => {}
        }
    }
    ranges.read(end, tree.bytes - end, |_| Ok(())).await
}

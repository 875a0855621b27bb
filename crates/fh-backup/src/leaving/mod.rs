//! What a set carries for the day when this program is not at hand: a page for people (`sets/<id>.RESTORE.md`), and for
//! each database a shell script and a `toc.dat`, for each file tree a shell script, stored like all data, with which `age`, `zstd`,
//! `pg_restore` and `tar` suffice.

mod guide;
mod script;

use fh_core::{Error, Result};
use fh_repository::{Encryption, Repository, SegmentRef, SegmentWriter};
use serde::{Deserialize, Serialize};

use crate::archive::{Archive, stamp};
use crate::body::Database;
use crate::files::Tree;

pub use guide::text as guide;

/// The segments that the page leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// A shell script that lays the database out as a directory archive.
    pub script: SegmentRef,
    /// Its `toc.dat`.
    pub toc: SegmentRef,
}

/// Stores script and `toc.dat` of a database whose rows are stored already.
///
/// # Errors
/// Exit code 3 when they cannot be stored.
pub async fn store(
    writer: &SegmentWriter,
    archive: &Archive,
    database: &Database,
    encrypted: bool,
) -> Result<Leaving> {
    // Large objects are loaded by psql afterwards: a shell has no way from rows to their files.
    let files = |entry: &crate::archive::Entry| archive.data_file(entry).filter(|_| entry.kind != "BLOBS");
    let toc = writer.put(archive.to_directory_toc(files).into()).await?;
    let script = script::text(database, &toc, encrypted);
    Ok(Leaving {
        script: writer.put(script.into_bytes().into()).await?,
        toc,
    })
}

/// Stores the script of a file tree whose content is stored already.
///
/// # Errors
/// Exit code 3 when it cannot be stored.
pub async fn store_tree(writer: &SegmentWriter, tree: &Tree, encrypted: bool) -> Result<SegmentRef> {
    writer
        .put(script::tree(tree, encrypted).into_bytes().into())
        .await
}

/// Whether the script of a file tree can be read and is what this set needs.
///
/// # Errors
/// Exit code 1 when it is not, 3 when the store cannot be read.
pub async fn check_tree(repository: &Repository, tree: &Tree) -> Result<()> {
    let Some(stored) = &tree.leaving else {
        return Ok(());
    };
    let encrypted = *repository.encryption() != Encryption::None;
    if repository.read_segment(stored).await? == script::tree(tree, encrypted).into_bytes() {
        Ok(())
    } else {
        Err(Error::bad(format!(
            "the script that RESTORE.md leads to is not the one for {}",
            tree.name
        )))
    }
}

/// Whether script and `toc.dat` can be read and are what this set needs.
///
/// # Errors
/// Exit code 1 when they are not, 3 when the store cannot be read.
pub async fn check(repository: &Repository, archive: &Archive, database: &Database) -> Result<()> {
    let Some(leaving) = &database.leaving else {
        return Ok(());
    };
    let wrong = || {
        Error::bad(format!(
            "the script that RESTORE.md leads to is not the one for {}",
            database.name
        ))
    };
    let text = repository.read_segment(&leaving.script).await?;
    let encrypted = *repository.encryption() != Encryption::None;
    if text != script::text(database, &leaving.toc, encrypted).into_bytes() {
        return Err(wrong());
    }
    let toc = repository.read_segment(&leaving.toc).await?;
    let toc = Archive::read(&toc[..]).map_err(|error| wrong().because(error))?;
    if toc.entries == archive.entries {
        Ok(())
    } else {
        Err(wrong())
    }
}

/// The major version of the `pg_dump` that wrote the definitions: an older `pg_restore` cannot read them.
#[must_use]
pub fn dump_major(database: &Database) -> Option<u32> {
    let digits = database.pg_dump.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The archive with the time of the snapshot in its head, where the stored one has none.
#[must_use]
pub fn dated(mut archive: Archive, database: &Database) -> Archive {
    archive.created = stamp(database.snapshot_at);
    archive
}

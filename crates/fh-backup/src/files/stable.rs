//! Files that are written to while they are read.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use super::entry::{Entry, Kind};

/// Opens a file for reading; never follows a link that has just taken its place, and never waits for a pipe.
pub(super) fn open(path: &Path) -> std::io::Result<(File, Metadata)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// Whether the two looks at a file show the same content: size and modification time.
pub(super) fn same(one: &Metadata, other: &Metadata) -> bool {
    let key = |metadata: &Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    key(one) == key(other)
}

/// An index entry without a content yet.
pub(super) fn entry(path: Vec<u8>, kind: Kind, metadata: &Metadata) -> Entry {
    Entry {
        path,
        kind,
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        mtime: (
            metadata.mtime(),
            u32::try_from(metadata.mtime_nsec()).unwrap_or(0),
        ),
        skip: 0,
        size: 0,
        hash: String::new(),
        link: None,
        changed: false,
    }
}

/// A small file, read at once.
#[derive(Debug)]
pub struct Stable {
    /// Its content.
    pub content: Vec<u8>,
    /// What it was when it was opened.
    pub metadata: Metadata,
    /// Whether it changed while it was read, and again at the second attempt.
    pub changed: bool,
}

/// Reads a file of at most `limit` bytes; when it changes meanwhile, once more.
///
/// # Errors
/// When it cannot be read, is no regular file, or is larger.
pub fn read_whole(path: &Path, limit: u64) -> std::io::Result<Stable> {
    let mut tried = 0;
    loop {
        // A configuration file may be a link: to the one of this host, or into a mounted secret.
        let (file, before) = open(&path.canonicalize()?)?;
        if !before.is_file() {
            return Err(std::io::Error::other("it is no regular file"));
        }
        let mut content = Vec::new();
        (&file).take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(std::io::Error::other(format!("it is larger than {limit} bytes")));
        }
        let after = file.metadata()?;
        let changed = content.len() as u64 != before.len() || !same(&before, &after);
        tried += 1;
        if !changed || tried == 2 {
            return Ok(Stable {
                content,
                metadata: before,
                changed,
            });
        }
    }
}

//! Writes a tree, or a part of it, into an empty folder.
//!
//! Nothing is ever written through a link: links are made last, files are made anew and never opened, and the index is
//! checked before it is believed.

use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use fh_core::{Context as _, Error, Result};
use fh_repository::Repository;

use super::entry::{Entry, Kind};
use super::index::{Index, is_below};
use super::ranges::Ranges;
use super::{Counts, Tree, attributes};

/// What was restored.
#[derive(Debug, Default)]
pub struct Restored {
    /// What is in the target now, read back and equal.
    pub counts: Counts,
    /// Segments that had to be read.
    pub segments_read: u64,
    /// Whether something had another owner, who was left out: only the superuser can set one.
    pub owners_left_out: bool,
}

/// Restores into `to`, which must be empty or not exist. With `part`, only that path and what is below, at the same path
/// below `to`.
///
/// # Errors
/// Exit code 4 when the target is not empty, 2 when the tree has no such path, 1 when something stored is damaged, 3 when it
/// cannot be written.
pub async fn restore(
    repository: &Repository,
    tree: &Tree,
    to: &Path,
    part: Option<&str>,
    mut on_bytes: impl FnMut(u64),
) -> Result<Restored> {
    let part = part.map(|part| part.trim_matches('/').as_bytes());
    if part.is_some_and(|part| !is_below(part)) {
        return Err(Error::usage("--path is no path below a tree")
            .hint("give it as `fh-backup show` lists it, relative to the tree's root"));
    }
    prepare(to)?;
    let mut restored = Restored::default();
    let mut ranges = Ranges::new(repository, &tree.segments, tree.bytes, &tree.name)?;
    let mut index = Index::new(repository, tree);
    let (mut later, mut found) = (Vec::new(), false);
    while let Some((entry, start)) = index.next().await? {
        let above = part.is_some_and(|part| is_ancestor(&entry.path, part));
        let inside = part.is_none_or(|part| entry.path == part || is_ancestor(part, &entry.path));
        found |= inside;
        let way_there = above && entry.kind == Kind::Folder;
        if !(inside || way_there) {
            continue;
        }
        restored.owners_left_out |= attributes::owner_left_out(&entry);
        let path = to.join(std::ffi::OsStr::from_bytes(&entry.path));
        match entry.kind {
            Kind::File => {
                file(&mut ranges, &entry, start, &path, &mut on_bytes).await?;
                restored.counts.files += 1;
                restored.counts.file_bytes += entry.size;
                restored.counts.changed += u64::from(entry.changed);
            }
            Kind::Folder => {
                new_folder(&path)?;
                restored.counts.folders += 1;
                later.push((entry, path));
            }
            Kind::Link => {
                restored.counts.links += 1;
                later.push((entry, path));
            }
        }
    }
    if let Some(part) = part.filter(|_| !found) {
        return Err(Error::usage(format!(
            "the tree {} has no path {}",
            tree.name,
            String::from_utf8_lossy(part)
        ))
        .hint("paths are relative to the tree's root"));
    }
    links_and_folders(&later)?;
    restored.segments_read = ranges.segments_read;
    Ok(restored)
}

/// Makes the target, or sees that it is empty.
///
/// # Errors
/// Exit code 4 when it is not empty, 3 when it cannot be made.
pub(crate) fn prepare(to: &Path) -> Result<()> {
    match std::fs::read_dir(to) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Error::refused(format!("{} is not empty", to.display()))
                .hint("restore into a new folder, look at what came, and move it; nothing was changed")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(to).or_unable(|| format!("cannot make the folder {}", to.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            Err(Error::refused(format!("{} is no folder", to.display()))
                .hint("give a new folder; nothing was changed"))
        }
        Err(error) => Err(Error::unable(format!("cannot look into {}", to.display())).because(error)),
    }
}

/// Whether `path` is a folder that `of` lies in.
fn is_ancestor(path: &[u8], of: &[u8]) -> bool {
    of.len() > path.len() && of.starts_with(path) && of[path.len()] == b'/'
}

/// Closed to others until its content is there.
pub(crate) fn new_folder(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .or_unable(|| format!("cannot make the folder {}", path.display()))
}

/// A file that was not there before, readable by nobody else.
pub(crate) fn new_file(path: &Path) -> Result<std::fs::File> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .or_unable(|| format!("cannot make the file {}", path.display()))
}

async fn file(
    ranges: &mut Ranges<'_>,
    entry: &Entry,
    start: u64,
    path: &Path,
    on_bytes: &mut impl FnMut(u64),
) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = new_file(path)?;
    let mut hasher = blake3::Hasher::new();
    ranges
        .read(start, entry.size, |bytes| {
            hasher.update(bytes);
            on_bytes(bytes.len() as u64);
            file.write_all(bytes).or_unable(failed)
        })
        .await?;
    if hasher.finalize().to_hex().as_str() != entry.hash {
        return Err(Error::bad(format!(
            "{}: the stored content is not the one that was read",
            entry.label()
        )));
    }
    read_back(file, entry, path)?;
    attributes::set(path, entry)
}

/// What the file system gives back is what counts.
fn read_back(mut file: std::fs::File, entry: &Entry, path: &Path) -> Result<()> {
    use std::io::Seek as _;
    let failed = || format!("cannot read {} back", path.display());
    file.rewind().or_unable(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut portion = vec![0; 256 << 10];
    loop {
        let count = file.read(&mut portion).or_unable(failed)?;
        if count == 0 {
            break;
        }
        hasher.update(&portion[..count]);
    }
    if hasher.finalize().to_hex().as_str() == entry.hash {
        Ok(())
    } else {
        Err(Error::bad(format!(
            "{} does not read back as it was written",
            path.display()
        )))
    }
}

/// Links when all files are there; then the folders, innermost first, since a folder's time changes with what is made in
/// it and its mode may forbid making anything.
fn links_and_folders(later: &[(Entry, PathBuf)]) -> Result<()> {
    for (entry, path) in later {
        if let Some(target) = &entry.link {
            std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), path)
                .or_unable(|| format!("cannot make the link {}", path.display()))?;
            attributes::set(path, entry)?;
        }
    }
    for (entry, path) in later.iter().rev() {
        if entry.kind == Kind::Folder {
            attributes::set(path, entry)?;
        }
    }
    Ok(())
}

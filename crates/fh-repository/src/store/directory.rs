//! Objects as files of a folder.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::{Error, Result};
use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Deleted, Entry, Lock, Put, Store, no_locks};

/// Names that begin so are files in the making. A listing passes over them.
const TEMPORARY: &str = ".tmp-";

/// A folder on this machine. Files have mode 0600, folders 0700.
#[derive(Debug, Clone)]
pub struct DirStore {
    root: PathBuf,
    /// Whether locks were asked for, which there are none of here. What cannot be locked is not written.
    lockless: bool,
}

impl DirStore {
    /// The store in `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            lockless: false,
        }
    }

    /// The same store where the configuration asks for an Object Lock: it refuses to write.
    pub(crate) fn without_locks(self) -> Self {
        Self {
            lockless: true,
            ..self
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }
}

#[async_trait]
impl Store for DirStore {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        let path = self.path(key);
        blocking(move || match read_limited(&path, limit) {
            Ok(Some(bytes)) => Ok(Some(Bytes::from(bytes))),
            Ok(None) => Err(Error::bad(format!(
                "{} is larger than {limit} bytes",
                path.display()
            ))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, &error)),
        })
        .await
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        let path = self.path(key);
        if self.lockless {
            return Err(no_locks(&path.display().to_string()));
        }
        blocking(move || write_new(&path, &body).map_err(|error| explain("cannot write", &path, &error)))
            .await
    }

    async fn delete(&self, key: &str) -> Result<Deleted> {
        let path = self.path(key);
        blocking(move || match std::fs::remove_file(&path) {
            Ok(()) => Ok(Deleted::Gone),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Deleted::Gone),
            Err(error) => Err(explain("cannot remove", &path, &error)),
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        blocking(move || {
            let mut found = Vec::new();
            // Only the folder that the prefix names needs to be read.
            let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
            walk(&root, &root.join(folder), &mut found)?;
            found.retain(|entry| entry.key.starts_with(&prefix));
            found.sort_by(|a, b| a.key.cmp(&b.key));
            Ok(found)
        })
        .await
    }

    fn lock(&self) -> Option<Lock> {
        None
    }

    async fn lock_until(&self, key: &str, _: Timestamp) -> Result<()> {
        Err(no_locks(&self.path(key).display().to_string()))
    }

    async fn sweep_uploads(&self, older_than: Duration) -> Result<u64> {
        let root = self.root.clone();
        blocking(move || sweep(&root, SystemTime::now().checked_sub(older_than))).await
    }

    fn describe(&self) -> String {
        self.root.display().to_string()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crashed| Error::unable("a file operation ended early").because(crashed))?
}

fn read_limited(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Temporary file, fsync, rename that refuses to replace, fsync of the folder: after a crash there is the whole file or
/// none.
fn write_new(path: &Path, body: &[u8]) -> io::Result<Put> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if path.exists() {
        return Ok(Put::Exists);
    }
    make_folders(folder)?;
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
    file.write_all(body)?;
    file.as_file().sync_all()?;
    let created = match renameat_with(CWD, file.path(), CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {
            // It has its own name now; there is nothing left to remove.
            let _ = file.into_temp_path().keep();
            Ok(Put::Created)
        }
        Err(rustix::io::Errno::EXIST) => Ok(Put::Exists),
        // File systems without that flag (some network ones) have hard links, which do not replace either.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            match std::fs::hard_link(file.path(), path) {
                Ok(()) => Ok(Put::Created),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Put::Exists),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error.into()),
    }?;
    sync_folder(folder)?;
    Ok(created)
}

/// Makes a folder and those above it. Each is made durable in the one above: a file is no safer than the names on the
/// way to it.
fn make_folders(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new(""));
    make_folders(above)?;
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        // A run beside this one was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(above),
    }
}

/// Makes the names in a folder durable. Some network file systems cannot flush a folder; there the rename is all there
/// is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    match std::fs::File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Entry>) -> Result<()> {
    let failed = |path: &Path, error: io::Error| explain("cannot list", path, &error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let path = entry.path();
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // A temporary file of a run beside this one may go at any time.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(&path, error)),
        };
        if metadata.is_dir() {
            walk(root, &path, found)?;
        } else if !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let key = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            let modified = metadata
                .modified()
                .ok()
                .and_then(|time| Timestamp::try_from(time).ok());
            found.push(Entry {
                key,
                size: metadata.len(),
                modified,
            });
        }
    }
    Ok(())
}

/// Removes the files in the making that nobody has written to since `before`.
fn sweep(folder: &Path, before: Option<SystemTime>) -> Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(explain("cannot list", folder, &error)),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry.map_err(|error| explain("cannot list", folder, &error))?;
        let path = entry.path();
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // Its writer has just given it its name.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(explain("cannot list", &path, &error)),
        };
        if metadata.is_dir() {
            removed += sweep(&path, before)?;
        } else if entry.file_name().to_string_lossy().starts_with(TEMPORARY)
            && metadata
                .modified()
                .ok()
                .zip(before)
                .is_some_and(|(at, before)| at < before)
        {
            match std::fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(explain("cannot remove", &path, &error)),
            }
        }
    }
    Ok(removed)
}

/// An object that the disk cannot give back is lost, like one that was changed; a folder that cannot be reached is not.
fn unreadable(path: &Path, error: &io::Error) -> Error {
    let explained = explain("cannot read", path, error);
    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) {
        return Error::bad(explained.message())
            .because(io::Error::from(rustix::io::Errno::IO))
            .hint("the disk is failing: look at the system's log, and take a backup to another one now");
    }
    explained
}

fn explain(what: &str, path: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("free space on that file system; the sets that were there are untouched")
        }
        ErrorKind::PermissionDenied => {
            Some("run as the user that owns the repository, or give this user access to it")
        }
        ErrorKind::ReadOnlyFilesystem => Some("the file system is mounted read-only"),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Some("a part of that path is a file"),
        _ => None,
    };
    // tempfile adds the temporary name to its errors, which means nothing to people.
    let text = error.to_string();
    let cause = text
        .split_once(" at path ")
        .map_or(text.as_str(), |(reason, _)| reason);
    let cause = io::Error::new(error.kind(), cause);
    let error = Error::unable(format!("{what} {}", path.display())).because(cause);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: &io::Error) -> String {
        explain("cannot write", Path::new("/backups/sets/x.set"), error).render()
    }

    /// A test cannot fill a disk, and one that runs as root is let in everywhere.
    #[test]
    fn the_usual_reasons_have_advice() {
        use rustix::io::Errno;
        for (reason, advice) in [
            (
                Errno::NOSPC,
                "free space on that file system; the sets that were there are untouched",
            ),
            (
                Errno::DQUOT,
                "free space on that file system; the sets that were there are untouched",
            ),
            (
                Errno::ACCESS,
                "run as the user that owns the repository, or give this user access to it",
            ),
            (Errno::ROFS, "the file system is mounted read-only"),
            (Errno::NOTDIR, "a part of that path is a file"),
        ] {
            let cause = io::Error::from(reason);
            let expected =
                format!("error: cannot write /backups/sets/x.set\ncaused by: {cause}\nhint: {advice}");
            assert_eq!(said(&reason.into()), expected);
        }
    }

    #[test]
    fn the_path_is_named_once() {
        let error = tempfile::NamedTempFile::new_in("/backups/nothing").unwrap_err();
        assert!(error.to_string().contains("/backups/nothing"), "{error}");
        assert_eq!(
            said(&error),
            "error: cannot write /backups/sets/x.set\ncaused by: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn what_the_disk_cannot_give_back_is_bad_and_not_merely_out_of_reach() {
        let path = Path::new("/backups/x");
        let exit = |reason: rustix::io::Errno| unreadable(path, &reason.into()).exit();
        assert_eq!(exit(rustix::io::Errno::IO), fh_core::Exit::Bad);
        assert_eq!(exit(rustix::io::Errno::ACCESS), fh_core::Exit::Unable);
    }
}

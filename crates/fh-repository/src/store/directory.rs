//! Objects as files of a folder.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::{Error, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Entry, Put, Store};

/// Names that begin so are files in the making. A listing passes over them.
const TEMPORARY: &str = ".tmp-";

/// A folder on this machine. Files have mode 0600, folders 0700.
#[derive(Debug, Clone)]
pub struct DirStore {
    root: PathBuf,
}

impl DirStore {
    /// The store in `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
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
            Err(error) => Err(explain("cannot read", &path, &error)),
        })
        .await
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        let path = self.path(key);
        blocking(move || write_new(&path, &body).map_err(|error| explain("cannot write", &path, &error)))
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
    let file = fs_err::File::open(path)?;
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
            match fs_err::hard_link(file.path(), path) {
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

fn make_folders(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    folder.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
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
                .and_then(|time| jiff::Timestamp::try_from(time).ok());
            found.push(Entry {
                key,
                size: metadata.len(),
                modified,
            });
        }
    }
    Ok(())
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
        ErrorKind::NotADirectory => Some("a part of that path is a file"),
        _ => None,
    };
    // fs-err repeats the path that the message already names.
    let bare = io::Error::from(error.kind());
    let cause = error.raw_os_error().map_or(bare, io::Error::from_raw_os_error);
    let error = Error::unable(format!("{what} {}", path.display())).because(cause);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

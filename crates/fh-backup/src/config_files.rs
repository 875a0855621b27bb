//! Configuration files such as `.env`: stored complete, and therefore only where everything is encrypted.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use fh_core::{Context as _, Error, Result};
use fh_repository::{Encryption, Repository, SegmentRef, SegmentWriter};
use serde::{Deserialize, Serialize};

use crate::files::{self, read_whole};

/// A configuration file of more bytes than this is something else.
const LIMIT: u64 = 16 << 20;

/// One configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    /// Where it was: an absolute path.
    pub path: String,
    /// BLAKE3 of its content.
    pub hash: String,
    /// Its content; nothing for an empty file.
    pub segments: Vec<SegmentRef>,
    /// Whether it changed while it was read, and again at the second attempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

/// Refuses to store secrets in clear.
///
/// # Errors
/// Exit code 4 when the repository is not encrypted.
pub fn check_encrypted(paths: &[PathBuf], repository: &Repository) -> Result<()> {
    if paths.is_empty() || *repository.encryption() != Encryption::None {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} configuration file(s) would be stored in clear in {}",
        paths.len(),
        repository.describe()
    ))
    .hint("make an encrypted repository with `fh-backup init --recipient …`, or take backup.config_files out; nothing was written"))
}

/// Stores the files, complete.
///
/// # Errors
/// Exit code 3 when one cannot be read or stored.
pub async fn take(paths: &[PathBuf], writer: &SegmentWriter) -> Result<Vec<ConfigFile>> {
    let mut taken = Vec::new();
    for path in paths {
        let failed = || format!("cannot read the configuration file {}", path.display());
        let absolute = std::path::absolute(path).or_unable(failed)?;
        let name = absolute.to_str().ok_or_else(|| {
            Error::usage(format!("the path {} is not UTF-8", path.display()))
                .hint("such a file can be backed up as part of a tree in backup.files")
        })?;
        let read = read_whole(&absolute, LIMIT).or_unable(failed)?;
        let hash = blake3::hash(&read.content).to_hex().to_string();
        let segments = if read.content.is_empty() {
            Vec::new()
        } else {
            vec![writer.put(read.content.into()).await?]
        };
        taken.push(ConfigFile {
            path: name.to_owned(),
            hash,
            segments,
            changed: read.changed,
        });
    }
    Ok(taken)
}

/// The content of a stored file, compared with its hash.
///
/// # Errors
/// Exit code 1 when it is missing or damaged, 3 when the store cannot be read.
pub async fn read(repository: &Repository, file: &ConfigFile) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    for segment in &file.segments {
        content.extend(repository.read_segment(segment).await?);
    }
    if blake3::hash(&content).to_hex().as_str() == file.hash {
        Ok(content)
    } else {
        Err(Error::bad(format!(
            "{}: the stored content is not the one that was read",
            file.path
        )))
    }
}

/// Writes the files below `to`, each at its whole path, readable by its owner only.
///
/// # Errors
/// Exit code 4 when `to` is not empty, 1 when a file is damaged or has a path that leads elsewhere, 3 when one cannot be
/// written.
pub async fn restore(repository: &Repository, files: &[ConfigFile], to: &Path) -> Result<()> {
    use std::io::Write as _;
    files::prepare(to)?;
    for file in files {
        let below = below(&file.path)?;
        let content = read(repository, file).await?;
        let mut folder = to.to_owned();
        for name in below.parent().into_iter().flat_map(Path::components) {
            folder.push(name);
            if !folder.symlink_metadata().is_ok_and(|there| there.is_dir()) {
                files::new_folder(&folder)?;
            }
        }
        let path = to.join(&below);
        let written = files::new_file(&path)?.write_all(&content);
        written.or_unable(|| format!("cannot write {}", path.display()))?;
        let back = std::fs::read(&path).or_unable(|| format!("cannot read {} back", path.display()))?;
        if back != content {
            return Err(Error::bad(format!(
                "{} does not read back as it was written",
                path.display()
            )));
        }
    }
    Ok(())
}

/// The path without its root, when it consists of names only.
fn below(path: &str) -> Result<PathBuf> {
    let mut below = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::RootDir => {}
            Component::Normal(name) if !name.as_bytes().contains(&0) => below.push(name),
            _ => return Err(outside(path)),
        }
    }
    if below.as_os_str().is_empty() {
        Err(outside(path))
    } else {
        Ok(below)
    }
}

fn outside(path: &str) -> Error {
    Error::bad(format!(
        "the set has a configuration file with the path {path:?}, which leads out of the folder"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        assert_eq!(below("/etc/shop/.env").unwrap(), Path::new("etc/shop/.env"));
        assert_eq!(below("etc/./x").unwrap(), Path::new("etc/x"));
        for wrong in ["", "/", "..", "/etc/../../x", "./x", "a\0b"] {
            assert!(below(wrong).is_err(), "{wrong:?}");
        }
    }
}

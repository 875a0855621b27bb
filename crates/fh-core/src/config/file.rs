//! Which file, and its text.

use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Hint, Result};

/// The file's usual name.
pub const FILE_NAME: &str = "financehub.toml";

/// The file to read: the one that `--config` or `FH_CONFIG` names, else `financehub.toml` in `cwd` or the nearest
/// folder above it, up to the one that holds the repository (`.git`). `None` when there is none.
///
/// # Errors
/// Exit code 2 when a named file does not exist.
pub(super) fn choose(flag: Option<&Path>, variable: Option<String>, cwd: &Path) -> Result<Option<PathBuf>> {
    let named = match (flag, variable) {
        (Some(path), _) => Some((path.to_owned(), "--config")),
        (None, Some(path)) => Some((PathBuf::from(path), "FH_CONFIG")),
        (None, None) => None,
    };
    if let Some((path, by)) = named {
        let path = cwd.join(path);
        return if path.exists() {
            Ok(Some(path))
        } else {
            Err(Error::usage(format!(
                "the configuration file {} does not exist",
                shown(&path, cwd).display()
            ))
            .hint(format!(
                "{by} names it; correct the path, or leave it out to use {FILE_NAME}"
            )))
        };
    }
    for folder in cwd.ancestors() {
        let path = folder.join(FILE_NAME);
        if path.is_file() {
            return Ok(Some(path));
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    Ok(None)
}

/// The text of the file.
///
/// # Errors
/// Exit code 2 when it cannot be read or is not UTF-8.
pub(super) fn text(path: &Path, cwd: &Path) -> Result<String> {
    let name = shown(path, cwd);
    let bytes = std::fs::read(path)
        .or_usage(|| format!("cannot read the configuration file {}", name.display()))
        .hint(|| "check that it is a file and that this user may read it")?;
    // Not the error of the conversion: it holds the bytes.
    String::from_utf8(bytes).map_err(|_| {
        Error::usage(format!(
            "the configuration file {} is not valid UTF-8",
            name.display()
        ))
        .hint("save it as UTF-8")
    })
}

/// The path as people would write it from `cwd`.
pub(super) fn shown(path: &Path, cwd: &Path) -> PathBuf {
    path.strip_prefix(cwd).unwrap_or(path).to_owned()
}

//! Walks a tree in the order of the stream: a folder before what is in it, names in the order of their bytes.

use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::exclude::Exclude;

/// What the walk came upon.
#[derive(Debug)]
pub(super) enum Found {
    /// Something with its path below the root and what it is (of a link, the link itself).
    Thing(Vec<u8>, PathBuf, Metadata),
    /// Something that could not be looked at or, for a folder, into.
    Unreadable(Vec<u8>, std::io::Error),
}

/// An iterator that holds the names of the folders it is in, and no more.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    root: &'a Path,
    exclude: &'a Exclude,
    /// The open folders, outermost first: path below the root, and the names that are left, last one first.
    open: Vec<(Vec<u8>, Vec<OsString>)>,
    /// A folder that was just given, and is to be opened next.
    enter: Option<Vec<u8>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, exclude: &'a Exclude) -> Self {
        Self {
            root,
            exclude,
            open: Vec::new(),
            enter: Some(Vec::new()),
        }
    }

    fn absolute(&self, path: &[u8]) -> PathBuf {
        if path.is_empty() {
            self.root.to_owned()
        } else {
            self.root.join(std::ffi::OsStr::from_bytes(path))
        }
    }

    fn names(&self, path: &[u8]) -> std::io::Result<Vec<OsString>> {
        let mut names = std::fs::read_dir(self.absolute(path))?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<std::io::Result<Vec<_>>>()?;
        names.sort_unstable_by(|one, other| other.as_bytes().cmp(one.as_bytes()));
        Ok(names)
    }
}

impl Iterator for Walk<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if let Some(folder) = self.enter.take() {
            match self.names(&folder) {
                Ok(names) => self.open.push((folder, names)),
                Err(error) => return Some(Found::Unreadable(folder, error)),
            }
        }
        loop {
            let (folder, names) = self.open.last_mut()?;
            let Some(name) = names.pop() else {
                self.open.pop();
                continue;
            };
            let mut path = folder.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name.as_bytes());
            if self.exclude.covers(&path) {
                continue;
            }
            let absolute = self.absolute(&path);
            return Some(match std::fs::symlink_metadata(&absolute) {
                Ok(metadata) => {
                    if metadata.is_dir() {
                        self.enter = Some(path.clone());
                    }
                    Found::Thing(path, absolute, metadata)
                }
                Err(error) => Found::Unreadable(path, error),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_by_bytes_and_excluded_folders_are_not_entered() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/b", "a-b/x", "skip/y", "a/c.tmp/z"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("B"), "").unwrap();
        let exclude = Exclude::parse(&["skip".to_owned(), "*.tmp".to_owned()]).unwrap();
        let paths: Vec<String> = Walk::new(folder.path(), &exclude)
            .map(|found| match found {
                Found::Thing(path, ..) => String::from_utf8(path).unwrap(),
                Found::Unreadable(path, error) => format!("{path:?}: {error}"),
            })
            .collect();
        assert_eq!(paths, ["B", "a", "a/b", "a-b", "a-b/x"]);
    }
}

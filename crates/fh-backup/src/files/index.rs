//! Reads the index of a tree, and trusts nothing in it.
//!
//! The index was hashed like every segment, but a set may come from a host that was broken into: a path that leads out of
//! the target folder must not be followed, whoever wrote it.

use std::cmp::Ordering;
use std::collections::VecDeque;

use fh_core::{Context as _, Error, Result};
use fh_repository::{Repository, SegmentRef};

use super::Tree;
use super::entry::{Entry, Kind};

/// A line longer than this is no entry: two paths of 4096 bytes in hexadecimal are far below.
const LONGEST_LINE: usize = 64 << 10;

/// The entries of a tree, in the order of the stream.
#[derive(Debug)]
pub struct Index<'a> {
    repository: &'a Repository,
    left: VecDeque<SegmentRef>,
    /// What was read and not yet given: from `at` on.
    buffer: Vec<u8>,
    at: usize,
    rules: Rules,
}

impl<'a> Index<'a> {
    /// From the first entry on.
    #[must_use]
    pub fn new(repository: &'a Repository, tree: &Tree) -> Self {
        Self {
            repository,
            left: tree.index.iter().cloned().collect(),
            buffer: Vec::new(),
            at: 0,
            rules: Rules::new(tree),
        }
    }

    /// The next entry, and where its content begins in the stream.
    ///
    /// # Errors
    /// Exit code 1 when the index is damaged or has an entry that no tree can have, 3 when the store cannot be read.
    pub async fn next(&mut self) -> Result<Option<(Entry, u64)>> {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(end) = memchr::memchr(b'\n', rest) {
                let entry: Entry = serde_json::from_slice(&rest[..end])
                    .or_bad(|| format!("the index of {} has a line that is not readable", self.rules.name))?;
                self.at += end + 1;
                let start = self.rules.check(&entry)?;
                return Ok(Some((entry, start)));
            }
            if rest.len() > LONGEST_LINE {
                return Err(Error::bad(format!(
                    "the index of {} has a line without end",
                    self.rules.name
                )));
            }
            let Some(segment) = self.left.pop_front() else {
                return if rest.is_empty() {
                    Ok(None)
                } else {
                    Err(Error::bad(format!(
                        "the index of {} ends in the middle of a line",
                        self.rules.name
                    )))
                };
            };
            self.buffer.drain(..self.at);
            self.at = 0;
            self.buffer.extend(self.repository.read_segment(&segment).await?);
        }
    }
}

/// What holds in every index that was honestly written.
#[derive(Debug)]
pub(super) struct Rules {
    name: String,
    bytes: u64,
    /// End of the last content.
    end: u64,
    last: Vec<u8>,
    /// The folders that the next entry may lie in, outermost first.
    folders: Vec<Vec<u8>>,
}

impl Rules {
    pub(super) fn new(tree: &Tree) -> Self {
        Self {
            name: tree.name.clone(),
            bytes: tree.bytes,
            end: 0,
            last: Vec::new(),
            folders: Vec::new(),
        }
    }

    /// Checks an entry against those before it, and gives the offset of its content.
    pub(super) fn check(&mut self, entry: &Entry) -> Result<u64> {
        let bad = |why: &str| {
            Error::bad(format!("the index of {} is wrong: {} {why}", self.name, entry.label()))
                .hint("this set was not written by an honest fh-backup: nothing outside the target folder was touched")
        };
        if !is_below(&entry.path) {
            return Err(bad("leads out of the folder"));
        }
        if order(&self.last, &entry.path) != Ordering::Less {
            return Err(bad("is not in order, or is there twice"));
        }
        while let Some(folder) = self.folders.last() {
            if entry.path.starts_with(folder) && entry.path.get(folder.len()) == Some(&b'/') {
                break;
            }
            self.folders.pop();
        }
        let parent = self.folders.last().map_or(&b""[..], Vec::as_slice);
        let name_at = entry.path.iter().rposition(|byte| *byte == b'/');
        if name_at.map_or(&b""[..], |at| &entry.path[..at]) != parent {
            return Err(bad("lies in something that is no folder"));
        }
        let fits = match entry.kind {
            Kind::File => entry.link.is_none() && entry.hash.len() == 64,
            Kind::Folder => entry.link.is_none() && entry.size == 0,
            Kind::Link => {
                entry.size == 0
                    && entry
                        .link
                        .as_ref()
                        .is_some_and(|link| !link.is_empty() && !link.contains(&0))
            }
        };
        if !fits {
            return Err(bad("has what its kind has not"));
        }
        let start = self.end.checked_add(entry.skip);
        let end = start
            .and_then(|start| start.checked_add(entry.size))
            .filter(|end| *end <= self.bytes);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(bad("lies beyond the end of the stream"));
        };
        self.end = end;
        self.last.clone_from(&entry.path);
        if entry.kind == Kind::Folder {
            self.folders.push(entry.path.clone());
        }
        Ok(start)
    }
}

/// A relative path of real names.
pub(super) fn is_below(path: &[u8]) -> bool {
    !path.is_empty()
        && !path.contains(&0)
        && path
            .split(|byte| *byte == b'/')
            .all(|name| !name.is_empty() && name != b"." && name != b"..")
}

/// The order of the walk: name by name.
fn order(one: &[u8], other: &[u8]) -> Ordering {
    if one.is_empty() {
        return if other.is_empty() {
            Ordering::Equal
        } else {
            Ordering::Less
        };
    }
    let names = |path| <[u8]>::split(path, |byte| *byte == b'/');
    names(one).cmp(names(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, kind: Kind) -> Entry {
        Entry {
            path: path.into(),
            kind,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            skip: 512,
            size: 0,
            hash: if kind == Kind::File {
                "0".repeat(64)
            } else {
                String::new()
            },
            link: (kind == Kind::Link).then(|| b"/etc".to_vec()),
            changed: false,
        }
    }

    fn check(entries: &[Entry]) -> Result<()> {
        let mut rules = Rules::new(&Tree {
            bytes: 100_000,
            ..Tree::default()
        });
        entries.iter().try_for_each(|entry| rules.check(entry).map(drop))
    }

    #[test]
    fn an_honest_tree_is_accepted() {
        let folder = |path| entry(path, Kind::Folder);
        let file = |path| entry(path, Kind::File);
        check(&[
            file("B"),
            folder("a"),
            folder("a/b"),
            file("a/b/c"),
            file("a/c"),
            folder("a-b"),
            file("a-b/x"),
            entry("z", Kind::Link),
        ])
        .unwrap();
    }

    /// Every way out of the target folder that a path can try.
    #[test]
    fn no_path_escapes() {
        let file = |path| entry(path, Kind::File);
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "..",
            ".",
            "a/./b",
            "a//b",
            "a/",
            "",
            "a\0b",
        ] {
            let error = check(&[entry("a", Kind::Folder), file(path)]).unwrap_err();
            assert_eq!(error.exit(), fh_core::Exit::Bad, "{path:?}");
        }
        for trick in [
            // Through a link that is made first.
            vec![entry("a", Kind::Link), file("a/passwd")],
            // Through a folder that becomes a link.
            vec![entry("a", Kind::Folder), entry("a", Kind::Link), file("a/passwd")],
            // Through a folder that was never named, and might be there.
            vec![file("a/passwd")],
            // Below a file.
            vec![file("a"), file("a/b")],
            // The same twice.
            vec![file("a"), file("a")],
            // Out of order, to come back to a folder that was left.
            vec![entry("b", Kind::Folder), entry("a", Kind::Folder)],
        ] {
            assert!(check(&trick).is_err(), "{trick:?}");
        }
    }

    #[test]
    fn contents_lie_in_the_stream() {
        let mut far = entry("a", Kind::File);
        for (skip, size) in [(u64::MAX, 1), (512, u64::MAX), (100_000, 1), (99_999, 2)] {
            (far.skip, far.size) = (skip, size);
            assert!(check(std::slice::from_ref(&far)).is_err(), "{skip} {size}");
        }
        (far.skip, far.size) = (99_999, 1);
        check(&[far]).unwrap();
    }
}

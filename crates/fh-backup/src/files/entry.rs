//! One line of a tree's index.

use serde::{Deserialize, Serialize};

use super::names;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
}

/// A file, folder or symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Path below the tree's root, in bytes. Names that are not UTF-8 are written in hexadecimal.
    #[serde(flatten, with = "names::path")]
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permission bits, with set-user-ID, set-group-ID and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time: seconds since 1970, and nanoseconds.
    pub mtime: (i64, u32),
    /// Bytes of the stream from the end of the last content to the beginning of this one: padding and headers.
    pub skip: u64,
    /// Bytes of the content; nothing for folders and links.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub size: u64,
    /// BLAKE3 of a file's content.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// Target of a link, in bytes.
    #[serde(flatten, with = "names::link")]
    pub link: Option<Vec<u8>>,
    /// Whether the file changed while it was read, and again at the second attempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Entry {
    /// The path for messages: what is not UTF-8 or would disturb a terminal is escaped.
    #[must_use]
    pub fn label(&self) -> String {
        names::shown(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_survives_json() {
        for path in [&b"a b/\n\"quoted\""[..], b"caf\xc3\xa9", b"not-utf8-\xff\xfe/x"] {
            for link in [None, Some(b"../t".to_vec()), Some(vec![0xff])] {
                let entry = Entry {
                    path: path.to_vec(),
                    kind: Kind::Link,
                    mode: 0o777,
                    uid: 0,
                    gid: u32::MAX,
                    mtime: (-1, 5),
                    skip: 512,
                    size: 0,
                    hash: String::new(),
                    link,
                    changed: false,
                };
                let line = serde_json::to_string(&entry).unwrap();
                assert!(!line.contains('\n'), "{line}");
                assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry, "{line}");
            }
        }
    }
}

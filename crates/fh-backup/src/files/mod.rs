//! File trees: one deterministic tar stream, cut by its content, with an index of what is where.
//!
//! The stream is what GNU tar reads: folders before what is in them, names in the order of their bytes, numeric owners. It
//! is cut by FastCDC, so that an unchanged file gives the same segments again wherever it has moved to. The index says for
//! each path where its content begins, how long it is, and its hash; one file can be restored without reading the rest.

mod attributes;
mod chunker;
mod entry;
mod exclude;
mod index;
mod names;
mod ranges;
mod reader;
mod restore;
mod stable;
mod stream;
mod take;
mod verify;
mod walk;

use fh_repository::SegmentRef;
use serde::{Deserialize, Serialize};

pub use chunker::{Chunker, Cut};
pub use entry::{Entry, Kind};
pub use exclude::Exclude;
pub use index::Index;
pub use restore::{Restored, restore};
pub(crate) use restore::{new_file, new_folder, prepare};
pub use stable::{Stable, read_whole};
pub use take::{Options, check_names, take};
pub use verify::{Verified, verify};

/// One tree of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Its name in the configuration.
    pub name: String,
    /// Where it was.
    pub path: String,
    /// Files, folders and symbolic links in it.
    pub counts: Counts,
    /// Bytes of the tar stream.
    pub bytes: u64,
    /// The tar stream.
    pub segments: Vec<SegmentRef>,
    /// The index: lines of JSON, one for each entry, in the order of the stream.
    pub index: Vec<SegmentRef>,
    /// A shell script that lays it out without this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<SegmentRef>,
    /// What is not in it although it was there, or changed while it was read, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How much is in a tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub file_bytes: u64,
    /// Folders.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Files that changed while they were read, twice: what is there is a mixture of two moments.
    pub changed: u64,
}

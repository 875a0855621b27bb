//! A set: the manifest of one backup. Its file is the commit point.
//!
//! Line 1 is `{"mac":"…","header":{…}}`, clear JSON; what follows the newline is the summary and then the body, each zstd
//! and perhaps age. The seal covers the header's bytes as they stand, and the header holds the hashes of both, so nothing
//! in the file can change unseen.

use bytes::Bytes;
use fh_core::{Context as _, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::key::RepositoryKey;
use crate::summary::SummaryEntry;

/// Prefix of every set's key.
pub(crate) const FOLDER: &str = "sets/";
/// Ending of every set's key.
pub(crate) const ENDING: &str = ".set";
/// Ending of the key of a set's page for people.
pub(crate) const GUIDE_ENDING: &str = ".RESTORE.md";
/// Size of such a page at most.
pub(crate) const GUIDE_LIMIT: u64 = 16 << 20;
/// Size of a set file at most: a header line for ten million segments would fit.
pub(crate) const LIMIT: u64 = 4 << 30;

/// An object in the store as its set describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoredObject {
    /// File name below `segments/`.
    pub object: String,
    /// Stored bytes.
    pub size: u64,
    /// BLAKE3 of the stored bytes, 64 hexadecimal digits.
    pub hash: String,
    /// The end of its Object Lock when the set was written, if the store locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<jiff::Timestamp>,
}

/// Sums over a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Tables with data.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Plain bytes.
    pub plain_bytes: u64,
    /// Stored bytes of every segment that the set names.
    pub stored_bytes: u64,
    /// Segments that the set names.
    pub segments: u64,
    /// Segments that this backup wrote.
    pub new_segments: u64,
    /// Their stored bytes.
    pub new_bytes: u64,
}

/// The page beside a set that says how to restore it without this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// Bytes of the page.
    pub size: u64,
    /// BLAKE3 of its bytes, 64 hexadecimal digits.
    pub hash: String,
}

/// What a set holds besides rows. Counts only: the header is in clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Roles of the server.
    pub roles: u64,
    /// File trees.
    pub trees: u64,
    /// Files in them.
    pub files: u64,
    /// Bytes of those files.
    pub file_bytes: u64,
    /// Configuration files.
    pub config_files: u64,
    /// Keys of Redis.
    pub redis_keys: u64,
}

/// What the maker of a set says about it; the rest of the header follows from what was written.
#[derive(Debug, Clone, Default)]
pub struct SetFields {
    /// Name of the host that took it.
    pub host: String,
    /// Name and version of the program.
    pub tool: String,
    /// Project, from the configuration.
    pub project: String,
    /// Environment, for example `production`.
    pub environment: Option<String>,
    /// Names of the databases.
    pub databases: Vec<String>,
    /// When the data was seen.
    pub snapshot_at: Option<jiff::Timestamp>,
    /// Tables with data.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Plain bytes.
    pub plain_bytes: u64,
    /// Text of `sets/<id>.RESTORE.md`, in clear; `{set}` stands for the set's id.
    pub guide: Option<String>,
    /// What is in it, as far as a host without a private key may know.
    pub summary: Vec<SummaryEntry>,
    /// Whether it holds suspiciously less than the one before it.
    pub collapsed: bool,
    /// What there is besides rows.
    pub contents: Contents,
}

/// The clear part of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetHeader {
    /// Format version.
    pub version: u32,
    /// Id of the set; also its file name.
    pub id: String,
    /// Id of the repository it belongs to.
    pub repository: String,
    /// When it was committed.
    pub created: jiff::Timestamp,
    /// When the data was seen.
    pub snapshot_at: Option<jiff::Timestamp>,
    /// Name of the host that took it.
    pub host: String,
    /// Name and version of the program.
    pub tool: String,
    /// Project.
    pub project: String,
    /// Environment.
    pub environment: Option<String>,
    /// Names of the databases.
    pub databases: Vec<String>,
    /// Sums.
    pub totals: Totals,
    /// Whether it holds suspiciously less than the one before it. Until somebody accepts it, it does not count among the
    /// sets that let older ones go.
    pub collapsed: bool,
    /// Stored bytes of the summary.
    pub summary_size: u64,
    /// BLAKE3 of the stored summary.
    pub summary_hash: String,
    /// Plain bytes of the summary.
    pub summary_plain_size: u64,
    /// What there is besides rows; zeros in sets of earlier versions.
    #[serde(default)]
    pub contents: Contents,
    /// Stored bytes of the body.
    pub body_size: u64,
    /// BLAKE3 of the stored body.
    pub body_hash: String,
    /// Plain bytes of the body.
    pub body_plain_size: u64,
    /// Number of the key rotation in force when it was taken; 0 before the first.
    #[serde(default)]
    pub rotation: u64,
    /// Whom everything that the set needs is encrypted to: each of them can read all of it. Empty in clear repositories.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// Its page for people, when it has one.
    #[serde(default)]
    pub guide: Option<Guide>,
    /// The place whose locks the objects' `locked_until` are. A copy elsewhere has other ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_in: Option<String>,
    /// Every object that the set names, in order of their names.
    pub segments: Vec<StoredObject>,
}

impl SetHeader {
    /// The header without the list of objects, for listings.
    #[must_use]
    pub fn summary(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("segments");
        }
        value
    }
}

/// A set that was read and whose seal is right.
#[derive(Debug, Clone)]
pub struct Set {
    /// Its id.
    pub id: String,
    /// The clear part.
    pub header: SetHeader,
    /// The stored summary.
    pub(crate) summary: Bytes,
    /// The stored body.
    pub(crate) body: Bytes,
}

/// Whether a set can be used.
#[derive(Debug, Clone)]
pub enum SetState {
    /// Complete, with the seal of this repository.
    Good(Box<SetHeader>),
    /// Not usable, and why.
    Damaged(String),
}

/// One line of a listing.
#[derive(Debug, Clone)]
pub struct SetSummary {
    /// Its id, from the file name.
    pub id: String,
    /// When it was written, by the store's clock.
    pub modified: Option<jiff::Timestamp>,
    /// Whether it can be used.
    pub state: SetState,
}

#[derive(Serialize, Deserialize)]
struct FirstLine<'a> {
    mac: String,
    #[serde(borrow)]
    header: &'a RawValue,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Writes a set file.
pub(crate) fn encode(key: &RepositoryKey, header: &SetHeader, summary: &[u8], body: &[u8]) -> Result<Bytes> {
    let failed = || "cannot write the set's header";
    let raw = serde_json::value::to_raw_value(header).or_unable(failed)?;
    let line = FirstLine {
        mac: key.seal(raw.get().as_bytes()).to_hex().to_string(),
        header: &raw,
    };
    let mut bytes = serde_json::to_vec(&line).or_unable(failed)?;
    bytes.push(b'\n');
    bytes.extend_from_slice(summary);
    bytes.extend_from_slice(body);
    Ok(bytes.into())
}

/// The format that this program writes, and the newest it reads.
pub(crate) const VERSION: u32 = 1;

/// Reads the first line of a set file and checks its seal: the header's text, and the bytes after the line.
pub(crate) fn open_line<'a>(key: &RepositoryKey, id: &str, bytes: &'a Bytes) -> Result<(&'a str, Bytes)> {
    let damaged = |why: &str| Error::bad(format!("set {id} is damaged: {why}"));
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| damaged("its header has no end"))?;
    let line: FirstLine<'_> = serde_json::from_slice(&bytes[..end])
        .map_err(|error| damaged("its header is not readable").because(error))?;
    let seal = blake3::Hash::from_hex(&line.mac).map_err(|_| damaged("its seal is not readable"))?;
    // blake3::Hash compares in constant time.
    if key.seal(line.header.get().as_bytes()) != seal {
        return Err(damaged(
            "its seal is wrong: the header was changed, or it belongs to another repository",
        ));
    }
    Ok((line.header.get(), bytes.slice(end + 1..)))
}

/// Reads a set file and checks everything that can be checked without a private key.
pub(crate) fn decode(key: &RepositoryKey, repository: &str, id: &str, bytes: &Bytes) -> Result<Set> {
    let damaged = |why: &str| Error::bad(format!("set {id} is damaged: {why}"));
    let (text, rest) = open_line(key, id, bytes)?;
    let newer = serde_json::from_str(text).is_ok_and(|seen: Version| seen.version > VERSION);
    if newer {
        return Err(
            Error::unable(format!("set {id} was written by a newer version of fh-backup"))
                .hint("use that version, or a newer one, to read it"),
        );
    }
    let header: SetHeader = serde_json::from_str(text)
        .map_err(|error| damaged("its header is of a form that this version does not know").because(error))?;
    if header.id != id {
        return Err(damaged("it was renamed: its header has another id"));
    }
    if header.repository != repository {
        return Err(damaged("it belongs to another repository"));
    }
    if header.summary_size.checked_add(header.body_size) != Some(rest.len() as u64) {
        return Err(damaged("its body was cut or grew"));
    }
    let (summary, body) = split(&rest, header.summary_size);
    if blake3::hash(&summary).to_hex().as_str() != header.summary_hash {
        return Err(damaged("its summary was changed"));
    }
    if blake3::hash(&body).to_hex().as_str() != header.body_hash {
        return Err(damaged("its body was changed"));
    }
    Ok(Set {
        id: id.to_owned(),
        header,
        summary,
        body,
    })
}

fn split(rest: &Bytes, at: u64) -> (Bytes, Bytes) {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(rest.len());
    (rest.slice(..at), rest.slice(at..))
}

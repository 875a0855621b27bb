//! Evidence: what verifications and drills found, kept as sealed documents beside the sets.
//!
//! A backup host that only writes can make none up without the repository key, and whoever can write to the store but has
//! no key cannot either. Bad results are evidence too.

mod standing;

use std::collections::HashMap;
use std::fmt;

use fh_core::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::repository::Repository;

pub use standing::{Last, Standing, Standings, newest};

/// Prefix of the keys of all evidence.
pub const FOLDER: &str = "evidence/";

/// What was done with the set. Later ones see what earlier ones see, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Size and hash of a part of the objects.
    VerifySubset,
    /// Seal, and size and hash of every object.
    VerifyQuick,
    /// Besides, every row decrypted, decompressed, counted and hashed.
    VerifyFull,
    /// Restored into a database and compared there.
    Drill,
}

impl Kind {
    /// The word in documents, keys and listings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::VerifySubset => "verify-subset",
            Self::VerifyQuick => "verify-quick",
            Self::VerifyFull => "verify-full",
            Self::Drill => "drill",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What came out. A run that could not find out leaves no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything that was looked at is as it should be.
    Good,
    /// Something is not.
    Bad,
}

/// Which part of the objects was read: number `part` of `of`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Part {
    /// Number of the part, 1 to `of`.
    pub part: u64,
    /// How many parts make the whole.
    pub of: u64,
}

impl Part {
    /// Parts of a whole at most: one each day, and the whole within three months.
    pub const MOST: u64 = 100;
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// One run over one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Id of the set.
    pub set: String,
    /// What was done.
    pub kind: Kind,
    /// Which part, for [`Kind::VerifySubset`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<Part>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Name of the host.
    pub host: String,
    /// Name and version of the program.
    pub tool: String,
    /// What came out.
    pub result: Outcome,
    /// Whether the set itself was found whole. A drill that took too long, or whose assertion was false, is bad and its
    /// set may still be a true copy.
    pub whole: bool,
    /// How much was looked at, and what is wrong.
    pub details: Details,
    /// What only a drill finds out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Drill>,
}

/// How much was looked at, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Objects read.
    pub objects: u64,
    /// Their bytes; for a drill, bytes of rows as COPY text.
    pub bytes: u64,
    /// Tables counted and hashed.
    pub tables: u64,
    /// Rows counted and hashed.
    pub rows: u64,
    /// One line for each thing that is wrong, at most [`Self::MOST`].
    pub problems: Vec<String>,
}

impl Details {
    /// Problems kept at most: a lost bucket would give a million.
    pub const MOST: usize = 100;

    /// Adds a problem, unless there are enough.
    pub fn problem(&mut self, problem: impl Into<String>) {
        if self.problems.len() < Self::MOST {
            self.problems.push(problem.into());
        }
    }
}

/// What only a drill finds out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drill {
    /// Which database of the set.
    pub database: String,
    /// Version of the server it was restored into; `None` when it did not come to that.
    pub server_version: Option<String>,
    /// How long the restore took; `None` when it did not end.
    pub rto: Option<Rto>,
    /// The user's own questions and their answers.
    pub assertions: Vec<Answer>,
}

/// Recovery time, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rto {
    /// Opening the set, fetching and loading the rows; indexes and keys are made and rows read back beside that.
    pub load: f64,
    /// Indexes, constraints and materialized views that had to wait for all rows.
    pub indexes: f64,
    /// Making the definitions before, and comparing them after.
    pub proof: f64,
    /// From the opening of the set until the database could be used.
    pub total: f64,
}

/// One assertion of the configuration and what the restored database answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its name.
    pub name: String,
    /// What was expected.
    pub expected: String,
    /// What the database gave.
    pub found: String,
    /// Whether the two fit.
    pub holds: bool,
}

impl Evidence {
    /// Evidence of a run on this host that ends now; `tool` is name and version of the program.
    #[must_use]
    pub fn now(tool: &str, set: &str, kind: Kind, started: Timestamp, details: Details) -> Self {
        let outcome = if details.problems.is_empty() {
            Outcome::Good
        } else {
            Outcome::Bad
        };
        Self {
            set: set.to_owned(),
            kind,
            subset: None,
            started,
            finished: Timestamp::now().max(started),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            tool: tool.to_owned(),
            result: outcome,
            whole: outcome == Outcome::Good,
            details,
            drill: None,
        }
    }

    /// `evidence/<set>/<time>-<kind>.json`; the time is when the run ended, to the microsecond.
    #[must_use]
    pub fn key(&self) -> String {
        let time = self.finished.strftime("%Y-%m-%dT%H%M%S%.6fZ");
        format!("{FOLDER}{}/{time}-{}.json", self.set, self.kind)
    }

    /// Writes it into the repository.
    ///
    /// # Errors
    /// Exit code 3 when it was not written, for example by an identity that may only read.
    pub async fn keep(&self, repository: &Repository) -> Result<()> {
        repository.put_document(&self.key(), self).await
    }
}

/// Everything about one set, oldest first, and what is wrong with documents that cannot be believed.
///
/// # Errors
/// Exit code 3 when the store cannot be read.
pub async fn of_set(repository: &Repository, set: &str) -> Result<(Vec<Evidence>, Vec<String>)> {
    read(repository, &format!("{FOLDER}{set}/")).await
}

/// Documents of each kind that are read for a set. The newest ones of a kind decide; more are needed of parts, which make
/// a whole only together.
const RECENT: usize = 10;
/// Of parts: a whole has [`Part::MOST`] at most.
const RECENT_PARTS: usize = 2 * Part::MOST as usize;

/// The newest keys of each set and kind. `keys` are in order, and so in order of time within a set.
fn recent(keys: Vec<String>) -> Vec<String> {
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let mut chosen = Vec::new();
    for key in keys.into_iter().rev() {
        let (set, name) = key.rsplit_once('/').unwrap_or(("", &key));
        // What does not have the form of a name is read, so that somebody hears of it.
        let kind = name.split_once("Z-").map_or(name, |(_, kind)| kind);
        let most = if kind.starts_with(Kind::VerifySubset.word()) {
            RECENT_PARTS
        } else {
            RECENT
        };
        let count = counts.entry((set.to_owned(), kind.to_owned())).or_default();
        *count += 1;
        if *count <= most {
            chosen.push(key);
        }
    }
    chosen
}

async fn read(repository: &Repository, prefix: &str) -> Result<(Vec<Evidence>, Vec<String>)> {
    let (mut believed, mut doubtful) = (Vec::new(), Vec::new());
    for found in repository.chosen_documents::<Evidence>(prefix, recent).await? {
        match found.document {
            Ok(evidence) if evidence.key() == found.key => believed.push(evidence),
            Ok(_) => doubtful.push(format!(
                "{}: it is about something else than its name says",
                found.key
            )),
            Err(why) => doubtful.push(format!("{}: {why}", found.key)),
        }
    }
    believed.sort_by_key(|evidence| evidence.finished);
    Ok((believed, doubtful))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_kind_are_read() {
        let mut keys = vec!["evidence/b/odd".to_owned()];
        for day in 10..99 {
            for kind in ["verify-quick", "verify-subset", "drill"] {
                keys.push(format!("evidence/a/2026-01-{day}Z-{kind}.json"));
            }
        }
        keys.sort();
        let chosen = recent(keys);
        let of = |part: &str| chosen.iter().filter(|key| key.contains(part)).count();
        assert_eq!(of("verify-quick"), RECENT);
        assert_eq!(of("drill"), RECENT);
        assert_eq!(of("verify-subset"), 89);
        assert_eq!(of("odd"), 1);
        assert!(chosen.contains(&"evidence/a/2026-01-98Z-drill.json".to_owned()));
    }
}

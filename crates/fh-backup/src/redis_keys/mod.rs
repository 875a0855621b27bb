//! Redis: every key with its value as `DUMP` gives it and the moment at which it expires.
//!
//! Redis has no snapshot that a client could read from. The keys are walked with `SCAN` and read one batch after the
//! other, so what is taken is not the state of one moment, and every report says so. Amazon's ElastiCache can take a
//! snapshot of its own; then the set only holds its name.

mod elasticache;
mod info;
mod record;
mod restore;
mod server;
mod take;

use std::collections::BTreeMap;

use fh_core::{Error, Result};
use fh_repository::Repository;
use serde::{Deserialize, Serialize};

pub use elasticache::{Snapshot, snapshot};
pub use info::{Info, rdb_version_of};
pub use record::{Record, Records};
pub use restore::{Restored, restore};
pub use server::Target;
pub use take::take;

use crate::body::Data;
use crate::proof::Proof;

/// Redis in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RedisPart {
    /// The keys themselves.
    Keys(Keys),
    /// The name of a snapshot that ElastiCache keeps.
    ElastiCache(Snapshot),
}

/// All keys of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// What the server calls itself, for example `7.0.15`.
    pub server: String,
    /// The newest RDB version among the values: a server that knows only older ones cannot take them. None without keys.
    pub rdb_version: Option<u16>,
    /// When reading began and ended, by the clock of the host that backs up: the set has keys from all of that time.
    pub read_from: jiff::Timestamp,
    /// See `read_from`.
    pub read_to: jiff::Timestamp,
    /// Keys of each database.
    pub databases: BTreeMap<u32, u64>,
    /// Keys of each type.
    pub types: BTreeMap<String, u64>,
    /// Keys that will expire.
    pub expiring: u64,
    /// Keys that were listed and gone when they were to be read.
    pub vanished: u64,
    /// The records: their number, the sum of their hashes, and where they are.
    #[serde(flatten)]
    pub data: Data,
}

/// Reads every stored record again.
///
/// # Errors
/// Exit code 1 when something is missing, damaged, or not what was taken; 3 when the store cannot be read.
pub async fn verify(repository: &Repository, keys: &Keys, mut on_bytes: impl FnMut(u64)) -> Result<Proof> {
    let mut records = Records::new(repository, &keys.data);
    let mut proof = Proof::default();
    while let Some(record) = records.next().await? {
        let bytes = record.encode();
        proof.add(&bytes);
        on_bytes(bytes.len() as u64);
    }
    if proof == keys.data.proof {
        Ok(proof)
    } else {
        Err(mismatch(keys.data.proof, proof))
    }
}

fn mismatch(expected: Proof, found: Proof) -> Error {
    crate::restore::rows::mismatch("the keys of Redis", expected, found, "the segments hold")
}

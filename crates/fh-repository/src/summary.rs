//! The summary of a set: names and sizes of what is in it, for the host that backs up.
//!
//! That host holds the repository key and no private key, so it cannot read a set's body. It must still notice that a
//! table vanished since yesterday. So the summary is encrypted to the recipients and to one more X25519 key, which is
//! derived from the repository key.

use fh_core::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::crypt::{Identities, Recipients};
use crate::description::Encryption;
use crate::repository::Repository;
use crate::set::Set;

/// One thing in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryEntry {
    /// The database it is of; empty for what is of none.
    pub database: String,
    /// What it is: `table`, `large_objects`, `files`, `redis`.
    pub kind: String,
    /// Schema of a table, without quotes; empty otherwise.
    pub schema: String,
    /// Name of the table, without quotes; path or address of the rest.
    pub name: String,
    /// Rows, files or keys.
    pub rows: u64,
    /// Plain bytes.
    pub bytes: u64,
}

/// The stored form of a summary, and the bytes of its JSON.
pub(crate) struct Encoded {
    pub(crate) stored: Vec<u8>,
    pub(crate) plain_size: u64,
}

/// Encodes a summary for `recipients` and, when there are any, for the holder of `own`, the identity that is derived
/// from the repository key.
pub(crate) fn encode(entries: &[SummaryEntry], recipients: &Recipients, own: &Identities) -> Result<Encoded> {
    let plain = serde_json::to_vec(entries).or_unable(|| "cannot write the set's summary")?;
    let recipients = if recipients.is_empty() {
        Recipients::default()
    } else {
        own.recipients()
            .into_iter()
            .fold(recipients.clone(), |all, more| all.and(more))
    };
    Ok(Encoded {
        stored: codec::encode(&plain, 3, &recipients)?,
        plain_size: plain.len() as u64,
    })
}

impl Repository {
    /// The summary of a set. The repository key is enough to read it.
    ///
    /// # Errors
    /// Exit code 1 when it is damaged.
    pub fn read_summary(&self, set: &Set) -> Result<Vec<SummaryEntry>> {
        let what = format!("the summary of set {}", set.id);
        let own = match self.encryption() {
            Encryption::None => None,
            Encryption::Age(_) => Some(self.key.summary_identity()?),
        };
        let plain = codec::decode(&what, &set.summary, own.as_ref(), set.header.summary_plain_size)?;
        serde_json::from_slice(&plain)
            .or_bad(|| format!("{what} is of a form that this version does not know"))
    }
}

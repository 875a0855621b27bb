//! Small sealed documents beside the sets: evidence of verifications and drills, lists of what is to be removed.
//!
//! A document is one line, `{"mac":"…","key":"evidence/…","document":{…}}`. The seal covers the key and the document's
//! bytes as they stand, so that one cannot pass for another.

use std::collections::HashSet;

use bytes::Bytes;
use fh_core::{Context as _, Error, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::key::RepositoryKey;
use crate::repository::Repository;
use crate::segment::{Taken, put_own};
use crate::store::{Deleted, Entry};

/// A document's size at most.
pub(crate) const LIMIT: u64 = 256 << 20;

/// Documents read at the same time: they are small, and a bucket answers slowly and in parallel.
const AT_ONCE: usize = 8;

/// A document as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// Its key.
    pub key: String,
    /// When it was written, by the store's clock.
    pub modified: Option<jiff::Timestamp>,
    /// The document, or why it cannot be believed.
    pub document: std::result::Result<T, String>,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    mac: String,
    #[serde(borrow)]
    key: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    document: &'a RawValue,
}

fn seal(key: &RepositoryKey, name: &str, document: &RawValue) -> blake3::Hash {
    key.seal_document(format!("{name}\n{}", document.get()).as_bytes())
}

impl Repository {
    /// Writes a document under a key that nothing has yet, for example `evidence/<set>/<time>.json`.
    ///
    /// # Errors
    /// Exit code 3 when it was not written.
    pub async fn put_document<T: Serialize>(&self, key: &str, document: &T) -> Result<()> {
        let failed = || format!("cannot write {key}");
        let raw = serde_json::value::to_raw_value(document).or_unable(failed)?;
        let line = Line {
            mac: seal(&self.key, key, &raw).to_hex().to_string(),
            key: key.into(),
            document: &raw,
        };
        let mut bytes = serde_json::to_vec(&line).or_unable(failed)?;
        bytes.push(b'\n');
        match put_own(&*self.store, key, &Bytes::from(bytes)).await? {
            Taken::Ours(_) => Ok(()),
            Taken::Unknown(error) => Err(error),
            Taken::Foreign(_) => Err(Error::unable(format!("there is another {key} already"))
                .hint("two runs cannot write the same document: run this one again")),
        }
    }

    /// Every document whose key begins with `prefix`, in order of the keys. One that cannot be believed is among them,
    /// with the reason.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn documents<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<Found<T>>> {
        self.chosen_documents(prefix, |keys| keys).await
    }

    /// [`Repository::documents`] of those keys that `choose` leaves of all keys, where their number grows with time and the
    /// names say which ones matter.
    ///
    /// # Errors
    /// As [`Repository::documents`].
    pub async fn chosen_documents<T: DeserializeOwned>(
        &self,
        prefix: &str,
        choose: impl FnOnce(Vec<String>) -> Vec<String>,
    ) -> Result<Vec<Found<T>>> {
        let mut entries = self.store.list(prefix).await?;
        let chosen: HashSet<String> = choose(entries.iter().map(|entry| entry.key.clone()).collect())
            .into_iter()
            .collect();
        entries.retain(|entry| chosen.contains(&entry.key));
        let documents = futures_util::stream::iter(entries).map(async |Entry { key, modified, .. }| {
            // None when it was removed since it was listed.
            let bytes = self.store.get(&key, LIMIT).await?;
            Ok::<_, Error>(bytes.map(|bytes| Found {
                document: self.read_document(&key, &bytes),
                key,
                modified,
            }))
        });
        let documents: Vec<Option<Found<T>>> = documents.buffered(AT_ONCE).try_collect().await?;
        Ok(documents.into_iter().flatten().collect())
    }

    /// Removes a document.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot say what became of it.
    pub async fn remove_document(&self, key: &str) -> Result<Deleted> {
        self.store.delete(key).await
    }

    /// Whether these bytes are a document that this repository sealed under that key.
    pub(crate) fn is_sealed(&self, key: &str, bytes: &[u8]) -> std::result::Result<(), String> {
        self.read_document::<serde::de::IgnoredAny>(key, bytes)
            .map(|_| ())
    }

    fn read_document<T: DeserializeOwned>(&self, key: &str, bytes: &[u8]) -> std::result::Result<T, String> {
        let bytes = bytes.strip_suffix(b"\n").ok_or("its end is missing")?;
        let line: Line<'_> =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not readable: {error}"))?;
        let mac = blake3::Hash::from_hex(&line.mac).map_err(|_| "its seal is not readable")?;
        // blake3::Hash compares in constant time.
        if line.key != key || seal(&self.key, key, line.document) != mac {
            return Err(
                "its seal is wrong: it was changed, renamed, or belongs to another repository".into(),
            );
        }
        serde_json::from_str(line.document.get())
            .map_err(|error| format!("it is of a form that this version does not know: {error}"))
    }
}

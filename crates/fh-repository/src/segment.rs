//! Segments: pieces of data named by their content, written once and shared by every set that needs them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use fh_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::crypt::Recipients;
use crate::key::{RepositoryKey, random_bytes};
use crate::set::StoredObject;
use crate::store::{Put, Store};

/// Prefix of every segment's key.
pub(crate) const FOLDER: &str = "segments/";

/// How a set names a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRef {
    /// File name of the object, below `segments/` and a folder of its first two digits.
    pub object: String,
    /// Keyed BLAKE3 of the plain bytes, 64 hexadecimal digits.
    pub id: String,
    /// Plain bytes.
    pub size: u64,
}

/// `segments/ab/ab12….zst`
pub(crate) fn object_key(object: &str) -> String {
    format!("{FOLDER}{}/{object}", object.get(..2).unwrap_or("xx"))
}

/// What a writer has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Segments compressed and sent.
    pub new_segments: u64,
    /// Their stored bytes.
    pub new_bytes: u64,
    /// Segments that were there already.
    pub reused_segments: u64,
}

/// Writes segments for one set.
#[derive(Debug)]
pub struct SegmentWriter {
    store: Arc<dyn Store>,
    key: RepositoryKey,
    recipients: Recipients,
    level: i32,
    /// Segments that earlier sets vouch for and that are present: id to object.
    known: HashMap<String, StoredObject>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Objects the new set will name: object to size and hash.
    used: BTreeMap<String, StoredObject>,
    /// What this run wrote: id to object.
    written: HashMap<String, StoredObject>,
    counts: Written,
}

impl SegmentWriter {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        key: RepositoryKey,
        recipients: Recipients,
        level: i32,
        known: HashMap<String, StoredObject>,
    ) -> Self {
        Self {
            store,
            key,
            recipients,
            level,
            known,
            state: Mutex::default(),
        }
    }

    /// Stores `plain`, unless the repository has it. When this returns, the segment is durable.
    ///
    /// # Errors
    /// Exit code 3 when it could not be stored.
    pub async fn put(&self, plain: Bytes) -> Result<SegmentRef> {
        let (key, bytes) = (self.key.clone(), plain.clone());
        let id = blocking(move || Ok(key.name(&bytes).to_hex().to_string())).await?;
        let size = plain.len() as u64;
        if let Some(object) = self.reuse(&id) {
            return Ok(SegmentRef { object, id, size });
        }
        let (level, recipients, bytes) = (self.level, self.recipients.clone(), plain);
        let stored = Bytes::from(blocking(move || codec::encode(&bytes, level, &recipients)).await?);
        let object = self.store_new(&id, size, stored).await?;
        let mut state = self.lock();
        state.counts.new_segments += 1;
        state.counts.new_bytes += object.size;
        state.used.insert(object.object.clone(), object.clone());
        let name = object.object.clone();
        state.written.insert(id.clone(), object);
        Ok(SegmentRef {
            object: name,
            id,
            size,
        })
    }

    fn reuse(&self, id: &str) -> Option<String> {
        let mut state = self.lock();
        let object = state.written.get(id).or_else(|| self.known.get(id))?.clone();
        state.counts.reused_segments += 1;
        let name = object.object.clone();
        state.used.insert(name.clone(), object);
        Some(name)
    }

    /// Writes the object under its content's name. A name that is taken is one that no good set vouches for: a run that
    /// died left it, or one beside us has just written it. In a clear repository its content can be checked; an
    /// encrypted one cannot be read here, and its bytes are never ours, so it gets a neighbour with a name of its own.
    async fn store_new(&self, id: &str, size: u64, stored: Bytes) -> Result<StoredObject> {
        let ending = if self.recipients.is_empty() {
            "zst"
        } else {
            "zst.age"
        };
        let mut name = format!("{id}.{ending}");
        for _ in 0..4 {
            let object = described(&name, &stored);
            if self.store.put_new(&object_key(&name), stored.clone()).await? == Put::Created {
                return Ok(object);
            }
            if let Some(found) = self.usable(&name, id, size).await? {
                return Ok(found);
            }
            let suffix: String = random_bytes::<4>()?
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            name = format!("{id}-{suffix}.{ending}");
        }
        Err(Error::unable(format!(
            "segment {id} cannot be stored: every name that was tried is taken"
        )))
    }

    async fn usable(&self, name: &str, id: &str, size: u64) -> Result<Option<StoredObject>> {
        if !self.recipients.is_empty() {
            return Ok(None);
        }
        let Some(found) = self.store.get(&object_key(name), codec::LARGEST).await? else {
            return Ok(None);
        };
        let object = described(name, &found);
        let (key, id) = (self.key.clone(), id.to_owned());
        let good = blocking(move || Ok(codec::decode_named(&key, &id, &found, None, size).is_ok())).await?;
        Ok(good.then_some(object))
    }

    /// What was written and reused so far.
    #[must_use]
    pub fn written(&self) -> Written {
        self.lock().counts
    }

    /// Every object that the new set names, in order.
    pub(crate) fn used(&self) -> Vec<StoredObject> {
        self.lock().used.values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn described(name: &str, stored: &[u8]) -> StoredObject {
    StoredObject {
        object: name.to_owned(),
        size: stored.len() as u64,
        hash: blake3::hash(stored).to_hex().to_string(),
    }
}

/// Runs CPU-bound work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crashed| Error::unable("a compression thread ended early").because(crashed))?
}

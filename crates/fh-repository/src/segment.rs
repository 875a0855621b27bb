//! Segments: pieces of data named by their content, written once and shared by every set that needs them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use fh_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::codec::{self, Encoder};
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
    encoder: Arc<Encoder>,
    /// Segments that earlier sets vouch for and that are present: id to object.
    known: HashMap<String, StoredObject>,
    /// Names that are not used and not taken: objects of sets that not every recipient of today can read, and those that a
    /// garbage collection is going to remove.
    avoided: HashSet<String>,
    state: Mutex<State>,
    /// One lock for each content in the making: of several workers with the same content, one writes it.
    begun: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Debug, Default)]
struct State {
    /// Objects the new set will name: object to size and hash.
    used: BTreeMap<String, StoredObject>,
    /// What this run wrote, or found under the name that it would have written: id to object.
    written: HashMap<String, StoredObject>,
    /// Names of the objects that this run created.
    created: HashSet<String>,
    counts: Written,
}

impl SegmentWriter {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        key: RepositoryKey,
        recipients: Recipients,
        level: i32,
        known: HashMap<String, StoredObject>,
        avoided: HashSet<String>,
    ) -> Self {
        Self {
            store,
            key,
            encoder: Arc::new(Encoder::new(level, recipients)),
            known,
            avoided,
            state: Mutex::default(),
            begun: Mutex::default(),
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
        let turn = self.turn(&id);
        let _mine = turn.lock().await;
        if let Some(object) = self.reuse(&id) {
            return Ok(SegmentRef { object, id, size });
        }
        let (encoder, bytes) = (Arc::clone(&self.encoder), plain);
        let stored = Bytes::from(blocking(move || encoder.encode(&bytes)).await?);
        let (object, put) = self.store_new(&id, size, stored).await?;
        let mut state = self.lock();
        match put {
            Put::Created => {
                state.counts.new_segments += 1;
                state.counts.new_bytes += object.size;
                state.created.insert(object.object.clone());
            }
            Put::Exists => state.counts.reused_segments += 1,
        }
        state.used.insert(object.object.clone(), object.clone());
        let name = object.object.clone();
        state.written.insert(id.clone(), object);
        drop(state);
        // Whoever comes from now on finds it written.
        self.begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
        Ok(SegmentRef {
            object: name,
            id,
            size,
        })
    }

    fn turn(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(begun.entry(id.to_owned()).or_default())
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
    /// died left it, one beside us has just written it, or it is our own and only the answer was lost. In a clear
    /// repository its content can be checked; an encrypted one cannot be read here, so unless its bytes are ours it gets
    /// a neighbour with a name of its own.
    async fn store_new(&self, id: &str, size: u64, stored: Bytes) -> Result<(StoredObject, Put)> {
        let ending = if self.encoder.encrypts() { "zst.age" } else { "zst" };
        let mut name = format!("{id}.{ending}");
        for _ in 0..5 {
            // Not even tried: a store takes the whole segment before it says that the name is taken.
            if self.avoided.contains(&name) {
                name = neighbour(id, ending)?;
                continue;
            }
            match put_own(&*self.store, &object_key(&name), &stored).await? {
                Taken::Ours(Put::Created) => {
                    let mut object = described(&name, &stored);
                    object.locked_until = self.store.lock().map(|lock| lock.until);
                    return Ok((object, Put::Created));
                }
                Taken::Ours(put) => return Ok((described(&name, &stored), put)),
                Taken::Foreign(found) if self.usable(id, size, &found).await? => {
                    return Ok((described(&name, &found), Put::Exists));
                }
                // A host that backs up need not be allowed to read segments.
                Taken::Foreign(_) | Taken::Unknown(_) => {}
            }
            name = neighbour(id, ending)?;
        }
        Err(Error::unable(format!(
            "segment {id} cannot be stored: every name that was tried is taken"
        )))
    }

    async fn usable(&self, id: &str, size: u64, found: &Bytes) -> Result<bool> {
        if self.encoder.encrypts() {
            return Ok(false);
        }
        let (key, id, found) = (self.key.clone(), id.to_owned(), found.clone());
        blocking(move || Ok(codec::decode_named(&key, &id, &found, None, size).is_ok())).await
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

    /// Notes that an object the new set names is locked until then.
    pub(crate) fn locked(&self, object: &str, until: jiff::Timestamp) {
        if let Some(object) = self.lock().used.get_mut(object) {
            object.locked_until = Some(until);
        }
    }

    /// Whether this run created the object: then it is there.
    pub(crate) fn has_created(&self, object: &str) -> bool {
        self.lock().created.contains(object)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose object has the name now.
pub(crate) enum Taken {
    /// What was to be written is there: it was created now, or these very bytes were there before.
    Ours(Put),
    /// Something else was there before.
    Foreign(Bytes),
    /// Something is there, and it could not be read.
    Unknown(Error),
}

/// Creates an object. A store may say that there is one already because it is our own: the first attempt took effect,
/// its answer was lost, and the next one met it.
pub(crate) async fn put_own(store: &dyn Store, key: &str, body: &Bytes) -> Result<Taken> {
    if store.put_new(key, body.clone()).await? == Put::Created {
        return Ok(Taken::Ours(Put::Created));
    }
    Ok(match store.get(key, codec::LARGEST).await {
        Ok(Some(found)) if found == *body => Taken::Ours(Put::Exists),
        Ok(Some(found)) => Taken::Foreign(found),
        Ok(None) => Taken::Unknown(Error::unable(format!("{key} was there, and is gone"))),
        Err(error) => Taken::Unknown(error),
    })
}

/// A name of its own for content whose usual name is taken.
fn neighbour(id: &str, ending: &str) -> Result<String> {
    let suffix: String = random_bytes::<4>()?
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("{id}-{suffix}.{ending}"))
}

fn described(name: &str, stored: &[u8]) -> StoredObject {
    StoredObject {
        object: name.to_owned(),
        size: stored.len() as u64,
        hash: blake3::hash(stored).to_hex().to_string(),
        locked_until: None,
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

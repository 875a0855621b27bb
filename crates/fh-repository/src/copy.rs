//! Sets copied to a second repository, byte for byte.
//!
//! A set is sealed with the repository's key and names the repository, so the second one is a mirror: the same description,
//! hence the same id, key and recipients. Copying decrypts nothing and needs no private key. Objects are written first
//! and the set last, all of them create-only, so a copy that breaks off leaves nothing that looks whole, and the next one goes
//! on where it ended.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use fh_core::{Error, Exit, Hint as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::codec;
use crate::description::{self, Description};
use crate::document;
use crate::repository::{Repository, set_key};
use crate::rotation;
use crate::segment::{self, object_key};
use crate::set::{self, SetHeader, SetState, StoredObject};
use crate::store::{Put, Store};
use crate::verify::Finding;

/// Objects on their way at the same time: buckets answer slowly and in parallel, and each is held in memory.
const AT_ONCE: usize = 4;
/// Prefix of the documents that say what verifications and drills found.
const EVIDENCE: &str = "evidence/";
/// Prefix of the documents that accept a set which holds less than the one before it.
const ACCEPTED: &str = "accepted/";

/// What became of one set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// Objects sent.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Objects that were there already.
    pub present: u64,
    /// Why the set was not copied, or what beside it was not; empty when all is well.
    pub problems: Vec<Finding>,
}

/// A second repository with the same identity.
#[derive(Debug)]
pub struct Mirror {
    repository: Repository,
    /// Objects that a good set there names and that are there in that size.
    known: HashMap<String, StoredObject>,
}

/// What is in the mirror under one name.
enum There {
    Nothing,
    Same,
    Other,
}

impl Repository {
    /// Opens the second repository in `store`, or makes it there when there is nothing yet.
    ///
    /// # Errors
    /// Exit code 4 when another repository is there, or sets without a description; 3 when it cannot be read or written.
    pub async fn mirror_in(&self, store: Arc<dyn Store>) -> Result<Mirror> {
        let place = store.describe();
        let ours = self
            .store
            .get(description::OBJECT, description::LIMIT)
            .await?
            .ok_or_else(|| Error::unable(format!("the description of {} is gone", self.describe())))?;
        if store
            .get(description::OBJECT, description::LIMIT)
            .await?
            .is_none()
        {
            if !store.list(set::FOLDER).await?.is_empty() {
                return Err(
                    Error::refused(format!("there are sets in {place}, and no description"))
                        .hint("if fh-backup.json was lost there, put it back; nothing was changed"),
                );
            }
            store.put_new(description::OBJECT, ours.clone()).await?;
        }
        // Read in any case: what counts is what is there, and another run may have made it just now.
        let theirs = store
            .get(description::OBJECT, description::LIMIT)
            .await?
            .ok_or_else(|| {
                Error::unable(format!(
                    "{} in {place} was there, and is gone",
                    description::OBJECT
                ))
            })?;
        if theirs != ours {
            let other = Description::from_bytes(&place, &theirs)?;
            let what = if other.id == self.description.id {
                format!("the description in {place} was changed since it was copied")
            } else {
                format!("there is another repository in {place}")
            };
            return Err(Error::refused(what).hint(
                "a copy needs a place of its own, where `fh-backup copy` makes the repository; nothing was changed",
            ));
        }
        let mut mirror = Mirror {
            repository: Self {
                store,
                identities: None,
                ..self.clone()
            },
            known: HashMap::new(),
        };
        self.copy_rotations(&mirror).await?;
        let vouched = mirror.repository.vouched().await?.into_iter();
        mirror.known = vouched.map(|object| (object.object.clone(), object)).collect();
        Ok(mirror)
    }

    /// Sets know the key rotation they were taken after, so those come before any set.
    async fn copy_rotations(&self, to: &Mirror) -> Result<()> {
        for entry in self.store.list(rotation::FOLDER).await? {
            let key = entry.key;
            let bytes = self.store.get(&key, rotation::LIMIT).await?.ok_or_else(|| {
                Error::unable(format!("{key} is gone from {}", self.describe())).hint("run the copy again")
            })?;
            self.is_sealed(&key, &bytes)
                .map_err(|why| Error::bad(format!("{key} cannot be believed: {why}")))?;
            if to.create(&key, bytes).await?.is_err() {
                return Err(Error::refused(format!("another {key} is in {}", to.describe())).hint(
                    "the keys of the copy were rotated there: a copy follows its first repository and is not written to by others",
                ));
            }
        }
        Ok(())
    }

    /// Copies one set with all it needs, and the documents about it. `on_bytes` hears of every segment that is done.
    ///
    /// A set of which an object is missing or damaged here, or another one there, is not copied: that is a problem in the
    /// result, not an error.
    ///
    /// # Errors
    /// Exit code 3 when a store cannot be read or written.
    pub async fn copy_set(&self, to: &mut Mirror, id: &str, on_bytes: impl Fn(u64)) -> Result<Copied> {
        let mut copied = Copied::default();
        let set = match self.open_set(id).await {
            Ok(set) => set,
            Err(error) if error.exit() == Exit::Bad => {
                copied.problems.push(finding(&set_key(id), error.message()));
                return Ok(copied);
            }
            Err(error) => return Err(error),
        };
        let key = set_key(id);
        let bytes = self
            .store
            .get(&key, set::LIMIT)
            .await?
            .ok_or_else(|| Error::unable(format!("set {id} is gone from {}", self.describe())))?;
        // What is sent is what was checked, not what the store gives the second time.
        set::decode(&self.key, &self.description.id, id, &bytes).hint(|| "run the copy again")?;
        let whole = to.look(&key, &bytes).await?;
        if matches!(whole, There::Other) {
            copied
                .problems
                .push(finding(&key, "another set has this name in the copy".into()));
            return Ok(copied);
        }

        let (mirror, fresh) = (&*to, matches!(whole, There::Nothing));
        let results: Vec<(u64, Option<Put>, Option<Finding>)> =
            futures_util::stream::iter(&set.header.segments)
                .map(async |object| {
                    let (put, problem) = match self.copy_segment(mirror, object, fresh).await? {
                        Ok(put) => (Some(put), None),
                        Err(problem) => (None, Some(finding(&object_key(&object.object), problem))),
                    };
                    on_bytes(object.size);
                    Ok::<_, Error>((object.size, put, problem))
                })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
        for (size, put, problem) in results {
            copied.count(put, size);
            copied.problems.extend(problem);
        }
        if let Some(guide) = &set.header.guide {
            copied.problems.extend(self.guide_problem(id, guide).await?);
        }
        if !copied.problems.is_empty() {
            return Ok(copied);
        }
        if matches!(whole, There::Nothing) {
            // A clean-up of the copy must not be about to remove what the set relies on.
            to.repository.check_named(&set.header.segments, |_| false).await?;
        }
        for object in set.header.segments {
            to.known.insert(object.object.clone(), object);
        }
        let size = bytes.len() as u64;
        match whole {
            There::Nothing => {
                self.copy_documents(to, id, &mut copied).await?;
                to.hold(description::OBJECT).await?;
                match to.create(&key, bytes).await? {
                    Ok(put) => copied.count(Some(put), size),
                    Err(problem) => copied.problems.push(finding(&key, problem)),
                }
            }
            _ => {
                copied.count(Some(Put::Exists), size);
                self.copy_documents(to, id, &mut copied).await?;
            }
        }
        Ok(copied)
    }

    /// Objects that good sets name and that are there in that size, those of the newest set last. Of their locks only those
    /// of this very place are known.
    async fn vouched(&self) -> Result<Vec<StoredObject>> {
        let named = self.named().await?;
        Ok(named.into_iter().flat_map(|(_, objects)| objects).collect())
    }

    /// The good sets, oldest first, each with those of its objects that are there.
    async fn named(&self) -> Result<Vec<(SetHeader, Vec<StoredObject>)>> {
        let sets = self.list_sets().await?;
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        let present = self.store.list(segment::FOLDER).await?;
        let sizes: HashMap<&str, u64> = present
            .iter()
            .map(|entry| (entry.key.rsplit('/').next().unwrap_or_default(), entry.size))
            .collect();
        let mut named = Vec::new();
        for set in sets {
            let SetState::Good(header) = set.state else {
                continue;
            };
            let ours = header.locked_in.as_deref() == Some(&self.describe());
            let mut objects = header.segments.clone();
            objects.retain(|object| sizes.get(object.object.as_str()) == Some(&object.size));
            for object in &mut objects {
                object.locked_until = object.locked_until.filter(|_| ours);
            }
            named.push((*header, objects));
        }
        Ok(named)
    }

    async fn copy_segment(
        &self,
        to: &Mirror,
        object: &StoredObject,
        fresh: bool,
    ) -> Result<std::result::Result<Put, String>> {
        let key = object_key(&object.object);
        let same = |known: &StoredObject| known.hash == object.hash && known.size == object.size;
        let put = if to.known.get(&object.object).is_some_and(same) {
            Ok(Put::Exists)
        } else {
            match self.read_checked(object).await? {
                Ok(stored) => to.create(&key, stored).await?,
                Err(problem) => Err(problem),
            }
        };
        // The set's header speaks of the locks of the first repository, so nothing is known of those here.
        if fresh && put == Ok(Put::Exists) {
            to.hold(&key).await?;
        }
        Ok(put)
    }

    /// Evidence, acceptance, whatever else stands beside the set under its name, and the key rotations, without which the set would
    /// seem to come from a repository that was rolled back.
    async fn copy_documents(&self, to: &Mirror, id: &str, copied: &mut Copied) -> Result<()> {
        let mut keys = self.store.list(&format!("{EVIDENCE}{id}/")).await?;
        keys.extend(self.store.list(&format!("{}{id}.", set::FOLDER)).await?);
        keys.extend(self.store.list(&format!("{ACCEPTED}{id}.")).await?);
        keys.extend(self.store.list(rotation::FOLDER).await?);
        for entry in keys.into_iter().filter(|entry| entry.key != set_key(id)) {
            let key = entry.key;
            let Some(bytes) = self.store.get(&key, document::LIMIT).await? else {
                continue;
            };
            let sealed = [EVIDENCE, ACCEPTED, rotation::FOLDER];
            if sealed.iter().any(|folder| key.starts_with(folder))
                && let Err(problem) = self.is_sealed(&key, &bytes)
            {
                copied.problems.push(finding(&key, problem));
                continue;
            }
            let size = bytes.len() as u64;
            match to.create(&key, bytes).await? {
                Ok(put) => copied.count(Some(put), size),
                Err(problem) => copied.problems.push(finding(&key, problem)),
            }
        }
        Ok(())
    }
}

impl Mirror {
    /// The place, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        self.repository.describe()
    }

    /// Creates an object, or finds that it is there already. A reason is given when something else is there.
    async fn create(&self, key: &str, bytes: Bytes) -> Result<std::result::Result<Put, String>> {
        if self.repository.store.put_new(key, bytes.clone()).await? == Put::Created {
            return Ok(Ok(Put::Created));
        }
        match self.look(key, &bytes).await? {
            There::Same => Ok(Ok(Put::Exists)),
            There::Other => Ok(Err("something else has this name in the copy".into())),
            There::Nothing => Err(Error::unable(format!(
                "{key} was there in {}, and is gone",
                self.describe()
            ))),
        }
    }

    async fn look(&self, key: &str, bytes: &Bytes) -> Result<There> {
        match self
            .repository
            .store
            .get(key, codec::LARGEST.max(set::LIMIT))
            .await
        {
            Ok(None) => Ok(There::Nothing),
            Ok(Some(found)) if found == *bytes => Ok(There::Same),
            Ok(Some(_)) => Ok(There::Other),
            Err(error) if error.exit() == Exit::Bad => Ok(There::Other),
            Err(error) => Err(error),
        }
    }

    /// Extends the lock of what was there before and a set needs that was not.
    async fn hold(&self, key: &str) -> Result<()> {
        match self.repository.store.lock() {
            Some(lock) => self.repository.store.lock_until(key, lock.until).await,
            None => Ok(()),
        }
    }
}

impl Copied {
    fn count(&mut self, put: Option<Put>, size: u64) {
        match put {
            Some(Put::Created) => {
                self.sent += 1;
                self.sent_bytes += size;
            }
            Some(Put::Exists) => self.present += 1,
            None => {}
        }
    }
}

fn finding(object: &str, problem: String) -> Finding {
    Finding {
        object: object.to_owned(),
        problem,
    }
}

//! A repository: opening it, listing and reading its sets.

use std::sync::Arc;

use bytes::Bytes;
use fh_core::{Context as _, Error, Hint as _, Result, Secret};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;

use crate::codec;
use crate::crypt::{Identities, Recipients};
use crate::description::{self, Description, Encryption};
use crate::key::RepositoryKey;
use crate::rotation;
use crate::segment::{SegmentRef, Taken, blocking, object_key, put_own};
use crate::set::{self, Set, SetHeader, SetState, SetSummary};
use crate::store::Store;

/// Set files read at the same time: a bucket answers slowly and in parallel.
pub(crate) const SETS_AT_ONCE: usize = 8;

/// What opens a repository.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The repository key, as `init` wrote it. An encrypted repository can be written and checked with it.
    pub key: Option<Secret>,
    /// An age identity file. It opens the repository key too. Who opens with the identity alone believes the repository
    /// key that the store holds: whoever can write to the store and knows the recipients could have made another
    /// repository in its place. The key from a safe place proves that it is the same one.
    pub identity: Option<Secret>,
}

/// What `init` made.
#[derive(Debug)]
pub struct Created {
    /// The description, as stored.
    pub description: Description,
    /// The repository key, to keep on the hosts that back up.
    pub key: RepositoryKey,
}

/// An open repository.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) description: Description,
    pub(crate) key: RepositoryKey,
    pub(crate) identities: Option<Identities>,
    /// Whether and to whom new sets are encrypted: as described, or as the newest rotation says.
    pub(crate) encryption: Encryption,
    /// Number of that rotation; 0 without one.
    pub(crate) rotation: u64,
}

impl Repository {
    /// Makes a new repository; with recipients, everything in it will be encrypted to them.
    ///
    /// # Errors
    /// Exit code 4 when there is one already, 2 when a recipient is none, 3 when it cannot be written.
    pub async fn create(store: Arc<dyn Store>, recipients: &[String]) -> Result<Created> {
        let recipients = Recipients::parse(recipients)?;
        // Asks for what every later command needs, so that a missing bucket or right shows now and not at night.
        let lost = !store.list(set::FOLDER).await?.is_empty()
            && store
                .get(description::OBJECT, description::LIMIT)
                .await?
                .is_none();
        if lost {
            return Err(
                Error::refused(format!("there are sets in {} already", store.describe()))
                    .hint("if fh-backup.json was lost there, put it back; nothing was changed"),
            );
        }
        let (description, key) = Description::new(&recipients)?;
        match put_own(&*store, description::OBJECT, &description.to_bytes()?).await? {
            Taken::Ours(_) => Ok(Created { description, key }),
            Taken::Unknown(error) => Err(error),
            Taken::Foreign(_) => Err(Error::refused(format!(
                "there is a repository in {} already",
                store.describe()
            ))
            .hint("use it with `fh-backup create`, or choose another place; nothing was changed")),
        }
    }

    /// Opens a repository.
    ///
    /// # Errors
    /// Exit code 3 when there is none or it is of a newer format, 2 when the key or identity is missing or of another
    /// repository, 1 when the description was changed.
    pub async fn open(store: Arc<dyn Store>, access: Access) -> Result<Self> {
        let place = store.describe();
        let bytes = store
            .get(description::OBJECT, description::LIMIT)
            .await?
            .ok_or_else(|| {
                Error::unable(format!("there is no backup repository in {place}"))
                    .hint("check the place, or make one there with `fh-backup init`")
            })?;
        let description = Description::from_bytes(&place, &bytes)?;
        let identities = access.identity.as_ref().map(Identities::parse).transpose()?;
        let given = access.key.as_ref().map(RepositoryKey::from_text).transpose()?;
        let encrypted = description.encryption != Encryption::None;
        let key = match (given, &identities) {
            (Some(key), identities) => {
                let key = description.checked(key)?;
                // A wrong identity is better noticed now than at the first segment.
                if let (true, Some(identities)) = (encrypted, identities) {
                    open_key(&*store, &description, identities).await?;
                }
                key
            }
            (None, Some(identities)) if encrypted => open_key(&*store, &description, identities).await?,
            (None, _) => description.clear_key()?.ok_or_else(|| {
                Error::usage(format!(
                    "the repository in {place} is encrypted, and no key was given"
                ))
                .hint("give --key-file with the file that `fh-backup init` wrote, or --identity to read")
            })?,
        };
        let mut repository = Self {
            store,
            encryption: description.encryption.clone(),
            description,
            key,
            identities,
            rotation: 0,
        };
        if encrypted && let Some(newest) = repository.rotations().await?.pop() {
            repository.encryption = Encryption::Age(newest.recipients);
            repository.rotation = newest.number;
        }
        Ok(repository)
    }

    /// The place, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        self.store.describe()
    }

    /// Its random id, from the description.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.description.id
    }

    /// Whether and to whom new sets are encrypted.
    #[must_use]
    pub fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// Whether and to whom it was encrypted when it was made.
    pub(crate) fn first_encryption(&self) -> &Encryption {
        &self.description.encryption
    }

    /// Number of the newest key rotation; 0 when there was none.
    #[must_use]
    pub fn rotation(&self) -> u64 {
        self.rotation
    }

    pub(crate) fn identities(&self) -> Option<&Identities> {
        self.identities.as_ref()
    }

    /// Whether bodies and segments can be read with what was given.
    #[must_use]
    pub fn can_read(&self) -> bool {
        *self.encryption() == Encryption::None || self.identities.is_some()
    }

    /// Every set, oldest first, the damaged ones too.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn list_sets(&self) -> Result<Vec<SetSummary>> {
        let ids = self.dated_ids().await?;
        let states = futures_util::stream::iter(ids).map(async |(id, modified)| {
            // Removed since the folder was listed.
            let Some(state) = self.state_of(&id).await? else {
                return Ok(None);
            };
            Ok(Some(SetSummary { id, modified, state }))
        });
        let sets: Vec<Option<SetSummary>> = states.buffered(SETS_AT_ONCE).try_collect().await?;
        Ok(sets.into_iter().flatten().collect())
    }

    /// Whether a set can be used, or `None` when there is none of that id.
    pub(crate) async fn state_of(&self, id: &str) -> Result<Option<SetState>> {
        match self.set_file(id).await {
            Ok(Some(bytes)) => Ok(Some(self.state(id, &bytes))),
            Ok(None) => Ok(None),
            Err(error) if error.exit() == fh_core::Exit::Bad => Ok(Some(SetState::Damaged(error.message()))),
            Err(error) => Err(error),
        }
    }

    fn state(&self, id: &str, bytes: &Bytes) -> SetState {
        match set::decode(&self.key, &self.description.id, id, bytes) {
            Ok(set) => SetState::Good(Box::new(set.header)),
            Err(error) => {
                let message = error.message();
                let known = format!("set {id} is damaged: ");
                SetState::Damaged(message.strip_prefix(&known).unwrap_or(&message).to_owned())
            }
        }
    }

    pub(crate) async fn set_file(&self, id: &str) -> Result<Option<Bytes>> {
        self.store.get(&set_key(id), set::LIMIT).await
    }

    /// The ids of all sets, oldest first.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn ids(&self) -> Result<Vec<String>> {
        Ok(self.dated_ids().await?.into_iter().map(|(id, _)| id).collect())
    }

    /// The ids of all sets, oldest first, with when each was written by the store's clock.
    pub(crate) async fn dated_ids(&self) -> Result<Vec<(String, Option<jiff::Timestamp>)>> {
        let entries = self.store.list(set::FOLDER).await?;
        let id = |key: &str| {
            Some(
                key.strip_prefix(set::FOLDER)?
                    .strip_suffix(set::ENDING)?
                    .to_owned(),
            )
        };
        Ok(entries
            .iter()
            .filter_map(|entry| Some((id(&entry.key)?, entry.modified)))
            .collect())
    }

    /// The id that `wanted` means: a whole id, the beginning of exactly one, or `latest` for the newest.
    ///
    /// # Errors
    /// Exit code 3 when there is no set, 2 when `wanted` fits none or several.
    pub async fn resolve(&self, wanted: &str) -> Result<String> {
        let ids = self.ids().await?;
        if ids.is_empty() {
            return Err(
                Error::unable(format!("there is no backup in {} yet", self.describe()))
                    .hint("take one with `fh-backup create`"),
            );
        }
        if wanted == "latest" {
            // Never the newest that happens to be whole: a damaged one must be noticed, not passed over.
            return Ok(ids[ids.len() - 1].clone());
        }
        let found: Vec<&String> = ids
            .iter()
            .filter(|id| !wanted.is_empty() && id.starts_with(wanted))
            .collect();
        match found[..] {
            [only] => Ok(only.clone()),
            [] => Err(
                Error::usage(format!("there is no set {wanted:?} in {}", self.describe()))
                    .hint("`fh-backup list` shows them"),
            ),
            _ => Err(
                Error::usage(format!("{wanted:?} is the beginning of {} sets", found.len()))
                    .hint("give more of the id; `fh-backup list` shows them"),
            ),
        }
    }

    /// The newest good set of which `wanted` is true.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn find_newest(&self, wanted: impl Fn(&SetHeader) -> bool) -> Result<Option<Set>> {
        let mut ids = self.ids().await?;
        ids.reverse();
        let files = futures_util::stream::iter(ids).map(async |id| {
            let file = match self.set_file(&id).await {
                Err(error) if error.exit() == fh_core::Exit::Bad => None,
                file => file?,
            };
            Ok::<_, Error>(file.map(|bytes| (id, bytes)))
        });
        let mut files = std::pin::pin!(files.buffered(2));
        while let Some(file) = files.try_next().await? {
            let Some((id, bytes)) = file else { continue };
            if let Ok(set) = set::decode(&self.key, &self.description.id, &id, &bytes)
                && wanted(&set.header)
            {
                return Ok(Some(set));
            }
        }
        Ok(None)
    }

    /// Reads a set and checks its seal and its body's hash.
    ///
    /// # Errors
    /// Exit code 1 when it is damaged, 3 when it cannot be read or is not there.
    pub async fn open_set(&self, id: &str) -> Result<Set> {
        let bytes = self
            .set_file(id)
            .await?
            .ok_or_else(|| Error::unable(format!("there is no set {id} in {}", self.describe())))?;
        set::decode(&self.key, &self.description.id, id, &bytes)
            .hint(|| "use another set; `fh-backup list` shows which are whole")
    }

    /// The encrypted part of a set.
    ///
    /// # Errors
    /// Exit code 2 without the identity, 1 when it is damaged.
    pub fn read_body<T: DeserializeOwned>(&self, set: &Set) -> Result<T> {
        let what = format!("the body of set {}", set.id);
        let identities = self.reading(&what)?;
        let recipients = self.recipients_of(&set.header);
        if identities.is_some_and(|identities| !identities.belong_to(recipients)) {
            return Err(
                Error::usage(format!("set {} is not encrypted to this identity", set.id)).hint(format!(
                    "use the identity of one of its recipients: {}",
                    recipients.join(", ")
                )),
            );
        }
        let plain = codec::decode(&what, &set.body, identities, set.header.body_plain_size)?;
        serde_json::from_slice(&plain)
            .or_bad(|| format!("{what} is of a form that this version does not know"))
    }

    /// Reads a segment: its stored bytes must decode to what its name says.
    ///
    /// # Errors
    /// Exit code 1 when it is missing or damaged, 2 without the identity, 3 when the store cannot be read.
    pub async fn read_segment(&self, segment: &SegmentRef) -> Result<Vec<u8>> {
        let identities = self.reading("the data")?.cloned();
        let stored = self
            .store
            .get(&object_key(&segment.object), codec::LARGEST)
            .await?
            .ok_or_else(|| Error::bad(format!("segment {} is missing", segment.object)))?;
        let (key, segment) = (self.key.clone(), segment.clone());
        blocking(move || {
            let plain = codec::decode_named(&key, &segment.id, &stored, identities.as_ref(), segment.size)?;
            if plain.len() as u64 == segment.size {
                Ok(plain)
            } else {
                Err(Error::bad(format!(
                    "segment {} has another size than its set says",
                    segment.object
                )))
            }
        })
        .await
    }

    fn reading(&self, what: &str) -> Result<Option<&Identities>> {
        match (&self.description.encryption, &self.identities) {
            (Encryption::None, _) => Ok(None),
            (Encryption::Age(_), Some(identities)) => Ok(Some(identities)),
            (Encryption::Age(_), None) => Err(Error::usage(format!(
                "{what} is encrypted, and no identity was given"
            ))
            .hint("give --identity with the age private key of one of the recipients")),
        }
    }
}

pub(crate) fn set_key(id: &str) -> String {
    format!("{}{id}{}", set::FOLDER, set::ENDING)
}

/// `sets/<id>.RESTORE.md`
pub(crate) fn guide_key(id: &str) -> String {
    format!("{}{id}{}", set::FOLDER, set::GUIDE_ENDING)
}

/// The repository key, out of `fh-backup.json` or, for an identity of later, out of a rotation.
async fn open_key(
    store: &dyn Store,
    description: &Description,
    identities: &Identities,
) -> Result<RepositoryKey> {
    let first = description.open_key(identities);
    match first {
        Err(error) if error.exit() == fh_core::Exit::Usage => {
            rotation::open_key(store, description, identities)
                .await?
                .ok_or(error)
        }
        first => first,
    }
}

//! A repository: opening it, listing and reading its sets, and committing new ones.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use fh_core::{Context as _, Error, Hint as _, Result, Secret};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::crypt::{Identities, Recipients};
use crate::description::{self, Description, Encryption};
use crate::key::{RepositoryKey, random_bytes};
use crate::rotation;
use crate::segment::{self, SegmentRef, SegmentWriter, Taken, blocking, object_key, put_own};
use crate::set::{self, Guide, Set, SetFields, SetHeader, SetState, SetSummary, StoredObject, Totals};
use crate::store::Store;

/// Set files read at the same time: a bucket answers slowly and in parallel.
const SETS_AT_ONCE: usize = 8;

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
        let ids = self.ids().await?;
        let states = futures_util::stream::iter(ids).map(async |id| {
            let state = match self.set_file(&id).await {
                Ok(Some(bytes)) => self.state(&id, &bytes),
                // Removed since the folder was listed.
                Ok(None) => return Ok(None),
                Err(error) if error.exit() == fh_core::Exit::Bad => SetState::Damaged(error.message()),
                Err(error) => return Err(error),
            };
            Ok(Some(SetSummary { id, state }))
        });
        let sets: Vec<Option<SetSummary>> = states.buffered(SETS_AT_ONCE).try_collect().await?;
        Ok(sets.into_iter().flatten().collect())
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

    async fn set_file(&self, id: &str) -> Result<Option<Bytes>> {
        self.store.get(&set_key(id), set::LIMIT).await
    }

    async fn ids(&self) -> Result<Vec<String>> {
        let entries = self.store.list(set::FOLDER).await?;
        let id = |key: &str| {
            Some(
                key.strip_prefix(set::FOLDER)?
                    .strip_suffix(set::ENDING)?
                    .to_owned(),
            )
        };
        Ok(entries.iter().filter_map(|entry| id(&entry.key)).collect())
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

    /// Begins a set: a writer that knows which segments good sets already name and that are present.
    ///
    /// Only segments of sets that every recipient of today can read are taken up: whoever can read the new set's body
    /// must be able to read all of it.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read, 1 when a key rotation that a set knows of is gone.
    pub async fn writer(&self, level: i32) -> Result<SegmentWriter> {
        let mut known = HashMap::new();
        let mut unreadable = HashSet::new();
        for (header, objects) in self.named().await? {
            self.check_not_rolled_back(&header)?;
            let readers = self.recipients_of(&header);
            if self.recipients().iter().all(|one| readers.contains(one)) {
                known.extend(
                    objects
                        .into_iter()
                        .map(|object| (id_of(&object).to_owned(), object)),
                );
            } else {
                unreadable.extend(header.segments.into_iter().map(|object| object.object));
            }
        }
        Ok(SegmentWriter::new(
            Arc::clone(&self.store),
            self.key.clone(),
            Recipients::parse(self.recipients())?,
            level,
            known,
            unreadable,
        ))
    }

    /// Whoever can delete in the store could otherwise bring a recipient back that was removed.
    fn check_not_rolled_back(&self, header: &SetHeader) -> Result<()> {
        if header.rotation <= self.rotation {
            return Ok(());
        }
        Err(Error::bad(format!(
            "set {} knows key rotation {}, and the newest in the store is {}",
            header.id, header.rotation, self.rotation
        ))
        .hint("somebody removed it: put keys/ back as it was before you write to this repository"))
    }

    /// Objects that good sets name and that are there in that size, those of the newest set last. Of their locks only those
    /// of this very place are known.
    pub(crate) async fn vouched(&self) -> Result<Vec<StoredObject>> {
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

    /// Ids are sorted by time, to the second: two of one second would leave it to chance which is the newest.
    async fn wait_for_a_new_second(&self) -> Result<()> {
        for _ in 0..3 {
            let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
            if !self.ids().await?.iter().any(|id| id.starts_with(&now)) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        }
        Ok(())
    }

    /// Writes the set: the last write of a backup, and the one that makes it exist.
    ///
    /// # Errors
    /// Exit code 3 when it was not written.
    pub async fn commit<T: Serialize>(
        &self,
        writer: &SegmentWriter,
        fields: SetFields,
        body: &T,
    ) -> Result<Set> {
        self.wait_for_a_new_second().await?;
        let plain = serde_json::to_vec(body).or_unable(|| "cannot write the set's body")?;
        let body_plain_size = plain.len() as u64;
        self.hold(writer).await?;
        let recipients = Recipients::parse(self.recipients())?;
        // Level 3: written once, read rarely, and JSON packs well.
        let body = blocking(move || codec::encode(&plain, 3, &recipients)).await?;
        let (header, guide) = self.header(writer, fields, &body, body_plain_size)?;
        let bytes = set::encode(&self.key, &header, &body)?;
        // What is sent was read as a reader would, so that a set that cannot be opened is never committed.
        let set = set::decode(&self.key, &self.description.id, &header.id, &bytes)?;
        if let Some(guide) = guide {
            self.put_guide(&header.id, &guide).await?;
        }
        match put_own(&*self.store, &set_key(&header.id), &bytes).await? {
            Taken::Ours(_) => Ok(set),
            Taken::Unknown(error) => Err(error),
            Taken::Foreign(_) => Err(
                Error::unable(format!("there is another set {} already", header.id))
                    .hint("two backups cannot have the same id: run this one again"),
            ),
        }
    }

    async fn put_guide(&self, id: &str, guide: &Bytes) -> Result<()> {
        match put_own(&*self.store, &guide_key(id), guide).await? {
            Taken::Ours(_) => Ok(()),
            Taken::Unknown(error) => Err(error),
            Taken::Foreign(_) => Err(
                Error::unable(format!("there is another {} already", guide_key(id)))
                    .hint("two backups cannot have the same id: run this one again"),
            ),
        }
    }

    fn header(
        &self,
        writer: &SegmentWriter,
        fields: SetFields,
        body: &[u8],
        plain: u64,
    ) -> Result<(SetHeader, Option<Bytes>)> {
        let segments = writer.used();
        let written = writer.written();
        let created = jiff::Timestamp::now();
        let suffix: String = random_bytes::<3>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let id = format!("{}-{suffix}", created.strftime("%Y-%m-%dT%H%M%SZ"));
        let guide = fields.guide.map(|text| Bytes::from(text.replace("{set}", &id)));
        let header = SetHeader {
            version: set::VERSION,
            id,
            repository: self.description.id.clone(),
            created,
            snapshot_at: fields.snapshot_at,
            host: fields.host,
            tool: fields.tool,
            project: fields.project,
            environment: fields.environment,
            databases: fields.databases,
            totals: Totals {
                tables: fields.tables,
                rows: fields.rows,
                plain_bytes: fields.plain_bytes,
                stored_bytes: segments.iter().map(|object| object.size).sum::<u64>() + body.len() as u64,
                segments: segments.len() as u64,
                new_segments: written.new_segments,
                new_bytes: written.new_bytes,
            },
            contents: fields.contents,
            body_size: body.len() as u64,
            body_hash: blake3::hash(body).to_hex().to_string(),
            body_plain_size: plain,
            rotation: self.rotation,
            recipients: self.recipients().to_vec(),
            guide: guide.as_ref().map(|guide| Guide {
                size: guide.len() as u64,
                hash: blake3::hash(guide).to_hex().to_string(),
            }),
            locked_in: self.store.lock().map(|_| self.store.describe()),
            segments,
        };
        Ok((header, guide))
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

/// The content address in an object's name: `<id>.zst` or `<id>-<suffix>.zst.age`.
fn id_of(object: &StoredObject) -> &str {
    object.object.split(['.', '-']).next().unwrap_or_default()
}

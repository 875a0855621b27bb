//! Making a set: the writer of its segments, and the commit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use fh_core::{Context as _, Error, Result};
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::codec;
use crate::crypt::Recipients;
use crate::key::random_bytes;
use crate::repository::{Repository, guide_key, set_key};
use crate::segment::{self, SegmentWriter, Taken, blocking, put_own};
use crate::set::{self, Guide, Set, SetFields, SetHeader, SetState, StoredObject, Totals};
use crate::summary;

/// Sets of the wanted kind whose segments a writer knows.
const ENOUGH: usize = 4;
/// Sets read at most to find those.
const MOST_READ: usize = 64;
/// How long before a segment may be removed a set must have been written that relies on it. The time between the last
/// look and the set's being there, and the difference of clocks, must fit in.
const MARGIN: SignedDuration = SignedDuration::from_mins(15);

impl Repository {
    /// Begins a set: a writer that knows which segments the newest good sets name and that are present.
    ///
    /// Only segments of sets that every recipient of today can read are taken up: whoever can read the new set's body
    /// must be able to read all of it.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read, 1 when a key rotation that a set knows of is gone.
    pub async fn writer(&self, level: i32) -> Result<SegmentWriter> {
        self.writer_like(level, |_| true).await
    }

    /// The same for a set that will be like those of which `like` is true: enough of them are looked for among the sets
    /// of a shared repository.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn writer_like(
        &self,
        level: i32,
        like: impl Fn(&SetHeader) -> bool + Send,
    ) -> Result<SegmentWriter> {
        let mut known = HashMap::new();
        let mut avoided = HashSet::new();
        let sets = self.newest_good(like).await?;
        // The lists before the segments: what a finished collection removed is then seen to be gone.
        let marks = self.marks().await?;
        let marked: HashSet<String> = marks.objects().into_keys().map(str::to_owned).collect();
        if !sets.is_empty() {
            let present = self.store.list(segment::FOLDER).await?;
            let sizes: HashMap<&str, u64> = present
                .iter()
                .map(|entry| (entry.key.rsplit('/').next().unwrap_or_default(), entry.size))
                .collect();
            // Oldest first, so that of several objects with one content the newest is used.
            for header in sets.into_iter().rev() {
                self.check_not_rolled_back(&header)?;
                let readers = self.recipients_of(&header);
                if !self.recipients().iter().all(|one| readers.contains(one)) {
                    avoided.extend(header.segments.into_iter().map(|object| object.object));
                    continue;
                }
                let ours = header.locked_in.as_deref() == Some(&self.describe());
                for mut object in header.segments {
                    if sizes.get(object.object.as_str()) == Some(&object.size)
                        && !marked.contains(&object.object)
                    {
                        object.locked_until = object.locked_until.filter(|_| ours);
                        known.insert(id_of(&object).to_owned(), object);
                    }
                }
            }
        }
        avoided.extend(marked);
        Ok(SegmentWriter::new(
            Arc::clone(&self.store),
            self.key.clone(),
            Recipients::parse(self.recipients())?,
            level,
            known,
            avoided,
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

    /// The newest good sets, newest first, until enough of them are like the one to be made. Segments that only older
    /// sets name are sent again; a start that reads every header of years would cost more.
    async fn newest_good(&self, like: impl Fn(&SetHeader) -> bool) -> Result<Vec<SetHeader>> {
        let mut ids = self.ids().await?;
        ids.reverse();
        ids.truncate(MOST_READ);
        let states = futures_util::stream::iter(ids).map(async |id| self.state_of(&id).await);
        let mut states = std::pin::pin!(states.buffered(ENOUGH));
        let (mut good, mut alike) = (Vec::new(), 0);
        while let Some(state) = states.next().await {
            let Some(SetState::Good(header)) = state? else {
                continue;
            };
            alike += usize::from(like(&header));
            good.push(*header);
            if alike == ENOUGH {
                break;
            }
        }
        Ok(good)
    }

    async fn check_used(&self, writer: &SegmentWriter) -> Result<Timestamp> {
        self.check_named(&writer.used(), |object| writer.has_created(object))
            .await
    }

    /// Whether everything that a set is going to name is there and stays: what this run did not create is looked for once
    /// more, and nothing may be about to be removed by a garbage collection. Whoever writes a set asks right before.
    /// Returns when that was found out.
    pub(crate) async fn check_named(
        &self,
        used: &[StoredObject],
        created: impl Fn(&str) -> bool + Send,
    ) -> Result<Timestamp> {
        let looked = Timestamp::now();
        let marks = self.marks().await?;
        let marked = marks.objects();
        if marked.is_empty() && used.iter().all(|object| created(&object.object)) {
            return Ok(looked);
        }
        let present: HashMap<String, (u64, Option<Timestamp>)> = self
            .store
            .list(segment::FOLDER)
            .await?
            .into_iter()
            .map(|entry| {
                let name = entry.key.rsplit('/').next().unwrap_or_default().to_owned();
                (name, (entry.size, entry.modified))
            })
            .collect();
        // A clock that is behind the store's must not make a deadline look far away.
        let newest = present.values().filter_map(|(_, modified)| *modified).max();
        let now = newest.map_or(looked, |newest| newest.max(looked));
        let gone = |object: &&StoredObject| {
            let there = present
                .get(&object.object)
                .is_some_and(|(size, _)| *size == object.size);
            let soon = marked
                .get(object.object.as_str())
                .is_some_and(|time| time.duration_since(now) < MARGIN);
            soon || (!there && !created(&object.object))
        };
        let lost: Vec<&StoredObject> = used.iter().filter(gone).collect();
        let Some(first) = lost.first() else {
            return Ok(looked);
        };
        Err(Error::unable(format!(
            "{} segment(s) that this backup needs were removed or are about to be, {} for one",
            lost.len(),
            first.object
        ))
        .hint("a clean-up ran meanwhile: run the backup again; backup.gc_grace must be longer than a backup takes"))
    }

    /// Ids are sorted by time, to the second: two of one second would leave it to chance which is the newest.
    async fn wait_for_a_new_second(&self) -> Result<()> {
        for _ in 0..3 {
            let now = Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
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
        let own = self.key.summary_identity()?;
        let entries = fields.summary.clone();
        let (summary, body) = blocking(move || {
            let body = codec::encode(&plain, 3, &recipients)?;
            Ok((summary::encode(&entries, &recipients, &own)?, body))
        })
        .await?;
        let (header, guide) = self.header(writer, fields, &summary, &body, body_plain_size)?;
        let bytes = set::encode(&self.key, &header, &summary.stored, &body)?;
        // What is sent was read as a reader would, so that a set that cannot be opened is never committed.
        let set = set::decode(&self.key, &self.description.id, &header.id, &bytes)?;
        if let Some(guide) = guide {
            self.put_guide(&header.id, &guide).await?;
        }
        let looked = self.check_used(writer).await?;
        match put_own(&*self.store, &set_key(&header.id), &bytes).await? {
            Taken::Ours(_) => {}
            Taken::Unknown(error) => return Err(error),
            Taken::Foreign(_) => {
                return Err(
                    Error::unable(format!("there is another set {} already", header.id))
                        .hint("two backups cannot have the same id: run this one again"),
                );
            }
        }
        // What was found out holds for a while only: a write that took longer, or a machine that slept, needs another look.
        if Timestamp::now().duration_since(looked) > MARGIN / 3 {
            self.check_used(writer).await.map_err(|error| {
                Error::unable(format!("set {} was written, and cannot be relied on", header.id))
                    .because(error)
                    .hint("run the backup again, and verify that set before you use it")
            })?;
        }
        Ok(set)
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
        summary: &summary::Encoded,
        body: &[u8],
        plain: u64,
    ) -> Result<(SetHeader, Option<Bytes>)> {
        let segments = writer.used();
        let written = writer.written();
        let created = Timestamp::now();
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
                stored_bytes: segments.iter().map(|object| object.size).sum::<u64>()
                    + summary.stored.len() as u64
                    + body.len() as u64,
                segments: segments.len() as u64,
                new_segments: written.new_segments,
                new_bytes: written.new_bytes,
            },
            contents: fields.contents,
            collapsed: fields.collapsed,
            summary_size: summary.stored.len() as u64,
            summary_hash: blake3::hash(&summary.stored).to_hex().to_string(),
            summary_plain_size: summary.plain_size,
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

/// The content address in an object's name: `<id>.zst` or `<id>-<suffix>.zst.age`.
fn id_of(object: &StoredObject) -> &str {
    object.object.split(['.', '-']).next().unwrap_or_default()
}

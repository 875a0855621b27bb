//! Making a set: the writer of its segments, and the commit.

use std::collections::HashMap;
use std::sync::Arc;

use fh_core::{Context as _, Error, Result};
use serde::Serialize;

use crate::codec;
use crate::key::random_bytes;
use crate::repository::{Repository, set_key};
use crate::segment::{self, SegmentWriter, Taken, blocking, put_own};
use crate::set::{self, Set, SetFields, SetHeader, SetState, StoredObject, Totals};
use crate::summary;

impl Repository {
    /// Begins a set: a writer that knows which segments good sets already name and that are present.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn writer(&self, level: i32) -> Result<SegmentWriter> {
        let mut known = HashMap::new();
        let sets = self.list_sets().await?;
        if !sets.is_empty() {
            let present = self.store.list(segment::FOLDER).await?;
            let sizes: HashMap<&str, u64> = present
                .iter()
                .map(|entry| (entry.key.rsplit('/').next().unwrap_or_default(), entry.size))
                .collect();
            for set in sets {
                let SetState::Good(header) = set.state else {
                    continue;
                };
                for object in header.segments {
                    if sizes.get(object.object.as_str()) == Some(&object.size) {
                        known.insert(id_of(&object).to_owned(), object);
                    }
                }
            }
        }
        Ok(SegmentWriter::new(
            Arc::clone(&self.store),
            self.key.clone(),
            self.description.recipients()?,
            level,
            known,
        ))
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
        let recipients = self.description.recipients()?;
        // Level 3: written once, read rarely, and JSON packs well.
        let own = self.key.summary_identity()?;
        let entries = fields.summary.clone();
        let (summary, body) = blocking(move || {
            let body = codec::encode(&plain, 3, &recipients)?;
            Ok((summary::encode(&entries, &recipients, &own)?, body))
        })
        .await?;
        let header = self.header(writer, fields, &summary, &body, body_plain_size)?;
        let bytes = set::encode(&self.key, &header, &summary.stored, &body)?;
        // What is sent was read as a reader would, so that a set that cannot be opened is never committed.
        let set = set::decode(&self.key, &self.description.id, &header.id, &bytes)?;
        match put_own(&*self.store, &set_key(&header.id), &bytes).await? {
            Taken::Ours(_) => Ok(set),
            Taken::Unknown(error) => Err(error),
            Taken::Foreign(_) => Err(
                Error::unable(format!("there is another set {} already", header.id))
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
    ) -> Result<SetHeader> {
        let segments = writer.used();
        let written = writer.written();
        let created = jiff::Timestamp::now();
        let suffix: String = random_bytes::<3>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(SetHeader {
            version: set::VERSION,
            id: format!("{}-{suffix}", created.strftime("%Y-%m-%dT%H%M%SZ")),
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
            collapsed: fields.collapsed,
            summary_size: summary.stored.len() as u64,
            summary_hash: blake3::hash(&summary.stored).to_hex().to_string(),
            summary_plain_size: summary.plain_size,
            body_size: body.len() as u64,
            body_hash: blake3::hash(body).to_hex().to_string(),
            body_plain_size: plain,
            segments,
        })
    }
}

/// The content address in an object's name: `<id>.zst` or `<id>-<suffix>.zst.age`.
fn id_of(object: &StoredObject) -> &str {
    object.object.split(['.', '-']).next().unwrap_or_default()
}

//! Reads every key.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use fh_core::progress::{Progress, Task};
use fh_core::{Error, Result};
use fh_repository::SegmentWriter;
use redis::Value;
use tokio::sync::mpsc;
use xxhash_rust::xxh3::xxh3_128;

use super::Keys;
use super::info::rdb_version_of;
use super::record::Record;
use super::server::{Server, Target};
use crate::body::Data;
use crate::files::{Chunker, Cut};
use crate::proof::Proof;

/// Keys that one `SCAN` is asked for.
const SCAN_COUNT: &str = "250";
/// Values are asked for together until they have about this many bytes in the server's memory.
const BATCH_BYTES: u64 = 8 << 20;

/// Reads all keys and stores them.
///
/// # Errors
/// Exit code 3 when the server cannot be reached or breaks off, or something cannot be stored.
pub async fn take(target: &Target, writer: &Arc<SegmentWriter>, progress: &Progress) -> Result<Keys> {
    let task = progress.items("backing up Redis", None);
    let (sender, mut receiver) = mpsc::channel(1);
    let (place, shown) = (target.clone(), task.clone());
    let reading = tokio::task::spawn_blocking(move || Reading::new(&place, sender, shown)?.run());
    let stored = async {
        let mut segments = Vec::new();
        while let Some(piece) = receiver.recv().await {
            segments.push(writer.put(piece).await?);
        }
        Ok(segments)
    };
    let stored = stored.await;
    drop(receiver);
    let keys = reading
        .await
        .map_err(|crashed| Error::unable("the thread that reads Redis ended early").because(crashed))?;
    // When storing failed, the thread only knows that nobody listens any more.
    let segments = stored?;
    let mut keys = keys?;
    keys.data.segments = segments;
    task.finish("Redis backed up");
    Ok(keys)
}

struct Reading {
    server: Server,
    sender: mpsc::Sender<Bytes>,
    task: Task,
    chunker: Chunker,
    /// Hashes of the keys that were read: `SCAN` may give one twice. Sixteen bytes and a little for each key.
    seen: HashSet<u128>,
    keys: Keys,
}

impl Reading {
    fn new(target: &Target, sender: mpsc::Sender<Bytes>, task: Task) -> Result<Self> {
        let now = jiff::Timestamp::now();
        Ok(Self {
            server: target.connect()?,
            sender,
            task,
            chunker: Chunker::new(Cut::contents()),
            seen: HashSet::new(),
            keys: Keys {
                server: String::new(),
                rdb_version: None,
                read_from: now,
                read_to: now,
                databases: BTreeMap::new(),
                types: BTreeMap::new(),
                expiring: 0,
                vanished: 0,
                data: Data::default(),
            },
        })
    }

    fn run(mut self) -> Result<Keys> {
        let info = self.server.info()?;
        self.keys.server = info.version;
        for database in info.databases.keys() {
            self.server.select(*database)?;
            let mut cursor = "0".to_owned();
            loop {
                let (next, keys): (String, Vec<Vec<u8>>) = self
                    .server
                    .ask("does not list its keys", &["SCAN", &cursor, "COUNT", SCAN_COUNT])?;
                self.read(*database, keys)?;
                if next == "0" {
                    break;
                }
                cursor = next;
            }
        }
        let sender = &self.sender;
        self.chunker.finish(|piece| send(sender, piece))?;
        self.keys.read_to = jiff::Timestamp::now();
        Ok(self.keys)
    }

    /// Reads keys of one answer, in batches by size.
    fn read(&mut self, database: u32, keys: Vec<Vec<u8>>) -> Result<()> {
        let fresh: Vec<Vec<u8>> = keys
            .into_iter()
            .filter(|key| {
                self.seen
                    .insert(xxh3_128(&[&database.to_le_bytes(), &key[..]].concat()))
            })
            .collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let mut usage = redis::pipe();
        for key in &fresh {
            usage.cmd("MEMORY").arg("USAGE").arg(key);
        }
        let sizes: Vec<Option<u64>> = self
            .server
            .send("does not tell how large its values are", &usage)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (key, size) in fresh.into_iter().zip(sizes) {
            bytes += size.unwrap_or(0);
            batch.push(key);
            if bytes >= BATCH_BYTES {
                self.batch(database, std::mem::take(&mut batch))?;
                bytes = 0;
            }
        }
        self.batch(database, batch)
    }

    /// In one transaction, so that value, type and expiry of a key belong together.
    fn batch(&mut self, database: u32, keys: Vec<Vec<u8>>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        pipeline.atomic().cmd("TIME");
        for key in &keys {
            pipeline
                .cmd("TYPE")
                .arg(key)
                .cmd("PTTL")
                .arg(key)
                .cmd("DUMP")
                .arg(key);
        }
        let what = "does not give its values";
        let mut answers = self.server.send::<Vec<Value>>(what, &pipeline)?.into_iter();
        let strange = |_| Error::unable("Redis gave an answer of another form than it documents");
        let time: (i64, i64) =
            redis::from_redis_value(answers.next().unwrap_or_default()).map_err(strange)?;
        let now = time.0 * 1000 + time.1 / 1000;
        for key in keys {
            let mut next = || answers.next().unwrap_or_default();
            let kind: String = redis::from_redis_value(next()).map_err(strange)?;
            let left: i64 = redis::from_redis_value(next()).map_err(strange)?;
            let payload: Option<Vec<u8>> = redis::from_redis_value(next()).map_err(strange)?;
            // −2: there is no such key (Redis documentation, "PTTL").
            let Some(payload) = payload.filter(|_| left != -2) else {
                self.keys.vanished += 1;
                continue;
            };
            let expires_at = (left >= 0).then(|| now + left);
            self.keep(
                &kind,
                &Record {
                    database,
                    expires_at,
                    key,
                    payload,
                },
            )?;
        }
        Ok(())
    }

    fn keep(&mut self, kind: &str, record: &Record) -> Result<()> {
        let version = rdb_version_of(&record.payload)
            .ok_or_else(|| Error::unable("Redis gave a value that is too short to be one"))?;
        let keys = &mut self.keys;
        keys.rdb_version = keys.rdb_version.max(Some(version));
        *keys.databases.entry(record.database).or_default() += 1;
        *keys.types.entry(kind.to_owned()).or_default() += 1;
        keys.expiring += u64::from(record.expires_at.is_some());
        let bytes = record.encode();
        let mut proof = Proof::default();
        proof.add(&bytes);
        keys.data.proof.merge(proof);
        keys.data.bytes += bytes.len() as u64;
        self.task.inc(1);
        let sender = &self.sender;
        self.chunker.push(&bytes, |piece| send(sender, piece))
    }
}

fn send(sender: &mpsc::Sender<Bytes>, piece: Bytes) -> Result<()> {
    sender
        .blocking_send(piece)
        .map_err(|_| Error::unable("the keys cannot be stored any more"))
}

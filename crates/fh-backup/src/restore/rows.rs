//! Rows: from segments into `COPY … FROM stdin`, counted and hashed on the way.

use std::sync::Arc;

use bytes::Bytes;
use fh_core::{Error, Result};
use fh_pg::query_error;
use fh_repository::{Repository, SegmentRef};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::{Client, CopyInSink};

use super::anonymize::Anonymizer;
use super::work::Load;
use crate::body::Data;
use crate::proof::Proof;

/// Bytes handed to the driver at a time.
const CHUNK: usize = 256 << 10;

/// Values are replaced on the way in.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    pub(super) anonymizer: Arc<Anonymizer>,
    /// `schema.name`.
    pub(super) table: String,
}

/// What was read from segments, and what was sent to the server: the same, unless values were replaced.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) stored: Proof,
    pub(super) sent: Proof,
}

/// Loads some segments of a table, and checks count and hash of the table against the manifest once its last segment
/// has come.
///
/// # Errors
/// Exit code 1 when the stored rows do not match the manifest, 3 when the server refuses them.
pub(super) async fn load_part(
    client: &Client,
    repository: &Repository,
    load: &Load,
    anonymizer: Option<&Arc<Anonymizer>>,
    on_bytes: impl FnMut(u64),
) -> Result<()> {
    let what = &load.what;
    let mask = anonymizer.map(|anonymizer| Mask {
        anonymizer: Arc::clone(anonymizer),
        table: what.clone(),
    });
    let check = |sent| load.whole.add(what, sent);
    let failed = |error| query_error(format!("cannot load the rows of {what}"), error);
    let Some(table) = &load.empty_first else {
        let sink = client.copy_in(&load.statement).await.map_err(failed)?;
        return send(sink, repository, what, &load.segments, mask, on_bytes, check).await;
    };
    // Rows that come in the transaction which made the table's file are written as seen by everybody, and need not be
    // marked when they are first read (PostgreSQL manual, COPY, FREEZE).
    client
        .batch_execute(&format!("BEGIN; TRUNCATE ONLY {table}"))
        .await
        .map_err(failed)?;
    let statement = format!("{} WITH (FREEZE)", load.statement);
    let sink = client.copy_in(&statement).await.map_err(failed)?;
    send(sink, repository, what, &load.segments, mask, on_bytes, check).await?;
    client.batch_execute("COMMIT").await.map_err(failed)
}

/// Sends segments, the next one being fetched meanwhile. What was sent counts only once `check` has agreed.
///
/// # Errors
/// Exit code 1 when a segment is damaged or `check` says so, 3 when the server refuses the rows.
pub(super) async fn send(
    sink: CopyInSink<Bytes>,
    repository: &Repository,
    what: &str,
    segments: &[SegmentRef],
    mask: Option<Mask>,
    mut on_bytes: impl FnMut(u64),
    check: impl FnOnce(Sent) -> Result<()>,
) -> Result<()> {
    let failed = |error| query_error(format!("cannot load the rows of {what}"), error);
    let mut sink = std::pin::pin!(sink);
    let mut all = Sent::default();
    let mut texts = futures_util::stream::iter(segments.to_vec())
        .map(|segment| read(repository.clone(), segment, what.to_owned(), mask.clone()))
        .buffered(2);
    while let Some(read) = texts.next().await {
        let (text, part) = read?;
        all.stored.merge(part.stored);
        all.sent.merge(part.sent);
        on_bytes(text.len() as u64);
        let mut rest = text;
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(CHUNK));
            sink.send(chunk).await.map_err(failed)?;
        }
    }
    check(all)?;
    let loaded = sink.finish().await.map_err(failed)?;
    if loaded != all.sent.rows {
        return Err(Error::bad(format!(
            "{what}: the server loaded {loaded} rows of {}",
            all.sent.rows
        )));
    }
    Ok(())
}

/// What to send of a segment, with its proof, which is taken off the thread that sends.
async fn read(
    repository: Repository,
    segment: SegmentRef,
    what: String,
    mask: Option<Mask>,
) -> Result<(Bytes, Sent)> {
    let text = repository.read_segment(&segment).await?;
    let work = move || {
        let stored = Proof::of_lines(&text).ok_or_else(|| cut(&what))?;
        let Some(mask) = mask else {
            return Ok((Bytes::from(text), Sent { stored, sent: stored }));
        };
        let masked = mask.anonymizer.mask(&mask.table, &text)?;
        let sent = Proof::of_lines(&masked).ok_or_else(|| cut(&what))?;
        Ok((Bytes::from(masked), Sent { stored, sent }))
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crashed| Error::unable("the thread that hashes rows ended early").because(crashed))?
}

/// Loads large objects: rows of (oid, offset, bytes) through a temporary table, written with `lo_put`.
///
/// # Errors
/// Exit code 1 when the stored rows do not match the manifest, 3 when the server refuses them.
pub async fn load_large_objects(
    client: &Client,
    repository: &Repository,
    data: &Data,
    mut on_bytes: impl FnMut(u64),
) -> Result<()> {
    let failed = |error| query_error("cannot load the large objects", error);
    client
        .batch_execute("CREATE TEMPORARY TABLE fh_large_object (id oid, start int8, part bytea)")
        .await
        .map_err(failed)?;
    let mut proof = Proof::default();
    // One segment at a time, so that the temporary table stays small.
    for segment in data.segments.chunks(1) {
        let sink = client
            .copy_in("COPY pg_temp.fh_large_object FROM stdin")
            .await
            .map_err(failed)?;
        let count = |part: Sent| {
            proof.merge(part.stored);
            Ok(())
        };
        send(
            sink,
            repository,
            "the large objects",
            segment,
            None,
            &mut on_bytes,
            count,
        )
        .await?;
        client
            .batch_execute(
                "SELECT lo_put(id, start, part) FROM pg_temp.fh_large_object; TRUNCATE pg_temp.fh_large_object",
            )
            .await
            .map_err(failed)?;
    }
    if proof != data.proof {
        return Err(mismatch(
            "the large objects",
            data.proof,
            proof,
            "the stored segments hold",
        ));
    }
    client
        .batch_execute("DROP TABLE pg_temp.fh_large_object")
        .await
        .map_err(failed)
}

fn cut(what: &str) -> Error {
    Error::bad(format!("a segment of {what} ends in the middle of a row"))
}

/// The error for rows that are not those of the backup.
#[must_use]
pub fn mismatch(what: &str, expected: Proof, found: Proof, who: &str) -> Error {
    Error::bad(format!(
        "{what}: {who} {} rows with hash {}, the manifest says {} rows with hash {}",
        found.rows,
        found.hash_hex(),
        expected.rows,
        expected.hash_hex()
    ))
}

//! Rows: from segments into `COPY … FROM stdin`, counted and hashed on the way.

use bytes::Bytes;
use fh_core::{Error, Result};
use fh_pg::query_error;
use fh_repository::Repository;
use futures_util::SinkExt as _;
use tokio_postgres::{Client, CopyInSink};

use crate::body::Data;
use crate::proof::Proof;

/// Bytes handed to the driver at a time.
const CHUNK: usize = 256 << 10;

/// Loads `data` with `statement` (a `COPY … FROM stdin`), and checks count and hash against the manifest.
///
/// # Errors
/// Exit code 1 when the stored rows do not match the manifest, 3 when the server refuses them.
pub async fn load(
    client: &Client,
    repository: &Repository,
    statement: &str,
    what: &str,
    data: &Data,
    mut on_bytes: impl FnMut(u64),
) -> Result<()> {
    let failed = |error| query_error(format!("cannot load the rows of {what}"), error);
    let statement = statement.trim().trim_end_matches(';');
    let sink: CopyInSink<Bytes> = client.copy_in(statement).await.map_err(failed)?;
    let mut sink = std::pin::pin!(sink);
    let mut proof = Proof::default();
    for segment in &data.segments {
        let text = Bytes::from(repository.read_segment(segment).await?);
        proof.merge(Proof::of_lines(&text).ok_or_else(|| cut(what))?);
        on_bytes(text.len() as u64);
        let mut rest = text;
        while !rest.is_empty() {
            let chunk = rest.split_to(rest.len().min(CHUNK));
            sink.send(chunk).await.map_err(failed)?;
        }
    }
    if proof != data.proof {
        return Err(mismatch(what, data.proof, proof, "the stored segments hold"));
    }
    let loaded = sink.finish().await.map_err(failed)?;
    if loaded != data.proof.rows {
        return Err(Error::bad(format!(
            "{what}: the server loaded {loaded} rows of {}",
            data.proof.rows
        )));
    }
    Ok(())
}

/// Loads large objects: rows of (oid, offset, bytes) through a temporary table, written with `lo_put`.
///
/// # Errors
/// As [`load`].
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
    for segment in &data.segments {
        // One segment at a time, so that the temporary table stays small.
        let mut part = Data {
            segments: vec![segment.clone()],
            ..Data::default()
        };
        let text = repository.read_segment(segment).await?;
        part.proof = Proof::of_lines(&text).ok_or_else(|| cut("the large objects"))?;
        proof.merge(part.proof);
        load(
            client,
            repository,
            "COPY pg_temp.fh_large_object FROM stdin",
            "the large objects",
            &part,
            &mut on_bytes,
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

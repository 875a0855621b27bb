//! Streams rows out of the server, counting and hashing each, and hands them on in segments.

use std::pin::Pin;

use bytes::Bytes;
use fh_core::{Error, Result};
use fh_pg::query_error;
use futures_util::StreamExt as _;
use tokio_postgres::{Client, CopyOutStream};

use super::cutter::{Cutter, Piece, first_line};
use crate::proof::Proof;

/// Large objects as rows of (oid, offset, bytes), 256 KiB at a time and at least one row for each, so that an empty one
/// is not forgotten. `lo_open` with 262144 is `INV_READ` (PostgreSQL manual, 35.3); `OFFSET 0` keeps the planner from
/// evaluating the calls in another order.
pub const LARGE_OBJECTS: &str = "
COPY (SELECT o.oid, part.start, lo_get(o.oid, part.start, 262144)
      FROM (SELECT oid FROM pg_largeobject_metadata ORDER BY oid) o,
      LATERAL (SELECT lo_open(o.oid, 262144) AS fd OFFSET 0) opened,
      LATERAL (SELECT lo_lseek64(opened.fd, 0, 2) AS size OFFSET 0) measured,
      LATERAL (SELECT lo_close(opened.fd) * 0 + measured.size AS size OFFSET 0) closed,
      LATERAL generate_series(0::int8, greatest(closed.size - 1, 0), 262144) AS part(start)
) TO STDOUT";

/// The segments of one `COPY … TO STDOUT`.
///
/// A message holds whole rows: the server sends one for each (PostgreSQL manual, 55.2.6), and what it sent may be merged on
/// the way ([`fh_pg::ConnectOptions::merge_rows`]).
pub struct Pieces {
    /// `None` once the last row has come.
    stream: Option<Pin<Box<CopyOutStream>>>,
    /// Rows that came and are in no segment yet, from this byte on.
    rows: (Bytes, usize),
    what: String,
}

impl Pieces {
    /// Begins to read; `what` names the rows in errors.
    ///
    /// # Errors
    /// Exit code 3 when the server refuses.
    pub async fn open(client: &Client, statement: &str, what: &str) -> Result<Self> {
        let stream = client
            .copy_out(statement)
            .await
            .map_err(|error| failed(what, error))?;
        Ok(Self {
            stream: Some(Box::pin(stream)),
            rows: (Bytes::new(), 0),
            what: what.to_owned(),
        })
    }

    /// The next segment, or `None` after the last row. All statements of a session use one cutter, for its buffers.
    ///
    /// # Errors
    /// Exit code 3 when the server breaks off.
    pub async fn next(&mut self, cutter: &mut Cutter) -> Result<Option<Piece>> {
        loop {
            let (rows, from) = &mut self.rows;
            while *from < rows.len() {
                let (taken, piece) = cutter.push(&rows[*from..]);
                *from += taken;
                if piece.is_some() {
                    return Ok(piece);
                }
            }
            // A stream that has ended must not be asked again: what follows belongs to the next statement.
            let Some(stream) = &mut self.stream else { break };
            match stream.next().await {
                Some(rows) => self.rows = (rows.map_err(|error| failed(&self.what, error))?, 0),
                None => self.stream = None,
            }
        }
        Ok(cutter.take())
    }
}

/// Counts and hashes what a `COPY … TO STDOUT` gives, and keeps nothing of it.
///
/// # Errors
/// Exit code 3 when the server refuses or breaks off.
pub async fn proof(client: &Client, statement: &str, what: &str) -> Result<Proof> {
    let mut proof = Proof::default();
    each_row(client, statement, what, |row| {
        proof.add(row.strip_suffix(b"\n").unwrap_or(row));
        Ok(())
    })
    .await?;
    Ok(proof)
}

/// Shows every row that a `COPY … TO STDOUT` gives, with its newline, to `look`.
///
/// # Errors
/// Exit code 3 when the server refuses or breaks off; those of `look`.
pub async fn each_row(
    client: &Client,
    statement: &str,
    what: &str,
    mut look: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let stream = client
        .copy_out(statement)
        .await
        .map_err(|error| failed(what, error))?;
    let mut stream = std::pin::pin!(stream);
    while let Some(rows) = stream.next().await {
        let rows = rows.map_err(|error| failed(what, error))?;
        let mut rest = &rows[..];
        while !rest.is_empty() {
            let row = first_line(rest);
            look(row)?;
            rest = &rest[row.len()..];
        }
    }
    Ok(())
}

fn failed(what: &str, error: tokio_postgres::Error) -> Error {
    query_error(format!("cannot read the rows of {what}"), error)
}

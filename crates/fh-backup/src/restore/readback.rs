//! After a restore: read the target again and compare with the manifest.

use fh_core::{Error, Result};
use fh_pg::query_error;
use tokio_postgres::Client;

use super::work::Read;
use crate::proof::Proof;
use crate::source::copy;

/// Compares what `statements` (each a `COPY … TO STDOUT`) give together now with `expected`, shows `look` every row with
/// the number of its statement, and gives the number of rows.
///
/// # Errors
/// Exit code 1 when they differ, 3 when the server cannot be read; those of `look`.
pub async fn compare(
    client: &Client,
    statements: &[String],
    what: &str,
    expected: Proof,
    mut look: impl FnMut(usize, &[u8]) -> Result<()>,
) -> Result<u64> {
    let mut found = Proof::default();
    for (index, statement) in statements.iter().enumerate() {
        copy::each_row(client, statement, what, |row| {
            found.add(row.strip_suffix(b"\n").unwrap_or(row));
            look(index, row)
        })
        .await?;
    }
    if found == expected {
        Ok(found.rows)
    } else {
        Err(super::rows::mismatch(what, expected, found, "the target holds"))
    }
}

/// Counts the rows of the tables of a reading, without reading them.
///
/// # Errors
/// Exit code 1 when there are more or fewer, 3 when the server cannot be asked.
pub(super) async fn count(client: &Client, read: &Read, expected: Proof) -> Result<u64> {
    let failed = |error| query_error(format!("cannot count the rows of {}", read.what), error);
    let mut rows = 0;
    for statement in &read.counts {
        let counted: i64 = client.query_one(statement, &[]).await.map_err(failed)?.get(0);
        rows += u64::try_from(counted).unwrap_or_default();
    }
    if rows == expected.rows {
        return Ok(rows);
    }
    Err(Error::bad(format!(
        "{}: the target holds {rows} rows, the manifest says {}",
        read.what, expected.rows
    )))
}

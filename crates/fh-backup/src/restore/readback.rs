//! After a restore: read the target again and compare with the manifest.

use fh_core::Result;
use tokio_postgres::Client;

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

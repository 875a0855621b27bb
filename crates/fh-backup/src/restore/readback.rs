//! After a restore: read the target again and compare with the manifest.

use fh_core::Result;
use tokio_postgres::Client;

use crate::proof::Proof;
use crate::source::copy;

/// Compares what `statements` (each a `COPY … TO STDOUT`) give together now with what the backup took, and gives the
/// number of rows.
///
/// # Errors
/// Exit code 1 when they differ, 3 when the server cannot be read.
pub async fn compare(client: &Client, statements: &[String], what: &str, expected: Proof) -> Result<u64> {
    let mut found = Proof::default();
    for statement in statements {
        found.merge(copy::proof(client, statement, what).await?);
    }
    if found == expected {
        Ok(found.rows)
    } else {
        Err(super::rows::mismatch(what, expected, found, "the target holds"))
    }
}

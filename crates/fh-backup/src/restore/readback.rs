//! After a restore: read the target again and compare every table with the manifest.

use fh_core::Result;
use tokio_postgres::Client;

use crate::body::Data;
use crate::proof::Proof;
use crate::source::copy::Pieces;

/// Count and hash of what `statement` (a `COPY … TO STDOUT`) gives now.
///
/// # Errors
/// Exit code 3 when the server cannot be read.
pub async fn proof(client: &Client, statement: &str, what: &str) -> Result<Proof> {
    let mut proof = Proof::default();
    let mut pieces = Pieces::open(client, statement, what).await?;
    while let Some(piece) = pieces.next().await? {
        proof.merge(piece.proof);
    }
    Ok(proof)
}

/// Compares what the target holds with what the backup took.
///
/// # Errors
/// Exit code 1 when they differ, 3 when the server cannot be read.
pub async fn compare(client: &Client, statement: &str, what: &str, data: &Data) -> Result<()> {
    let found = proof(client, statement, what).await?;
    if found == data.proof { Ok(()) } else { Err(super::rows::mismatch(what, data.proof, found, "the target holds")) }
}

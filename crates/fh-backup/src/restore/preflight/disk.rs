//! Room on the target's disk, where it can be known: when the server is on this machine.

use fh_core::Result;
use fh_core::render::bytes;
use fh_pg::{Connection, Place};

use super::Findings;
use crate::body::Database;

/// A restored database with its indexes and the log of its making is some times the size of its rows as text; this much
/// is hardly ever enough.
const LEAST: f64 = 1.3;

pub(super) async fn check(findings: &mut Findings, target: &Connection, database: &Database) -> Result<()> {
    let needed = needed(database);
    let on_this_machine = target
        .target()
        .servers()
        .iter()
        .all(|server| matches!(server.place, Place::Socket(_)));
    let free = if on_this_machine { free(target).await } else { None };
    match free {
        None => findings.unknown(
            "disk",
            format!(
                "the rows are {} as text; how much room the server has cannot be seen from here",
                bytes(needed)
            ),
        ),
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        Some(free) if (free as f64) < needed as f64 * LEAST => findings.warn(
            "disk",
            format!(
                "the server's disk has {} free, and the rows alone are {} as text",
                bytes(free),
                bytes(needed)
            ),
            "make room first: a full disk ends the restore half way, and stops every other database of the server",
        ),
        Some(free) => findings.good(
            "disk",
            format!("{} free, the rows are {} as text", bytes(free), bytes(needed)),
        ),
    }
    Ok(())
}

fn needed(database: &Database) -> u64 {
    let tables = database.tables.iter().map(|table| &table.data);
    tables.chain(&database.large_objects).map(|data| data.bytes).sum()
}

/// Free bytes of the file system of the data directory; `None` when the role may not know where it is, or we may not
/// look.
async fn free(target: &Connection) -> Option<u64> {
    let row = target
        .query_one("SELECT current_setting('data_directory')", &[])
        .await
        .ok()?;
    let status = rustix::fs::statvfs(row.get::<_, String>(0)).ok()?;
    Some(status.f_bavail.saturating_mul(status.f_frsize))
}

//! The planner's statistics. Most tables get theirs as soon as they are loaded: a foreign key is proven by a join, and without
//! statistics the server joins millions of rows the slow way. The rest follows at the end.

use std::collections::BTreeSet;

use fh_core::Result;
use fh_pg::{Connection, qualified, query_error};

use super::perform::sessions;
use super::run::Request;
use crate::archive::Archive;
use crate::workers::{Queue, on_each};

/// Partitions, which are looked at with their root, and tables of which more can be known once everything is there:
/// expressions have statistics only when an index (PostgreSQL manual, ANALYZE, notes) or an object of
/// CREATE STATISTICS asks for them.
const KINDS: &str = "
SELECT n.nspname, c.relname, c.relispartition,
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indexprs IS NOT NULL)
       OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext e WHERE e.stxrelid = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')";

/// Gathers the statistics of one table, named as SQL.
///
/// # Errors
/// Exit code 3 when the server refuses.
pub(super) async fn one(session: &Connection, table: &str) -> Result<()> {
    let made = session.batch_execute(&format!("ANALYZE {table}")).await;
    made.map_err(|error| query_error(format!("cannot ANALYZE {table}"), error))
}

/// Gathers the statistics that are still missing, several tables at a time; `done` are tables that have theirs. The commits
/// wait for the disk, and with them everything before.
///
/// # Errors
/// Exit code 3 when the server refuses.
pub(super) async fn rest(
    request: &Request<'_>,
    target: &Connection,
    archive: &Archive,
    done: &BTreeSet<String>,
) -> Result<()> {
    let tables = left(target, archive, done).await?;
    let sessions = sessions(request, tables.len()).await?;
    let queue = Queue::new(tables);
    on_each(sessions, |session| {
        let queue = queue.clone();
        async move {
            while let Some(table) = queue.next() {
                one(&session, &table).await?;
            }
            Ok(())
        }
    })
    .await
    .map(drop)
}

async fn left(target: &Connection, archive: &Archive, done: &BTreeSet<String>) -> Result<Vec<String>> {
    let rows = target.query(KINDS, &[]).await;
    let rows = rows.map_err(|error| query_error("cannot list the restored tables", error))?;
    let (mut partitions, mut more) = (BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        let name = qualified(row.get(0), row.get(1));
        if row.get(2) {
            partitions.insert(name);
        } else if row.get(3) {
            more.insert(name);
        }
    }
    let kinds = ["TABLE", "MATERIALIZED VIEW"];
    let entries = archive.entries.iter();
    Ok(entries
        .filter(|entry| kinds.contains(&entry.kind.as_str()))
        .map(|entry| {
            qualified(
                entry.namespace.as_deref().unwrap_or_default(),
                entry.tag.as_deref().unwrap_or_default(),
            )
        })
        .filter(|table| !partitions.contains(table) && (more.contains(table) || !done.contains(table)))
        .collect())
}

//! What is to be copied: every `TABLE DATA` entry, matched against the catalogue, cut into ranges of blocks.

use std::collections::HashMap;

use fh_core::{Error, Result};
use fh_pg::qualified;

use super::catalog::Relation;
use crate::archive::{Archive, Copy};

/// Heap bytes in one range of a table: the fixed grid on which segments lie, so that unchanged blocks give the same
/// segments in the next backup. The last range is sent again whenever rows were appended, so ranges are small.
const RANGE_BYTES: u64 = 4 << 20;

/// One table to copy.
#[derive(Debug, Clone)]
pub struct TableWork {
    /// Schema, without quotes.
    pub schema: String,
    /// Name, without quotes.
    pub name: String,
    /// Its `TABLE DATA` entry.
    pub dump_id: i64,
    /// The statements that read it, in order; each gives one or more segments.
    pub statements: Vec<String>,
    /// Bytes of heap, for progress and for the order of work.
    pub heap_bytes: u64,
}

/// Matches the table of contents with the catalogue of the same snapshot.
///
/// # Errors
/// Exit code 3 when a table has rows to dump but no entry, or an entry has no table: then `pg_dump` and the catalogue
/// do not speak of the same database, and a set made of them could miss rows.
pub fn plan(
    archive: &Archive,
    relations: &[Relation],
    block_size: u64,
    tid_ranges: bool,
) -> Result<Vec<TableWork>> {
    let mut by_oid: HashMap<String, &Relation> = relations
        .iter()
        .filter(|relation| relation.has_rows)
        .map(|relation| (relation.oid.to_string(), relation))
        .collect();
    let copies = archive
        .copies()
        .map_err(|what| Error::unable(format!("what pg_dump says of a table is not understood: {what}")))?;
    let mut work = Vec::new();
    for entry in archive.table_data() {
        let relation = entry
            .oid
            .as_ref()
            .and_then(|oid| by_oid.remove(oid))
            .ok_or_else(|| {
                Error::unable(format!(
                    "pg_dump lists data of {}, which the catalogue of the same snapshot does not",
                    entry.label()
                ))
                .hint("this is a mismatch between pg_dump and the server: check that pg_dump is a stock one")
            })?;
        let statements = statements(&copies[&entry.dump_id], relation, block_size, tid_ranges);
        work.push(TableWork {
            schema: relation.schema.clone(),
            name: relation.name.clone(),
            dump_id: entry.dump_id,
            statements,
            heap_bytes: relation.heap_bytes,
        });
    }
    let missing: Vec<String> = by_oid.values().map(|relation| relation.label()).collect();
    if !missing.is_empty() {
        return Err(Error::unable(format!(
            "pg_dump left out the data of {} table(s): {}",
            missing.len(),
            listed(missing)
        ))
        .hint("this is a mismatch between pg_dump and the server: check that pg_dump is a stock one"));
    }
    Ok(work)
}

fn listed(mut names: Vec<String>) -> String {
    names.sort();
    let more = names.len().saturating_sub(5);
    names.truncate(5);
    let list = names.join(", ");
    if more == 0 {
        list
    } else {
        format!("{list} and {more} more")
    }
}

/// The table to read is the catalogue's, never the one that the COPY loads: that may be the root of a partition.
fn statements(copy: &Copy, relation: &Relation, block_size: u64, tid_ranges: bool) -> Vec<String> {
    let table = qualified(&relation.schema, &relation.name);
    match &relation.condition {
        Some(condition) => vec![copy.read(&format!("{table} {condition}"))],
        None if tid_ranges && relation.access_method == "heap" => ranges(relation.heap_bytes, block_size)
            .into_iter()
            .map(|range| copy.read(&format!("{table}{range}")))
            .collect(),
        None => vec![copy.read(&table)],
    }
}

/// The conditions of the ranges: the first has no lower end and the last no upper one, so that together they hold every
/// row whatever the size was when it was read.
fn ranges(heap_bytes: u64, block_size: u64) -> Vec<String> {
    let step = (RANGE_BYTES / block_size).max(1);
    let count = heap_bytes.div_ceil(block_size).div_ceil(step).max(1);
    (0..count)
        .map(|index| {
            let lower = (index > 0).then(|| format!("ctid >= '({},0)'", index * step));
            let upper = (index + 1 < count).then(|| format!("ctid < '({},0)'", (index + 1) * step));
            let conditions: Vec<String> = lower.into_iter().chain(upper).collect();
            if conditions.is_empty() {
                String::new()
            } else {
                format!(" WHERE {}", conditions.join(" AND "))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_everything_on_a_fixed_grid() {
        assert_eq!(ranges(0, 8192), [""]);
        assert_eq!(ranges(4 << 20, 8192), [""]);
        assert_eq!(
            ranges((10 << 20) + 1, 8192),
            [
                " WHERE ctid < '(512,0)'",
                " WHERE ctid >= '(512,0)' AND ctid < '(1024,0)'",
                " WHERE ctid >= '(1024,0)'"
            ]
        );
    }
}

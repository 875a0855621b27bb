//! What is to be copied: every `TABLE DATA` entry, matched against the catalogue, cut into ranges of blocks.

use std::collections::HashMap;

use fh_core::{Error, Result};

use super::catalog::Relation;
use crate::archive::{Archive, Entry};

/// Heap bytes in one range of a table: the fixed grid on which segments lie, so that unchanged blocks give the same
/// segments in the next backup.
const RANGE_BYTES: u64 = 8 << 20;

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
pub fn plan(archive: &Archive, relations: &[Relation], block_size: u64, tid_ranges: bool) -> Result<Vec<TableWork>> {
    let mut by_oid: HashMap<String, &Relation> =
        relations.iter().filter(|relation| relation.has_rows).map(|relation| (relation.oid.to_string(), relation)).collect();
    let mut work = Vec::new();
    for entry in archive.table_data() {
        let relation = entry.oid.as_ref().and_then(|oid| by_oid.remove(oid)).ok_or_else(|| {
            Error::unable(format!("pg_dump lists data of {}, which the catalogue of the same snapshot does not", entry.label()))
                .hint("this is a mismatch between pg_dump and the server: check that pg_dump is a stock one")
        })?;
        work.push(table_work(entry, relation, block_size, tid_ranges)?);
    }
    let missing: Vec<String> = by_oid.values().map(|relation| relation.label()).collect();
    if !missing.is_empty() {
        return Err(Error::unable(format!("pg_dump left out the data of {} table(s): {}", missing.len(), listed(missing)))
            .hint("this is a mismatch between pg_dump and the server: check that pg_dump is a stock one"));
    }
    Ok(work)
}

fn listed(mut names: Vec<String>) -> String {
    names.sort();
    let more = names.len().saturating_sub(5);
    names.truncate(5);
    let list = names.join(", ");
    if more == 0 { list } else { format!("{list} and {more} more") }
}

fn table_work(entry: &Entry, relation: &Relation, block_size: u64, tid_ranges: bool) -> Result<TableWork> {
    let copy = entry.copy.as_deref().unwrap_or_default();
    let (table, columns) = parse_copy(copy).ok_or_else(|| {
        Error::unable(format!("pg_dump's COPY statement of {} is not understood: {copy:?}", entry.label()))
    })?;
    let statements = match &relation.condition {
        Some(condition) => vec![format!("COPY (SELECT {columns} FROM ONLY {table} {condition}) TO STDOUT")],
        None if tid_ranges && relation.access_method == "heap" => ranges(relation.heap_bytes, block_size)
            .into_iter()
            .map(|range| format!("COPY (SELECT {columns} FROM ONLY {table}{range}) TO STDOUT"))
            .collect(),
        None => vec![format!("COPY (SELECT {columns} FROM ONLY {table}) TO STDOUT")],
    };
    Ok(TableWork {
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        dump_id: entry.dump_id,
        statements,
        heap_bytes: relation.heap_bytes,
    })
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
            if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
        })
        .collect()
}

/// The statement that reads all rows of the table that `load` (a `COPY … FROM stdin`) fills; `None` when it is none.
#[must_use]
pub fn whole_table(load: &str) -> Option<String> {
    let (table, columns) = parse_copy(load)?;
    Some(format!("COPY (SELECT {columns} FROM ONLY {table}) TO STDOUT"))
}

/// Takes `COPY schema.table (columns) FROM stdin;` apart into the quoted table name and the column list as written.
fn parse_copy(statement: &str) -> Option<(&str, &str)> {
    let rest = statement.trim_end().strip_prefix("COPY ")?.strip_suffix(" FROM stdin;")?;
    let mut quoted = false;
    let end = rest.char_indices().find_map(|(at, c)| match c {
        '"' => {
            quoted = !quoted;
            None
        }
        ' ' if !quoted => Some(at),
        _ => None,
    })?;
    let (table, columns) = rest.split_at(end);
    let columns = columns.trim();
    let columns = if columns.is_empty() { "" } else { columns.strip_prefix('(')?.strip_suffix(')')? };
    Some((table, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_statements_come_apart() {
        assert_eq!(parse_copy("COPY public.t (a, \"b c\") FROM stdin;\n"), Some(("public.t", "a, \"b c\"")));
        assert_eq!(
            parse_copy("COPY \"odd \"\"schema\".\"a (b) FROM x\" (\"c) FROM stdin;\") FROM stdin;\n"),
            Some(("\"odd \"\"schema\".\"a (b) FROM x\"", "\"c) FROM stdin;\""))
        );
        assert_eq!(parse_copy("COPY public.empty  FROM stdin;\n"), Some(("public.empty", "")));
        assert_eq!(parse_copy("INSERT INTO t"), None);
    }

    #[test]
    fn ranges_cover_everything_on_a_fixed_grid() {
        assert_eq!(ranges(0, 8192), [""]);
        assert_eq!(ranges(8 << 20, 8192), [""]);
        assert_eq!(
            ranges((20 << 20) + 1, 8192),
            [
                " WHERE ctid < '(1024,0)'",
                " WHERE ctid >= '(1024,0)' AND ctid < '(2048,0)'",
                " WHERE ctid >= '(2048,0)'"
            ]
        );
    }
}

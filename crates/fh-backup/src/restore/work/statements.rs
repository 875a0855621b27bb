//! Indexes and constraints that can be made beside each other, and beside the rows of other tables.
//!
//! What is not understood beyond doubt is not among them: it is left to `pg_restore`, one after the other, as are the
//! indexes of partitioned tables, which lock tables that the table of contents does not name.

use std::collections::{BTreeMap, BTreeSet};

use super::loads::Loaded;
use super::tables::Tables;
use super::{Plan, Statement, Work};
use crate::archive::{Archive, Entry};
use crate::restore::schedule::{Hold, Task};

/// Adds the tasks.
pub(super) fn plan(plan: &mut Plan, archive: &Archive, tables: &Tables<'_>, loaded: &BTreeMap<i64, Loaded>) {
    // The table of an index or constraint, and the task that makes it, by dump id.
    let mut made: BTreeMap<i64, (i64, usize)> = BTreeMap::new();
    for entry in &archive.entries {
        let found = match entry.kind.as_str() {
            "INDEX" => index(entry, tables, loaded),
            "CONSTRAINT" => constraint(entry, tables, loaded),
            _ => None,
        };
        let Some((table, hold)) = found else { continue };
        let Loaded { tasks, bytes, .. } = &loaded[&table];
        let mut after = tasks.clone();
        after.extend(earlier(entry, &made));
        made.insert(entry.dump_id, (table, plan.tasks.len()));
        let sorted = is_sorted(entry).then_some(*bytes);
        push(plan, entry, vec![(table, hold)], after, bytes / 2, sorted);
    }
    for entry in &archive.entries {
        if entry.kind == "FK CONSTRAINT"
            && let Some((ours, theirs)) = ends(entry, tables)
            && !tables.in_a_tree(theirs)
            && has_its_key(entry, theirs, &made)
        {
            let mut all: BTreeSet<i64> = tables.with_partitions(ours).into_iter().collect();
            all.insert(theirs);
            let mut after: Vec<usize> = earlier(entry, &made).collect();
            let mut bytes = 0;
            for table in all.iter().filter_map(|table| loaded.get(table)) {
                after.extend(&table.tasks);
                after.extend(table.analyzed);
                bytes += table.bytes;
            }
            let holds = all.into_iter().map(|table| (table, Hold::Reference)).collect();
            push(plan, entry, holds, after, bytes / 2, None);
        }
    }
}

fn push(
    plan: &mut Plan,
    entry: &Entry,
    holds: Vec<(i64, Hold)>,
    after: Vec<usize>,
    cost: u64,
    sorted: Option<u64>,
) {
    plan.covered.push(entry.dump_id);
    plan.tasks.push(Task {
        work: Work::Statement(Statement {
            what: format!("{} {}", entry.kind.to_lowercase(), entry.label()),
            sql: entry.definition.clone().unwrap_or_default(),
            tablespace: entry.tablespace.clone().unwrap_or_default(),
            sorted,
        }),
        holds,
        after,
        cost,
    });
}

/// Tasks for what `entry` depends on.
fn earlier<'a>(entry: &'a Entry, made: &'a BTreeMap<i64, (i64, usize)>) -> impl Iterator<Item = usize> + 'a {
    let ids = entry.dependencies.iter().filter_map(|id| id.parse().ok());
    ids.filter_map(|id: i64| made.get(&id).map(|(_, task)| *task))
}

/// The one table with rows that an entry depends on.
fn only_table(entry: &Entry, tables: &Tables<'_>, loaded: &BTreeMap<i64, Loaded>) -> Option<i64> {
    let needed = tables.needed_by(entry);
    let mut needed = needed.into_iter();
    match (needed.next(), needed.next()) {
        (Some(table), None) if loaded.contains_key(&table) => Some(table),
        _ => None,
    }
}

fn index(entry: &Entry, tables: &Tables<'_>, loaded: &BTreeMap<i64, Loaded>) -> Option<(i64, Hold)> {
    let table = only_table(entry, tables, loaded)?;
    let definition = entry.definition.as_deref()?.trim();
    let plain = definition.starts_with("CREATE INDEX ") || definition.starts_with("CREATE UNIQUE INDEX ");
    // Behind an index there may be more about the table (CLUSTER ON, REPLICA IDENTITY), which locks it for itself.
    let hold = if definition.contains(";\n") {
        Hold::Alone
    } else {
        Hold::Index
    };
    plain.then_some((table, hold))
}

fn constraint(entry: &Entry, tables: &Tables<'_>, loaded: &BTreeMap<i64, Loaded>) -> Option<(i64, Hold)> {
    let table = only_table(entry, tables, loaded)?;
    let definition = entry.definition.as_deref()?;
    let with_index = [" PRIMARY KEY ", " UNIQUE ", " EXCLUDE "];
    let known = with_index.iter().any(|kind| definition.contains(kind));
    known.then_some((table, Hold::Alone))
}

/// Whether it is made by sorting: a B-tree, as pg_dump writes it.
fn is_sorted(entry: &Entry) -> bool {
    let definition = entry.definition.as_deref().unwrap_or_default();
    let constraint = entry.kind == "CONSTRAINT" && !definition.contains(" EXCLUDE ");
    constraint || definition.contains(" USING btree (")
}

/// The table that has the foreign key, and the one it refers to.
fn ends(entry: &Entry, tables: &Tables<'_>) -> Option<(i64, i64)> {
    let definition = entry.definition.as_deref()?;
    let rest = definition.strip_prefix("ALTER TABLE ")?;
    let rest = rest.strip_prefix("ONLY ").unwrap_or(rest);
    let (ours, rest) = rest.split_once("\n    ADD CONSTRAINT ")?;
    // A name may hold these words too: then there is more than one way to read it, and we read it in none.
    let mut references = rest.split(" REFERENCES ");
    let (_, theirs, None) = (references.next()?, references.next()?, references.next()) else {
        return None;
    };
    let (theirs, _) = theirs.split_once('(')?;
    let (ours, theirs) = (tables.named(ours)?, tables.named(theirs)?);
    let needed = tables.needed_by(entry);
    // Both are told by the dependencies too, where they tell tables at all.
    needed
        .iter()
        .all(|table| [ours, theirs].contains(table))
        .then_some((ours, theirs))
}

/// Whether the key that a foreign key refers to is among the tasks: then it is waited for.
fn has_its_key(entry: &Entry, theirs: i64, made: &BTreeMap<i64, (i64, usize)>) -> bool {
    let ids = entry.dependencies.iter().filter_map(|id| id.parse::<i64>().ok());
    ids.filter_map(|id| made.get(&id))
        .any(|(table, _)| *table == theirs)
}

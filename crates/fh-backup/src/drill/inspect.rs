//! Whether the restored database enforces what it says: constraints that were checked, indexes that can be used.

use std::collections::BTreeSet;

use fh_core::Result;
use fh_core::report::Check;
use fh_pg::{Connection, query_error};

use crate::archive::Archive;

/// Constraints, and whether each was checked against the rows. Those of partitions are counted with their parents'.
const CONSTRAINTS: &str = "
SELECT n.nspname::text, r.relname::text, c.conname::text, c.convalidated
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.conparentid = 0";

/// Indexes, and whether queries may use them. One of a partitioned table becomes valid when every partition has its part.
const INDEXES: &str = "
SELECT n.nspname::text, c.relname::text, i.indisvalid AND i.indisready, c.relkind = 'I'
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";

/// Looks at every constraint and index. What was not valid in the database that was backed up either is a warning.
///
/// # Errors
/// Exit code 3 when the server cannot be asked.
pub async fn check(target: &Connection, archive: &Archive) -> Result<Check> {
    let failed = |error| query_error("cannot look at the constraints and indexes", error);
    let constraints = target.query(CONSTRAINTS, &[]).await.map_err(failed)?;
    let indexes = target.query(INDEXES, &[]).await.map_err(failed)?;
    let known = not_valid_before(archive);
    let (mut broken, mut as_before) = (Vec::new(), Vec::new());
    for row in &constraints {
        let (schema, table, name): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        if row.get::<_, bool>(3) {
            continue;
        }
        let told = format!("constraint {name} of {schema}.{table} is not validated");
        if known.contains(&(schema, format!("{table} {name}"))) {
            as_before.push(told);
        } else {
            broken.push(told);
        }
    }
    for row in &indexes {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        let (valid, of_partitions): (bool, bool) = (row.get(2), row.get(3));
        // pg_dump leaves out an invalid index, except one of a partitioned table.
        match (valid, of_partitions) {
            (true, _) => {}
            (false, true) => as_before.push(format!("index {schema}.{name} lacks the part of a partition")),
            (false, false) => broken.push(format!("index {schema}.{name} is not valid")),
        }
    }
    Ok(verdict(constraints.len(), indexes.len(), &broken, &as_before))
}

fn verdict(constraints: usize, indexes: usize, broken: &[String], as_before: &[String]) -> Check {
    let id = "constraints";
    let all = format!("{constraints} constraints and {indexes} indexes");
    let check = match (broken.len(), as_before.len()) {
        (0, 0) => Check::pass(id, format!("{all} are valid")),
        (0, same) => Check::warn(id, format!("of {all}, {same} are not valid, as in the backup"))
            .hint("validate them in the database that is backed up (ALTER TABLE … VALIDATE CONSTRAINT)"),
        (bad, _) => Check::fail(id, format!("of {all}, {bad} are not valid"))
            .hint("the restored database does not enforce what the backup says: compare with the source"),
    };
    broken.iter().chain(as_before).fold(check, Check::evidence)
}

/// Schema, and table with name, of the constraints that the backup itself says are not valid.
fn not_valid_before(archive: &Archive) -> BTreeSet<(String, String)> {
    archive
        .entries
        .iter()
        .filter(|entry| entry.kind.ends_with("CONSTRAINT"))
        .filter(|entry| {
            entry
                .definition
                .as_deref()
                .is_some_and(|definition| definition.contains("NOT VALID"))
        })
        .map(|entry| {
            (
                entry.namespace.clone().unwrap_or_default(),
                entry.tag.clone().unwrap_or_default(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fh_core::report::Status;

    #[test]
    fn what_was_not_valid_before_is_told_apart() {
        let one = ["x".to_owned()];
        assert_eq!(verdict(3, 2, &[], &[]).status, Status::Pass);
        assert_eq!(verdict(3, 2, &[], &one).status, Status::Warn);
        assert_eq!(verdict(3, 2, &one, &one).status, Status::Fail);
        assert_eq!(verdict(3, 2, &one, &one).evidence.len(), 2);
    }
}

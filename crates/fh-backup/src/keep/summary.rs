//! The summary of a body: what the host that backs up may remember of it.

use fh_repository::SummaryEntry;

use crate::body::{Body, Data, Database};

/// Kind of a table's entry.
pub const TABLE: &str = "table";
/// Kind of the entry of a database's large objects.
pub const LARGE_OBJECTS: &str = "large_objects";

/// Every table and whatever else holds data, with its size.
#[must_use]
pub fn of(body: &Body) -> Vec<SummaryEntry> {
    body.databases.iter().flat_map(database).collect()
}

fn database(database: &Database) -> Vec<SummaryEntry> {
    let entry = |kind: &str, schema: &str, name: &str, data: &Data| SummaryEntry {
        database: database.name.clone(),
        kind: kind.into(),
        schema: schema.into(),
        name: name.into(),
        rows: data.proof.rows,
        bytes: data.bytes,
    };
    let tables = database
        .tables
        .iter()
        .map(|table| entry(TABLE, &table.schema, &table.name, &table.data));
    let large_objects = database
        .large_objects
        .iter()
        .map(|data| entry(LARGE_OBJECTS, "", "", data));
    tables.chain(large_objects).collect()
}

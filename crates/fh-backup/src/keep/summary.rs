//! The summary of a body: what the host that backs up may remember of it.

use fh_repository::SummaryEntry;

use crate::body::{Body, Data, Database};
use crate::redis_keys::RedisPart;

/// Kind of a table's entry.
pub const TABLE: &str = "table";
/// Kind of the entry of a database's large objects.
pub const LARGE_OBJECTS: &str = "large_objects";

/// Kind of a file tree's entry.
pub const FILES: &str = "files";
/// Kind of the entry of Redis.
pub const REDIS: &str = "redis";

/// Every table and whatever else holds data, with its size. A file, and a key of Redis, counts as a row.
#[must_use]
pub fn of(body: &Body) -> Vec<SummaryEntry> {
    let other = |kind: &str, name: &str, rows, bytes| SummaryEntry {
        database: String::new(),
        kind: kind.into(),
        schema: String::new(),
        name: name.into(),
        rows,
        bytes,
    };
    let trees = body
        .files
        .iter()
        .map(|tree| other(FILES, &tree.name, tree.counts.files, tree.bytes));
    let redis = body.redis.iter().filter_map(|redis| match redis {
        RedisPart::Keys(keys) => Some(other(REDIS, "", keys.databases.values().sum(), keys.data.bytes)),
        RedisPart::ElastiCache(_) => None,
    });
    let tables = body.databases.iter().flat_map(database);
    tables.chain(trees).chain(redis).collect()
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

//! Takes one database: snapshot, definitions, rows on several connections, and the proof of each table.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fh_core::progress::{Progress, Task};
use fh_core::{Error, Result};
use fh_pg::{ConnectOptions, Connection, ConnectionString, Program, Tool, Tools, query_error};
use fh_repository::{SegmentRef, SegmentWriter};

use super::copy::{self, Pieces};
use super::leader::{self, Leader};
use super::plan::{self, TableWork};
use super::{catalog, toc};
use crate::body::{Data, Database, Table};
use crate::proof::Proof;
use crate::workers::{Queue, on_each};

/// How to read a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// How each session connects.
    pub connect: ConnectOptions,
    /// How long to wait for a table lock.
    pub lock_timeout: Duration,
    /// How long `pg_dump` may take to write its table of contents.
    pub toc_timeout: Duration,
    /// Sessions that read rows at the same time.
    pub jobs: usize,
}

/// One statement to run, and where its rows belong.
struct Item {
    table: Option<usize>,
    order: usize,
    statement: String,
    what: String,
    bytes: u64,
}

/// What one statement gave.
struct Part {
    table: Option<usize>,
    order: usize,
    data: Data,
}

/// Reads the database and stores its rows and definitions; the returned description is not yet part of any set.
///
/// # Errors
/// Exit code 3 whenever anything was not read to its end.
pub async fn take(
    source: &ConnectionString,
    options: &Options,
    bin_dir: Option<&Path>,
    writer: &Arc<SegmentWriter>,
    progress: &Progress,
) -> Result<Database> {
    let leader = Leader::begin(source, &options.connect, options.lock_timeout).await?;
    // The very server that has the snapshot: a name may stand for several.
    let source = leader.connection.target();
    let pg_dump = Tools::find(Program::PgDump, leader.connection.server.major(), bin_dir).await?;
    let toc = toc::read(
        &pg_dump,
        source,
        &leader.snapshot,
        options.lock_timeout,
        options.toc_timeout,
    )
    .await?;
    let tid_ranges = leader.connection.server.major() >= 14;
    let work = plan::plan(&toc.archive, &leader.relations, leader.block_size, tid_ranges)?;
    let total = work.iter().map(|table| table.heap_bytes).sum();
    let task = progress.bytes(format!("backing up {}", source.database()), Some(total));

    let items = items(&work, toc.archive.has_large_objects());
    let parts = read_all(source, options, &leader.snapshot, items, writer, &task).await?;
    // The locks were held to the end only if the leader's session is still there.
    leader
        .connection
        .simple_query("SELECT 1")
        .await
        .map_err(|error| {
            query_error(
                "the session that holds the snapshot and the locks was lost",
                error,
            )
        })?;

    let definitions = store_toc(writer, &toc.bytes).await?;
    let database = describe(&leader, &pg_dump, source.database(), definitions).await?;
    Ok(assemble(database, work, parts))
}

fn items(work: &[TableWork], large_objects: bool) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (index, table) in work.iter().enumerate() {
        let share = table.heap_bytes / table.statements.len().max(1) as u64;
        for (order, statement) in table.statements.iter().enumerate() {
            items.push(Item {
                table: Some(index),
                order,
                statement: statement.clone(),
                what: format!("{}.{}", table.schema, table.name),
                bytes: share,
            });
        }
    }
    if large_objects {
        let statement = copy::LARGE_OBJECTS.to_owned();
        items.push(Item {
            table: None,
            order: 0,
            statement,
            what: "the large objects".into(),
            bytes: 0,
        });
    }
    // What cannot be cut goes first: a long piece begun last would leave the other workers waiting for it.
    items.sort_by_key(|item| (item.table.is_some(), std::cmp::Reverse(item.bytes)));
    items
}

async fn read_all(
    source: &ConnectionString,
    options: &Options,
    snapshot: &str,
    items: Vec<Item>,
    writer: &Arc<SegmentWriter>,
    task: &Task,
) -> Result<Vec<Part>> {
    let mut connections = Vec::new();
    for _ in 0..options.jobs.clamp(1, items.len().max(1)) {
        connections.push(leader::follower(source, &options.connect, options.lock_timeout, snapshot).await?);
    }
    let queue = Queue::new(items);
    let parts = on_each(connections, |connection| {
        let (queue, writer, task) = (queue.clone(), Arc::clone(writer), task.clone());
        async move {
            let mut parts = Vec::new();
            while let Some(item) = queue.next() {
                parts.push(read_one(&connection, &item, &writer).await?);
                task.inc(item.bytes);
            }
            Ok(parts)
        }
    })
    .await?;
    Ok(parts.into_iter().flatten().collect())
}

async fn read_one(connection: &Connection, item: &Item, writer: &SegmentWriter) -> Result<Part> {
    let mut data = Data::default();
    let mut pieces = Pieces::open(connection, &item.statement, &item.what).await?;
    while let Some(piece) = pieces.next().await? {
        data.proof.merge(piece.proof);
        data.bytes += piece.text.len() as u64;
        data.segments.push(writer.put(piece.text.into()).await?);
    }
    Ok(Part {
        table: item.table,
        order: item.order,
        data,
    })
}

/// Table of contents in segments of at most this size, like rows.
async fn store_toc(writer: &SegmentWriter, bytes: &[u8]) -> Result<Vec<SegmentRef>> {
    let mut segments = Vec::new();
    for chunk in bytes.chunks(super::cutter::SEGMENT_LIMIT) {
        segments.push(writer.put(chunk.to_vec().into()).await?);
    }
    if segments.is_empty() {
        return Err(Error::unable("pg_dump's table of contents is empty"));
    }
    Ok(segments)
}

async fn describe(leader: &Leader, pg_dump: &Tool, name: &str, toc: Vec<SegmentRef>) -> Result<Database> {
    Ok(Database {
        name: name.to_owned(),
        server_version: leader.connection.server.number(),
        snapshot_at: leader.snapshot_at,
        properties: catalog::properties(&leader.connection).await?,
        toc,
        pg_dump: pg_dump.version.to_string(),
        extensions: catalog::extensions(&leader.connection).await?,
        roles: catalog::roles(&leader.connection).await?,
        settings: catalog::settings(&leader.connection).await?,
        tables: Vec::new(),
        large_objects: None,
    })
}

fn assemble(mut database: Database, work: Vec<TableWork>, mut parts: Vec<Part>) -> Database {
    parts.sort_by_key(|part| (part.table, part.order));
    database.tables = work
        .into_iter()
        .map(|table| Table {
            schema: table.schema,
            name: table.name,
            dump_id: table.dump_id,
            data: Data::default(),
        })
        .collect();
    for part in parts {
        let data = match part.table {
            Some(index) => &mut database.tables[index].data,
            None => database.large_objects.get_or_insert_default(),
        };
        append(data, part.data);
    }
    database
}

fn append(data: &mut Data, part: Data) {
    let Data {
        proof,
        bytes,
        segments,
    } = part;
    data.proof.merge(proof);
    data.bytes += bytes;
    data.segments.extend(segments);
}

/// The rows and bytes of a whole database.
#[must_use]
pub fn totals(database: &Database) -> (Proof, u64) {
    let mut proof = Proof::default();
    let mut bytes = 0;
    for data in database
        .tables
        .iter()
        .map(|table| &table.data)
        .chain(&database.large_objects)
    {
        proof.merge(data.proof);
        bytes += data.bytes;
    }
    (proof, bytes)
}

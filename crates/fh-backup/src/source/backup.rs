//! Takes one database: snapshot, definitions, rows on several connections, and the proof of each table.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fh_core::progress::Progress;
use fh_core::{Error, Result};
use fh_pg::{ConnectOptions, ConnectionString, Program, Tool, Tools, query_error};
use fh_repository::{SegmentRef, SegmentWriter};

use super::leader::Leader;
use super::plan::{self, TableWork};
use super::read::{self, Part};
use super::{catalog, toc, yielding};
use crate::body::{Column, Data, Database, Table};
use crate::leaving;
use crate::proof::Proof;

/// The columns of every table, by schema and name.
type Columns = HashMap<(String, String), Vec<Column>>;

/// How to read a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// How each session connects.
    pub connect: ConnectOptions,
    /// How long to wait for a table lock.
    pub lock_timeout: Duration,
    /// How long `pg_dump` may take to write its table of contents.
    pub toc_timeout: Duration,
    /// How long another session may wait for one of our locks; zero for ever.
    pub yield_after: Duration,
    /// Sessions that read rows at the same time.
    pub jobs: usize,
    /// Whether what is stored is encrypted, for the script that reads it without this program.
    pub encrypted: bool,
}

/// Takes the snapshot of each database, all at the same time: PostgreSQL has none that spans several, so the snapshots
/// shall at least be close together, before any row is read. The order is that of `sources`.
///
/// # Errors
/// Those of [`Leader::begin`], for the first database that fails.
pub async fn begin(sources: &[ConnectionString], options: &Options) -> Result<Vec<Leader>> {
    let begun = sources
        .iter()
        .map(|source| Leader::begin(source, &options.connect, options.lock_timeout));
    futures_util::future::try_join_all(begun).await
}

/// Reads the databases of the snapshots, one after the other. Those whose turn has not come hold locks too, and give way
/// like the one that is read.
///
/// # Errors
/// Those of [`take`], for the first database that fails.
pub async fn take_all(
    leaders: Vec<Leader>,
    options: &Options,
    bin_dir: Option<&Path>,
    writer: &Arc<SegmentWriter>,
    progress: &Progress,
) -> Result<Vec<Database>> {
    let mut waiting = VecDeque::from(leaders);
    let mut databases = Vec::new();
    while let Some(leader) = waiting.pop_front() {
        let database = tokio::select! {
            taken = take(leader, options, bin_dir, writer, progress) => taken?,
            somebody = until_somebody_waits(&waiting, options.yield_after) => return Err(somebody),
        };
        databases.push(database);
    }
    Ok(databases)
}

/// The same for several sessions: never, when there are none.
async fn until_somebody_waits(leaders: &VecDeque<Leader>, limit: Duration) -> Error {
    if leaders.is_empty() {
        return std::future::pending().await;
    }
    let watching = leaders
        .iter()
        .map(|leader| Box::pin(yielding::until_somebody_waits(&leader.connection, limit)));
    futures_util::future::select_all(watching).await.0
}

/// Reads the database of a snapshot and stores its rows and definitions; the returned description is not yet part of any
/// set. The snapshot and its locks end with this call.
///
/// # Errors
/// Exit code 3 whenever anything was not read to its end.
pub async fn take(
    leader: Leader,
    options: &Options,
    bin_dir: Option<&Path>,
    writer: &Arc<SegmentWriter>,
    progress: &Progress,
) -> Result<Database> {
    // The very server that has the snapshot: a name may stand for several.
    let source = leader.connection.target();
    let pg_dump = Tools::find(Program::PgDump, leader.connection.server.major(), bin_dir).await?;
    let toc = toc::read(
        &pg_dump,
        source,
        &leader.snapshot,
        options.lock_timeout,
        options.toc_timeout,
    );
    let toc = give_way(&leader, options, toc)
        .await
        .map_err(|error| leader.blame(error))?;
    let tid_ranges = leader.connection.server.major() >= 14;
    let work = plan::plan(&toc.archive, &leader.relations, leader.block_size, tid_ranges)?;
    let total = work.iter().map(|table| table.heap_bytes).sum();
    let task = progress.bytes(format!("backing up {}", source.database()), Some(total));

    let items = read::items(&work, toc.archive.has_large_objects());
    let reading = read::all(source, options, &leader.snapshot, items, writer, &task);
    let parts = give_way(&leader, options, reading)
        .await
        .map_err(|error| leader.blame(error))?;
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
    let columns = catalog::columns(&leader.connection).await?;
    let mut database = assemble(database, work, parts, columns);
    database.leaving = Some(leaving::store(writer, &toc.archive, &database, options.encrypted).await?);
    Ok(database)
}

/// Works on, unless somebody waits for one of our locks for too long.
async fn give_way<T>(leader: &Leader, options: &Options, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        result = work => result,
        somebody = yielding::until_somebody_waits(&leader.connection, options.yield_after) => Err(somebody),
    }
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
        leaving: None,
    })
}

fn assemble(
    mut database: Database,
    work: Vec<TableWork>,
    mut parts: Vec<Part>,
    mut columns: Columns,
) -> Database {
    parts.sort_by_key(|part| (part.table, part.order));
    database.tables = work
        .into_iter()
        .map(|table| {
            let key = (table.schema, table.name);
            let columns = columns.remove(&key).unwrap_or_default();
            let (schema, name) = key;
            Table {
                schema,
                name,
                dump_id: table.dump_id,
                columns,
                data: Data::default(),
            }
        })
        .collect();
    for part in parts {
        let data = match part.table {
            Some(index) => &mut database.tables[index].data,
            None => database.large_objects.get_or_insert_default(),
        };
        data.proof.merge(part.proof);
        data.bytes += part.bytes;
        data.segments.push(part.segment);
    }
    database
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

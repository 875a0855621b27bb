//! The order of a restore: look, define, load, finish, read back.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use fh_core::progress::Progress;
use fh_core::{Error, Hint as _, Result};
use fh_pg::{
    ConnectOptions, Connection, ConnectionString, Program, Tools, connect, pin_session, qualified,
    query_error,
};
use fh_repository::Repository;

use super::compare::{Difference, compare};
use super::definitions::{Definitions, Ownership};
use super::{preflight, readback, rows, settings};
use crate::archive::Archive;
use crate::body::{Data, Database};
use crate::proof::Proof;
use crate::source::{copy, toc};
use crate::workers::{Queue, on_each};

/// How long `pg_dump` may take to describe the restored database.
const TOC_TIMEOUT: Duration = Duration::from_secs(900);

/// What to restore, and where.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where the segments are.
    pub repository: Repository,
    /// The database of the set.
    pub database: &'a Database,
    /// Its table of contents.
    pub archive: &'a Archive,
    /// An empty database.
    pub target: &'a ConnectionString,
    /// How each session connects.
    pub connect: ConnectOptions,
    /// How long to wait for a lock.
    pub lock_timeout: Duration,
    /// Where the PostgreSQL programs are, when not in the usual places.
    pub bin_dir: Option<&'a Path>,
    /// Owners and privileges.
    pub ownership: Ownership,
    /// Sessions that load at the same time.
    pub jobs: usize,
    /// Where progress goes.
    pub progress: Progress,
}

/// A restore whose rows were read back and are those of the backup.
#[derive(Debug)]
pub struct Proven {
    /// Rows of all tables, and pieces of large objects.
    pub rows: u64,
    /// How the definitions compare.
    pub difference: Difference,
    /// Settings that could not be set, each with the reason.
    pub settings_left_out: Vec<String>,
    /// How long reading back took.
    pub read_back: Duration,
    /// How long definitions, sequence values and rows took.
    pub load: Duration,
    /// How long indexes and constraints took.
    pub indexes: Duration,
}

/// One table, or the large objects, to load.
struct Load {
    what: String,
    data: Data,
    /// The statement; none for large objects.
    statement: Option<String>,
}

/// Rows to read back: of one table, or of all tables that were loaded through the same one, between which rows may have
/// changed places.
struct Read {
    what: String,
    statements: Vec<String>,
    proof: Proof,
    bytes: u64,
}

/// Restores and proves.
///
/// # Errors
/// Exit code 4 or 3 before anything was changed; 1 or 3 later, and then the hint says that the target is unfinished.
pub async fn run(request: &Request<'_>) -> Result<Proven> {
    let target = session(request).await?;
    preflight::check(&target, request.archive, request.database, request.ownership).await?;
    let major = target.server.major();
    let pg_restore = Tools::find(Program::PgRestore, major, request.bin_dir).await?;
    let pg_dump = Tools::find(Program::PgDump, major, request.bin_dir).await?;
    let (loads, reads) = work(request)?;
    let definitions = Definitions::prepare(request.archive, &pg_restore, request.target, request.ownership)?;

    let unfinished = || "the target is unfinished: drop the database and make a new one before you try again";
    let changed = async {
        let began = Instant::now();
        definitions.before_rows().await?;
        definitions.values().await?;
        load(request, loads).await?;
        let load = began.elapsed();
        let began = Instant::now();
        definitions.after_rows().await?;
        let indexes = began.elapsed();
        let began = Instant::now();
        let rows = read_back(request, reads).await?;
        let read_back = began.elapsed();
        let name = request.target.database();
        let settings_left_out = settings::apply(&target, name, request.database, request.ownership).await?;
        let snapshot = snapshot(&target).await?;
        let now = toc::read(
            &pg_dump,
            request.target,
            &snapshot,
            request.lock_timeout,
            TOC_TIMEOUT,
        )
        .await?
        .archive;
        let Ownership {
            no_owner,
            no_privileges,
        } = request.ownership;
        let difference = compare(request.archive, &now, no_owner, no_privileges);
        target
            .batch_execute("COMMIT; ANALYZE")
            .await
            .map_err(|error| query_error("cannot gather the planner's statistics (ANALYZE)", error))?;
        Ok(Proven {
            rows,
            difference,
            settings_left_out,
            read_back,
            load,
            indexes,
        })
    };
    changed.await.hint(unfinished)
}

async fn session(request: &Request<'_>) -> Result<Connection> {
    let connection = connect(request.target, &request.connect).await?;
    pin_session(&connection, request.lock_timeout).await?;
    Ok(connection)
}

async fn snapshot(target: &Connection) -> Result<String> {
    let failed = |error| query_error("cannot look at the restored database", error);
    target
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(failed)?;
    Ok(target
        .query_one("SELECT pg_export_snapshot()", &[])
        .await
        .map_err(failed)?
        .get(0))
}

/// Pairs each table of the manifest with its COPY of the table of contents.
fn work(request: &Request<'_>) -> Result<(Vec<Load>, Vec<Read>)> {
    let copies = request
        .archive
        .copies()
        .map_err(|what| Error::bad(format!("the definitions of the set are not understood: {what}")))?;
    let mut loads = Vec::new();
    let mut reads: BTreeMap<String, Read> = BTreeMap::new();
    for table in &request.database.tables {
        let what = table.label();
        let copy = copies.get(&table.dump_id).ok_or_else(|| {
            Error::bad(format!(
                "the definitions of the set have no entry for the rows of {what}"
            ))
        })?;
        loads.push(Load {
            what: what.clone(),
            data: table.data.clone(),
            statement: Some(copy.load()),
        });
        let read = reads.entry(copy.table.clone()).or_insert_with(|| Read::new(what));
        read.add(copy.read(&qualified(&table.schema, &table.name)), &table.data);
    }
    let mut reads: Vec<Read> = reads.into_values().collect();
    if let Some(data) = &request.database.large_objects {
        let what = "the large objects".to_owned();
        loads.push(Load {
            what: what.clone(),
            data: data.clone(),
            statement: None,
        });
        let mut read = Read::new(what);
        read.add(copy::LARGE_OBJECTS.to_owned(), data);
        reads.push(read);
    }
    // The largest first, so that no worker begins it when the others are done.
    loads.sort_by_key(|load| std::cmp::Reverse(load.data.bytes));
    reads.sort_by_key(|read| std::cmp::Reverse(read.bytes));
    Ok((loads, reads))
}

impl Read {
    fn new(what: String) -> Self {
        Self {
            what,
            statements: Vec::new(),
            proof: Proof::default(),
            bytes: 0,
        }
    }

    fn add(&mut self, statement: String, data: &Data) {
        self.statements.push(statement);
        self.proof.merge(data.proof);
        self.bytes += data.bytes;
    }
}

async fn sessions(request: &Request<'_>, work: usize) -> Result<Vec<Connection>> {
    let mut sessions = Vec::new();
    for _ in 0..request.jobs.clamp(1, work.max(1)) {
        sessions.push(session(request).await?);
    }
    Ok(sessions)
}

async fn load(request: &Request<'_>, loads: Vec<Load>) -> Result<()> {
    let task = request.progress.bytes(
        "loading rows",
        Some(loads.iter().map(|load| load.data.bytes).sum()),
    );
    let sessions = sessions(request, loads.len()).await?;
    let queue = Queue::new(loads);
    let loaded = on_each(sessions, |session| {
        let (queue, repository, task) = (queue.clone(), request.repository.clone(), task.clone());
        async move {
            while let Some(Load {
                what,
                data,
                statement,
            }) = queue.next()
            {
                let on_bytes = |count| task.inc(count);
                match statement {
                    Some(statement) => {
                        rows::load(&session, &repository, &statement, &what, &data, on_bytes).await?;
                    }
                    None => rows::load_large_objects(&session, &repository, &data, on_bytes).await?,
                }
            }
            Ok(())
        }
    });
    loaded.await.map(drop)
}

/// Reads the target again, compares every table with the manifest, and gives the number of rows.
async fn read_back(request: &Request<'_>, reads: Vec<Read>) -> Result<u64> {
    let task = request
        .progress
        .bytes("reading back", Some(reads.iter().map(|read| read.bytes).sum()));
    let sessions = sessions(request, reads.len()).await?;
    let queue = Queue::new(reads);
    let compared = on_each(sessions, |session| {
        let (queue, task) = (queue.clone(), task.clone());
        async move {
            let mut rows = 0;
            while let Some(Read {
                what,
                statements,
                proof,
                bytes,
            }) = queue.next()
            {
                rows += readback::compare(&session, &statements, &what, proof).await?;
                task.inc(bytes);
            }
            Ok(rows)
        }
    });
    Ok(compared.await?.into_iter().sum())
}

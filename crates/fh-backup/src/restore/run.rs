//! The order of a restore: look, define, load, finish, read back.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fh_core::progress::Progress;
use fh_core::{Error, Hint as _, Result};
use fh_pg::{ConnectOptions, Connection, ConnectionString, Program, Tools, connect, pin_session, query_error};
use fh_repository::Repository;

use super::compare::{Difference, compare};
use super::definitions::{Definitions, Ownership};
use super::{preflight, readback, rows, settings};
use crate::archive::Archive;
use crate::body::{Data, Database};
use crate::source::{copy, plan, toc};
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
}

/// One table, or the large objects, for a worker.
struct Work {
    what: String,
    data: Data,
    load: String,
    read: String,
    large_objects: bool,
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
    let work = Arc::new(work(request)?);
    let definitions = Definitions::prepare(request.archive, &pg_restore, request.target, request.ownership)?;

    let unfinished = || "the target is unfinished: drop the database and make a new one before you try again";
    let changed = async {
        definitions.before_rows().await?;
        definitions.values().await?;
        load(request, &work).await?;
        definitions.after_rows(request.jobs).await?;
        let began = Instant::now();
        read_back(request, &work).await?;
        let read_back = began.elapsed();
        let name = request.target.database();
        let settings_left_out = settings::apply(&target, name, request.database).await?;
        let snapshot = snapshot(&target).await?;
        let now =
            toc::read(&pg_dump, request.target, &snapshot, request.lock_timeout, TOC_TIMEOUT).await?.archive;
        let Ownership { no_owner, no_privileges } = request.ownership;
        let difference = compare(request.archive, &now, no_owner, no_privileges);
        target
            .batch_execute("COMMIT; ANALYZE")
            .await
            .map_err(|error| query_error("cannot gather the planner's statistics (ANALYZE)", error))?;
        let rows = work.iter().map(|work| work.data.proof.rows).sum();
        Ok(Proven { rows, difference, settings_left_out, read_back })
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
    target.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
    Ok(target.query_one("SELECT pg_export_snapshot()", &[]).await.map_err(failed)?.get(0))
}

/// Pairs each table of the manifest with the statements of the table of contents.
fn work(request: &Request<'_>) -> Result<Vec<Work>> {
    let statements: HashMap<i64, &str> = request
        .archive
        .table_data()
        .filter_map(|entry| Some((entry.dump_id, entry.copy.as_deref()?)))
        .collect();
    let mut work = Vec::new();
    for table in &request.database.tables {
        let what = table.label();
        let load = *statements
            .get(&table.dump_id)
            .ok_or_else(|| Error::bad(format!("the definitions of the set have no entry for the rows of {what}")))?;
        let read = plan::whole_table(load)
            .ok_or_else(|| Error::bad(format!("the COPY statement of {what} is not understood: {load:?}")))?;
        work.push(Work { what, data: table.data.clone(), load: load.to_owned(), read, large_objects: false });
    }
    if let Some(data) = &request.database.large_objects {
        work.push(Work {
            what: "the large objects".into(),
            data: data.clone(),
            load: String::new(),
            read: copy::LARGE_OBJECTS.into(),
            large_objects: true,
        });
    }
    // The largest first, so that no worker begins it when the others are done.
    work.sort_by_key(|work| std::cmp::Reverse(work.data.bytes));
    Ok(work)
}

async fn sessions(request: &Request<'_>, work: &[Work]) -> Result<Vec<Connection>> {
    let mut sessions = Vec::new();
    for _ in 0..request.jobs.clamp(1, work.len().max(1)) {
        sessions.push(session(request).await?);
    }
    Ok(sessions)
}

async fn load(request: &Request<'_>, work: &Arc<Vec<Work>>) -> Result<()> {
    let task = request.progress.bytes("loading rows", Some(work.iter().map(|work| work.data.bytes).sum()));
    let queue = Queue::new(0..work.len());
    let loaded = on_each(sessions(request, work).await?, |session| {
        let (queue, work, repository, task) =
            (queue.clone(), Arc::clone(work), request.repository.clone(), task.clone());
        async move {
            while let Some(index) = queue.next() {
                let Work { what, data, load, large_objects, .. } = &work[index];
                let on_bytes = |count| task.inc(count);
                if *large_objects {
                    rows::load_large_objects(&session, &repository, data, on_bytes).await?;
                } else {
                    rows::load(&session, &repository, load, what, data, on_bytes).await?;
                }
            }
            Ok(())
        }
    });
    loaded.await.map(drop)
}

async fn read_back(request: &Request<'_>, work: &Arc<Vec<Work>>) -> Result<()> {
    let task = request.progress.bytes("reading back", Some(work.iter().map(|work| work.data.bytes).sum()));
    let queue = Queue::new(0..work.len());
    let compared = on_each(sessions(request, work).await?, |session| {
        let (queue, work, task) = (queue.clone(), Arc::clone(work), task.clone());
        async move {
            while let Some(index) = queue.next() {
                let Work { what, data, read, .. } = &work[index];
                readback::compare(&session, read, what, data).await?;
                task.inc(data.bytes);
            }
            Ok(())
        }
    });
    compared.await.map(drop)
}

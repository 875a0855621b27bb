//! The workers of a restore: sessions that take tasks of the schedule until none is left.

use std::sync::Arc;

use fh_core::Result;
use fh_core::progress::Task;
use fh_pg::{Connection, query_error};
use fh_repository::Repository;

use super::anonymize::{Anonymizer, Hits};
use super::run::{ProofOf, Request};
use super::schedule::Schedule;
use super::work::{Plan, Statement, Work};
use super::{analyze, readback, rows};
use crate::workers::on_each;

pub(super) async fn sessions(request: &Request<'_>, work: usize) -> Result<Vec<Connection>> {
    let mut sessions = Vec::new();
    for _ in 0..request.jobs.clamp(1, work.max(1)) {
        sessions.push(request.session().await?);
    }
    Ok(sessions)
}

/// Memory for sorting the entries of an ordinary index, of which a parallel worker needs half. More is slower: a sort within
/// the processor's cache and a merge of its runs cost a fifth less than one sort of everything, as strings are compared all
/// over memory.
const SORT: &str = "64MB";
/// A table above this has more runs than can be merged at once with so little memory.
const LARGEST_SORTED_SMALL: u64 = 16 << 30;

/// Commits need not wait for the disk: an unfinished target is worth nothing, and the last statements of a restore wait.
/// Foreign keys and other kinds of index may use an eighth of what the server believes to have as cache, shared by the
/// workers. Each statement runs once, and compiling it (`jit`) takes longer than it saves.
fn faster(jobs: usize) -> String {
    format!(
        "SET synchronous_commit = off; SET jit = off;
         SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')),
             least(pg_size_bytes(current_setting('effective_cache_size')) / (8 * {jobs}), 512 << 20)) / 1024 || 'kB', false)"
    )
}

/// What the workers found.
#[derive(Default)]
pub(super) struct Done {
    /// Rows that were read back.
    pub(super) rows: u64,
    pub(super) hits: Hits,
}

/// Loads, reads back, and makes what can be made beside.
pub(super) async fn run_tasks(
    request: &Request<'_>,
    plan: Plan,
    default_tablespace: bool,
    anonymizer: Option<Arc<Anonymizer>>,
) -> Result<Done> {
    let loading = request.progress.bytes("loading rows", Some(plan.bytes));
    let reading = request.progress.bytes("reading back", Some(plan.bytes));
    let sessions = sessions(request, plan.tasks.len()).await?;
    let faster = faster(sessions.len());
    for session in &sessions {
        session
            .batch_execute(&faster)
            .await
            .map_err(|error| query_error("cannot set up a session for loading", error))?;
    }
    let schedule = Schedule::new(plan.tasks);
    let parts = on_each(sessions, |session| {
        let worker = Worker {
            repository: request.repository.clone(),
            loading: loading.clone(),
            reading: reading.clone(),
            default_tablespace,
            anonymizer: anonymizer.clone(),
            proof: request.proof,
        };
        let schedule = schedule.clone();
        async move {
            let mut done = Done::default();
            while let Some((task, work)) = schedule.next().await? {
                worker.run(&session, work, &mut done).await?;
                schedule.done(task);
            }
            Ok(done)
        }
    });
    let mut all = Done::default();
    for part in parts.await? {
        all.rows += part.rows;
        all.hits.merge(part.hits);
    }
    Ok(all)
}

struct Worker {
    repository: Repository,
    loading: Task,
    reading: Task,
    default_tablespace: bool,
    anonymizer: Option<Arc<Anonymizer>>,
    proof: ProofOf,
}

impl Worker {
    async fn run(&self, session: &Connection, work: Work, done: &mut Done) -> Result<()> {
        let on_bytes = |count| self.loading.inc(count);
        let anonymizer = self.anonymizer.as_ref();
        match work {
            Work::Load(load) => rows::load_part(session, &self.repository, &load, anonymizer, on_bytes).await,
            Work::LargeObjects(data) => {
                rows::load_large_objects(session, &self.repository, &data, on_bytes).await
            }
            Work::Statement(statement) => self.make(session, &statement).await,
            Work::Analyze(table) => analyze::one(session, &table).await,
            Work::Read(read) => {
                let expected = read.expected(anonymizer.is_some());
                // Values of before can only be looked for by reading.
                if self.proof == ProofOf::Count && anonymizer.is_none() && !read.counts.is_empty() {
                    done.rows += readback::count(session, &read, expected).await?;
                    return Ok(());
                }
                let hits = &mut done.hits;
                let look = |index: usize, text: &[u8]| match (anonymizer, read.tables.get(index)) {
                    (Some(anonymizer), Some(table)) => anonymizer.search(table, text, hits),
                    _ => Ok(()),
                };
                done.rows += readback::compare(session, &read.statements, &read.what, expected, look).await?;
                self.reading.inc(read.bytes);
                Ok(())
            }
        }
    }

    async fn make(&self, session: &Connection, statement: &Statement) -> Result<()> {
        let tablespace = if self.default_tablespace {
            ""
        } else {
            &statement.tablespace
        };
        let tablespace = fh_pg::quote_literal(tablespace);
        let sorted = statement.sorted.is_some_and(|bytes| bytes < LARGEST_SORTED_SMALL);
        let memory = if sorted {
            format!("SET LOCAL maintenance_work_mem = '{SORT}';")
        } else {
            String::new()
        };
        let made = async {
            session
                .batch_execute(&format!(
                    "BEGIN; SET LOCAL default_tablespace = {tablespace}; {memory}"
                ))
                .await?;
            session.batch_execute(&statement.sql).await?;
            session.batch_execute("COMMIT").await
        };
        made.await
            .map_err(|error| query_error(format!("cannot make the {}", statement.what), error))
    }
}

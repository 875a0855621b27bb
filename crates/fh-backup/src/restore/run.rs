//! The order of a restore: define, load, read back, finish, compare.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fh_core::progress::Progress;
use fh_core::{Error, Result};
use fh_pg::{
    ConnectOptions, Connection, ConnectionString, Program, Tool, Tools, connect, pin_session, query_error,
};
use fh_repository::Repository;

use super::anonymize::{Anonymized, Anonymizer};
use super::compare::{Difference, compare};
use super::definitions::{Definitions, Ownership};
use super::fit::Fitted;
use super::perform::run_tasks;
use super::preflight::{self, Findings, Question};
use super::{analyze, settings, work};
use crate::archive::Archive;
use crate::body::Database;
use crate::source::toc;

/// How long `pg_dump` may take to describe the restored database.
const TOC_TIMEOUT: Duration = Duration::from_secs(900);

/// What a restore must have shown to be called good. In either case every row is counted and hashed on its way from the
/// segments to the server, and the server says how many it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ProofOf {
    /// All rows are read again from the target, and give the count and hash of the backup.
    #[default]
    ReadBack,
    /// The rows in the target are counted.
    Count,
}

/// What to restore, and where.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Where the segments are.
    pub repository: Repository,
    /// The database of the set.
    pub database: &'a Database,
    /// Its table of contents.
    pub archive: &'a Archive,
    /// The database to fill.
    pub target: ConnectionString,
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
    /// What is shown at the end.
    pub proof: ProofOf,
    /// The rules by which values are replaced.
    pub anonymizer: Option<Arc<Anonymizer>>,
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
    /// What became of personal data.
    pub anonymized: Option<Anonymized>,
    /// How long the rows took, with the indexes made beside them.
    pub loading: Duration,
    /// How long the rest took: indexes and constraints that had to wait for all rows.
    pub finishing: Duration,
}

/// A target that was looked at, and what goes into it.
#[derive(Debug)]
pub struct Inspection {
    /// What was found.
    pub findings: Findings,
    /// The table of contents as the target can take it.
    pub fitted: Fitted,
    programs: Option<Programs>,
}

#[derive(Debug)]
struct Programs {
    pg_restore: Tool,
    pg_dump: Tool,
    /// Whether a tablespace that the backup names is missing.
    default_tablespace: bool,
}

impl Request<'_> {
    /// A session with the database to fill.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be had.
    pub async fn session(&self) -> Result<Connection> {
        let connection = connect(&self.target, &self.connect).await?;
        pin_session(&connection, self.lock_timeout).await?;
        Ok(connection)
    }

    /// Looks at the target; `to_be_made` when `session` is with another database of the server.
    ///
    /// # Errors
    /// Exit code 3 when the server does not answer. What is in the way is among the findings.
    pub async fn inspect(&self, session: &Connection, to_be_made: bool) -> Result<Inspection> {
        let question = Question {
            database: self.database,
            archive: self.archive,
            ownership: self.ownership,
            jobs: self.jobs,
            to_be_made,
        };
        let (mut findings, fitted) = preflight::look(session, &question).await?;
        let programs = match self.programs(session).await {
            Ok(programs) => {
                findings.good(
                    "programs",
                    format!(
                        "pg_restore {} and pg_dump {}",
                        programs.pg_restore.version, programs.pg_dump.version
                    ),
                );
                Some(programs)
            }
            Err(error) => {
                findings.stop("programs", error);
                None
            }
        };
        Ok(Inspection {
            findings,
            fitted,
            programs,
        })
    }

    async fn programs(&self, session: &Connection) -> Result<Programs> {
        let major = session.server.major();
        let pg_restore = Tools::find(Program::PgRestore, major, self.bin_dir).await?;
        // From 17 on it sets transaction_timeout, which servers before 17 do not know.
        if pg_restore.version.major() >= 17 && major < 17 {
            return Err(Error::unable(format!(
                "{} is of version {}, which cannot restore into PostgreSQL {major}: it sets a parameter (transaction_timeout) that the server does not know",
                pg_restore.path.display(),
                pg_restore.version
            ))
            .hint(format!(
                "install the client programs of PostgreSQL {major}, or set database.bin_dir to where they are"
            )));
        }
        let pg_dump = Tools::find(Program::PgDump, major, self.bin_dir).await?;
        let facts = preflight::Facts::read(session).await?;
        let default_tablespace = !preflight::roles::missing_tablespaces(self.archive, &facts).is_empty();
        Ok(Programs {
            pg_restore,
            pg_dump,
            default_tablespace,
        })
    }
}

/// Fills an empty database that was inspected, and proves it.
///
/// # Errors
/// Exit code 1 or 3; the target is unfinished then.
pub async fn fill(request: &Request<'_>, target: &Connection, inspection: &Inspection) -> Result<Proven> {
    let Some(programs) = &inspection.programs else {
        return Err(Error::unable("the programs for a restore were not found"));
    };
    let archive = &inspection.fitted.archive;
    let plan = work::plan(
        archive,
        request.database,
        request.jobs,
        request.anonymizer.as_deref(),
    )?;
    let definitions = Definitions::prepare(
        archive,
        &programs.pg_restore,
        &request.target,
        request.ownership,
        programs.default_tablespace,
    )?;
    definitions.before_rows().await?;
    definitions.values().await?;
    // The types of the backup are there now: how is a fixed value written in them?
    let anonymizer = match &request.anonymizer {
        Some(rules) => {
            let mut rules = rules.as_ref().clone();
            rules.settle(target, true).await?;
            Some(Arc::new(rules))
        }
        None => None,
    };
    let (covered, analyzed) = (plan.covered.clone(), plan.analyzed.clone());
    let began = Instant::now();
    let done = run_tasks(request, plan, programs.default_tablespace, anonymizer.clone()).await?;
    let loading = began.elapsed();
    let anonymized = match anonymizer {
        Some(rules) => Some(rules.verdict(done.hits)?),
        None => None,
    };
    let began = Instant::now();
    definitions.after_rows(&covered).await?;
    let finishing = began.elapsed();
    let name = request.target.database();
    let settings_left_out = settings::apply(target, name, request.database, request.ownership).await?;
    let snapshot = snapshot(target).await?;
    let described = async {
        let now = toc::read(
            &programs.pg_dump,
            &request.target,
            &snapshot,
            request.lock_timeout,
            TOC_TIMEOUT,
        );
        Ok(now.await?.archive)
    };
    let (now, ()) = tokio::try_join!(described, analyze::rest(request, target, archive, &analyzed))?;
    let Ownership {
        no_owner,
        no_privileges,
    } = request.ownership;
    let mut difference = compare(archive, &now, no_owner, no_privileges);
    // What was left out on purpose may be there all the same, as the server makes it.
    difference.extra.retain(|extra| {
        let of_the_backup = |what: &String| what.split(": ").next() == Some(extra);
        !inspection.fitted.left_out.iter().any(of_the_backup)
    });
    target
        .batch_execute("COMMIT")
        .await
        .map_err(|error| query_error("cannot finish looking at the restored database", error))?;
    Ok(Proven {
        rows: done.rows,
        anonymized,
        difference,
        settings_left_out,
        loading,
        finishing,
    })
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

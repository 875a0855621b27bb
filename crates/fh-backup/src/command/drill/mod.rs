//! `fh-backup drill`.

mod findings;
mod server;

use std::time::{Duration, Instant};

use fh_core::app::Session;
use fh_core::report::{Check, Report, Status};
use fh_core::{Error, Exit, Result};
use fh_pg::connect;
use fh_repository::Repository;
use jiff::Timestamp;

use super::restore::{choose, definitions};
use super::verdict;
use super::verify::read_archive;
use crate::archive::Archive;
use crate::body::{Body, Database};
use crate::cli::Drill;
use crate::context;
use crate::drill::assertion::{Assertion, ask};
use crate::drill::{amcheck, inspect, roles};
use crate::evidence::{self, Keeping, Kind, Rto};
use crate::memory;
use crate::restore::{ProofOf, Proven, Request, fill};
use findings::Findings;
use server::{Place, Server};

/// Restores a set into a scratch database, looks at everything that can be looked at, and keeps what was found as
/// evidence.
///
/// # Errors
/// Exit code 2 when it is not clear what to restore or where, 3 when that could not be done, 4 when the drill's server is
/// the database that is backed up. What is wrong with the set or the restored database is a failed check.
pub async fn run(session: &Session, repository: &Repository, drill: &Drill) -> Result<Report> {
    if !repository.can_read() {
        return Err(
            Error::usage("a drill decrypts everything, and no identity was given")
                .hint("give --identity with the private key of one of the recipients"),
        );
    }
    let assertions = Assertion::all(&session.config().backup.drill.assertions)?;
    let place = Place::of(session, drill)?;
    let standings = evidence::newest(repository).await?;
    let id = repository.resolve(&drill.set.set).await?;
    let began = Timestamp::now();
    let work = Work {
        session,
        repository,
        drill,
        place,
        assertions,
    };
    let mut findings = Findings::default();
    work.perform(&id, &mut findings).await?;

    let mut report = verdict("drill", format!("Restore drill of {id}"))
        .about("set", id.clone())
        .about("repository", repository.describe())
        .about("server", work.place.describe());
    let found = findings.evidence(&id, began);
    report.data = findings.data(&id, &work.place.describe());
    for section in findings.sections {
        report.show(section);
    }
    report.checks.extend(findings.checks);
    report.push(memory::check(session, repository, standings.sets.keys()).await?);
    match found {
        Some(found) if !drill.no_evidence => {
            let mut keeping = Keeping::default();
            keeping.keep(repository, &found).await;
            report.checks.extend(keeping.checks());
        }
        Some(_) => {}
        None => report.push(Check::skip(
            "evidence",
            "none is kept, because not everything could be found out",
        )),
    }
    report
        .checks
        .extend(evidence::doubts(&standings.doubtful, Status::Fail));
    Ok(report)
}

/// A drill that is ready to begin.
struct Work<'a> {
    session: &'a Session,
    repository: &'a Repository,
    drill: &'a Drill,
    place: Place,
    assertions: Vec<Assertion>,
}

impl Work<'_> {
    async fn perform(&self, id: &str, findings: &mut Findings) -> Result<()> {
        let clock = Instant::now();
        let (mut database, archive) = match self.open(id).await {
            Ok(opened) => opened,
            Err(error) if error.exit() == Exit::Bad => {
                findings.damaged("set", &error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let opening = clock.elapsed();
        self.place.fit(&mut database);
        findings.begin(&database);

        let connect_options = context::connect_options(self.session);
        let server = Server::start(self.session, &self.place, &database, &connect_options).await?;
        findings.checks.extend(server.swept());
        let (scratch, note) = server.scratch(&connect_options, &database).await?;
        findings
            .checks
            .extend(note.map(|note| Check::warn("locale", note)));
        if server.is_local() {
            let session = connect(&server.at, &connect_options).await?;
            roles::make(&session, &archive, &database).await?;
        }
        let request = Request {
            repository: self.repository.clone(),
            database: &database,
            archive: &archive,
            target: scratch.target(),
            connect: connect_options.clone(),
            lock_timeout: self.session.config().database.lock_timeout.get(),
            bin_dir: self.session.config().database.bin_dir.as_deref(),
            ownership: self.place.ownership(),
            jobs: self.jobs(),
            proof: ProofOf::ReadBack,
            anonymizer: None,
            progress: self.session.progress.clone(),
        };
        let clock = Instant::now();
        match restored(&request).await {
            Ok(proven) => {
                let took = clock.elapsed();
                let rto = Rto {
                    load: (opening + proven.loading).as_secs_f64(),
                    indexes: proven.finishing.as_secs_f64(),
                    proof: took
                        .saturating_sub(proven.loading + proven.finishing)
                        .as_secs_f64(),
                    total: (opening + took).as_secs_f64(),
                };
                findings.restored(&database, &proven, definitions(&proven));
                findings.timed(rto, self.session.config().backup.drill.max_rto);
                self.look(findings, &request).await?;
            }
            Err(error) if error.exit() == Exit::Bad => findings.damaged("restore", &error),
            Err(error) => return Err(not_restored(error)),
        }
        findings
            .checks
            .extend(server.end(scratch, self.drill.keep).await?);
        Ok(())
    }

    async fn open(&self, id: &str) -> Result<(Database, Archive)> {
        let set = self.repository.open_set(id).await?;
        let body: Body = self.repository.read_body(&set)?;
        let wanted = self.session.config().backup.drill.database.as_deref();
        let database = choose(&body, wanted)?.clone();
        let archive = read_archive(self.repository, &database).await?;
        Ok((database, archive))
    }

    /// Everything that a restore does not look at by itself.
    async fn look(&self, findings: &mut Findings, request: &Request<'_>) -> Result<()> {
        let config = self.session.config();
        let plan = amcheck::Plan {
            target: &request.target,
            connect: &request.connect,
            lock_timeout: request.lock_timeout,
            jobs: request.jobs,
            progress: &request.progress,
        };
        // Not pinned: the assertions see the database as an application would, with its own search path.
        let session = connect(&request.target, &request.connect).await?;
        findings.drill.server_version = Some(session.server.to_string());
        findings
            .checks
            .push(inspect::check(&session, request.archive).await?);
        findings.checks.push(amcheck::check(&plan).await?);
        let limit: Duration = config.backup.drill.statement_timeout.get();
        let (checks, answers) = ask(&session, &self.assertions, limit).await?;
        findings.checks.extend(checks);
        findings.drill.assertions = answers;
        session.close().await;
        Ok(())
    }

    fn jobs(&self) -> usize {
        usize::try_from(self.session.config().backup.jobs).unwrap_or(1)
    }
}

async fn restored(request: &Request<'_>) -> Result<Proven> {
    let session = request.session().await?;
    let mut inspection = request.inspect(&session, false).await?;
    inspection.findings.pass()?;
    fill(request, &session, &inspection).await
}

/// The restore's own advice is about a target that stays, and this one does not.
fn not_restored(error: Error) -> Error {
    let advice = error
        .advice()
        .filter(|advice| !advice.contains("target is unfinished"))
        .unwrap_or_else(|| "that says nothing about the set; the scratch database does not stay".into());
    Error::new(
        error.exit(),
        format!("the drill could not restore the set: {}", error.message()),
    )
    .because(error)
    .hint(advice)
}

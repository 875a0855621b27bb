//! `fh-backup restore`.

mod anonymous;
mod consent;
mod dry_run;
mod pick;
mod report;
mod tables;
mod target;

use std::time::Instant;

use fh_core::app::Session;
use fh_core::report::Report;
use fh_core::{Error, Result};
use fh_repository::Repository;

pub(super) use self::pick::pick;
pub(super) use self::report::definitions;
use self::target::Way;
pub(super) use self::target::{choose, target as target_of};
use super::verdict;
use super::verify::read_archive;
use crate::body::Body;
use crate::cli::Restore;
use crate::context;
use crate::restore::definitions::Ownership;
use crate::restore::made::{Made, already_there, ended, exists, maintenance};
use crate::restore::preflight::Findings;
use crate::restore::swap::{self, Names};
use crate::restore::{Proven, Request, fill};

/// Restores one database of a set and proves it.
///
/// # Errors
/// Exit code 4 when the target is not as it must be, 3 when it could not be restored, 2 when it is not clear what to
/// restore or where.
pub async fn run(session: &Session, repository: &Repository, restore: &Restore) -> Result<Report> {
    let began = Instant::now();
    let way = Way::of(restore);
    let target = target::target(session, restore)?;
    let id = pick(session, repository, restore.set.as_deref()).await?;
    let set = repository.open_set(&id).await?;
    let body: Body = repository.read_body(&set)?;
    let database = choose(&body, restore.database.as_deref())?;
    let archive = read_archive(repository, database).await?;
    tables::check_usage(restore)?;
    let request = Request {
        repository: repository.clone(),
        database,
        archive: &archive,
        target: target.clone(),
        connect: context::connect_options(session),
        lock_timeout: session.config().database.lock_timeout.get(),
        bin_dir: session.config().database.bin_dir.as_deref(),
        ownership: Ownership {
            no_owner: restore.no_owner,
            no_privileges: restore.no_privileges,
        },
        jobs: usize::try_from(session.config().backup.jobs).unwrap_or(1),
        proof: restore.proof,
        anonymizer: anonymous::rules(session, restore, &archive, database)?,
        progress: session.progress.clone(),
    };
    let mut report = verdict("restore", format!("Restore of {id}"))
        .about("set", id.clone())
        .about("repository", repository.describe())
        .about("target", target.redacted());
    if !restore.table.is_empty() {
        return tables::run(report, &request, restore).await;
    }
    if restore.dry_run {
        return dry_run::run(report, &request, way).await;
    }
    let done = match way {
        Way::Fill => into_existing(&request).await?,
        Way::Create => into_new(&request).await?,
        Way::Replace => {
            let agree = || consent::to_replace(session, &target, &id, restore.confirm_database.as_deref());
            in_place_of(&request, agree).await?
        }
    };
    for check in done.findings.checks() {
        report.push(check.clone());
    }
    for check in report::checks(&done.proven, database, restore.proof) {
        report.push(check);
    }
    if let Some(anonymized) = &done.proven.anonymized {
        for check in anonymous::checks(anonymized) {
            report.push(check);
        }
    }
    let names = done.names.as_ref();
    report.push(report::restored(target.database(), began.elapsed(), names));
    report.data = serde_json::json!({
        "set": id,
        "database": database.name,
        "target": target.redacted(),
        "tables": database.tables.len(),
        "rows": done.proven.rows,
        "seconds": began.elapsed().as_secs_f64(),
        "definitions_differ": done.proven.difference.changed,
        "anonymised": done.proven.anonymized.is_some(),
        "replaced": names.map(|names| names.old.clone()),
    });
    Ok(report)
}

/// A restore that ended well.
struct Done {
    findings: Findings,
    proven: Proven,
    /// After a replacement.
    names: Option<Names>,
}

async fn into_existing(request: &Request<'_>) -> Result<Done> {
    let session = request.session().await?;
    let mut inspection = request.inspect(&session, false).await?;
    inspection.findings.pass()?;
    let proven = fill(request, &session, &inspection).await.map_err(|error| {
        ended(
            error,
            "the target is unfinished: drop the database and make a new one before you try again",
        )
    })?;
    Ok(Done {
        findings: inspection.findings,
        proven,
        names: None,
    })
}

async fn into_new(request: &Request<'_>) -> Result<Done> {
    let server = maintenance(&request.target, &request.connect, request.lock_timeout).await?;
    let findings = look_at_server(request, &server, false).await?;
    let (made, findings, proven) = make_and_fill(request, &server, findings).await?;
    made.keep();
    Ok(Done {
        findings,
        proven,
        names: None,
    })
}

/// Restores beside the live database, and swaps the names when the new one is proven.
async fn in_place_of(request: &Request<'_>, agree: impl FnOnce() -> Result<()>) -> Result<Done> {
    let server = maintenance(&request.target, &request.connect, request.lock_timeout).await?;
    let findings = look_at_server(request, &server, true).await?;
    agree()?;
    let names = Names::at(request.target.database(), jiff::Timestamp::now());
    let beside = Request {
        target: request.target.with_database(&names.fresh),
        ..request.clone()
    };
    let untouched = |error| ended(error, &format!("{} was not touched", names.live));
    let (made, findings, proven) = make_and_fill(&beside, &server, findings)
        .await
        .map_err(untouched)?;
    if report::difference_is_loss(&proven) {
        let lost = proven.difference.missing.join(", ");
        let error = Error::bad(format!(
            "what was restored lacks something that the backup has: {lost}"
        ));
        return Err(untouched(made.drop_because(error).await));
    }
    // From here on the new database is worth keeping, whatever happens.
    made.keep();
    let helper = maintenance(&request.target, &request.connect, request.lock_timeout).await?;
    swap::swap(&server, &helper, &names).await.map_err(|error| {
        ended(
            error,
            &format!("the restored database is proven and stays as {}", names.fresh),
        )
    })?;
    Ok(Done {
        findings,
        proven,
        names: Some(names),
    })
}

/// What can be known before the database is there. `replace` when it must exist, otherwise it must not.
async fn look_at_server(
    request: &Request<'_>,
    server: &fh_pg::Connection,
    replace: bool,
) -> Result<Findings> {
    let name = request.target.database();
    let mut inspection = request.inspect(server, true).await?;
    if replace {
        swap::check(&mut inspection.findings, server, name).await?;
    } else if exists(server, name).await? {
        inspection.findings.stop("target", already_there(name));
    }
    crate::restore::preflight::can_create(&mut inspection.findings, server).await?;
    anonymous::look(&mut inspection.findings, request, server).await;
    inspection.findings.pass()?;
    Ok(inspection.findings)
}

async fn make_and_fill(
    request: &Request<'_>,
    server: &fh_pg::Connection,
    mut findings: Findings,
) -> Result<(Made, Findings, Proven)> {
    let name = request.target.database();
    let made = Made::make(
        server,
        &request.connect,
        name,
        request.database,
        request.ownership,
    )
    .await?;
    let filled = async {
        let session = request.session().await?;
        let mut inspection = request.inspect(&session, false).await?;
        inspection.findings.pass()?;
        let proven = fill(request, &session, &inspection).await?;
        session.close().await;
        Ok((inspection.findings, proven))
    };
    match filled.await {
        Ok((later, proven)) => {
            findings.merge(later);
            Ok((made, findings, proven))
        }
        Err(error) => Err(made.drop_because(error).await),
    }
}

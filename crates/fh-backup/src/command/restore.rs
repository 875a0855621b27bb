//! `fh-backup restore`.

use std::time::{Duration, Instant};

use fh_core::app::Session;
use fh_core::render::grouped;
use fh_core::report::{Check, Measure, Report};
use fh_core::{Error, Hint as _, Result, Secret};
use fh_pg::ConnectionString;
use fh_repository::Repository;

use super::verdict;
use super::verify::read_archive;
use crate::body::{Body, Database};
use crate::cli::Restore;
use crate::context;
use crate::restore::definitions::Ownership;
use crate::restore::{Proven, Request, run as restore_database};

/// Restores one database of a set and proves it.
///
/// # Errors
/// Exit code 4 when the target is not empty, 3 when it could not be restored, 2 when it is not clear what to restore or
/// where.
pub async fn run(session: &Session, repository: &Repository, restore: &Restore) -> Result<Report> {
    let began = Instant::now();
    let target = target(session, restore)?;
    let id = repository.resolve(&restore.set.set).await?;
    let set = repository.open_set(&id).await?;
    let body: Body = repository.read_body(&set)?;
    let database = choose(&body, restore.database.as_deref())?;
    let archive = read_archive(repository, database).await?;
    let request = Request {
        repository: repository.clone(),
        database,
        archive: &archive,
        target: &target,
        connect: context::connect_options(session),
        lock_timeout: session.config().database.lock_timeout.get(),
        bin_dir: session.config().database.bin_dir.as_deref(),
        ownership: Ownership {
            no_owner: restore.no_owner,
            no_privileges: restore.no_privileges,
        },
        jobs: usize::try_from(restore.jobs.unwrap_or(session.config().backup.jobs)).unwrap_or(1),
        progress: session.progress.clone(),
    };
    let proven = restore_database(&request).await?;
    let mut report = verdict("restore", format!("Restore of {id}"))
        .about("set", id.clone())
        .about("repository", repository.describe())
        .about("target", target.redacted());
    for check in checks(&proven, database, began.elapsed()) {
        report.push(check);
    }
    report.data = serde_json::json!({
        "set": id,
        "database": database.name,
        "target": target.redacted(),
        "tables": database.tables.len(),
        "rows": proven.rows,
        "seconds": began.elapsed().as_secs_f64(),
        "definitions_differ": proven.difference.changed,
    });
    Ok(report)
}

pub(super) fn target(session: &Session, restore: &Restore) -> Result<ConnectionString> {
    if let Some(variable) = &restore.target_url_env {
        let url = std::env::var(variable)
            .ok()
            .filter(|url| !url.is_empty())
            .ok_or_else(|| {
                Error::usage(format!(
                    "the environment variable {variable} of --target-url-env is not set"
                ))
                .hint("put the connection URL of the empty target database there")
            })?;
        return context::connection_string(session, &Secret::new(url));
    }
    let configured = context::database(session).hint(|| "give the target with --target-url-env VARIABLE")?;
    Ok(match &restore.into {
        Some(name) => configured.with_database(name),
        None => configured,
    })
}

pub(super) fn choose<'a>(body: &'a Body, wanted: Option<&str>) -> Result<&'a Database> {
    let names = || {
        body.databases
            .iter()
            .map(|database| database.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (wanted, &body.databases[..]) {
        (None, [only]) => Ok(only),
        (None, _) => Err(
            Error::usage(format!("the set holds several databases: {}", names()))
                .hint("say which one with --database"),
        ),
        (Some(name), databases) => databases
            .iter()
            .find(|database| database.name == name)
            .ok_or_else(|| {
                Error::usage(format!("the set holds no database {name:?}"))
                    .hint(format!("it holds {}", names()))
            }),
    }
}

fn checks(proven: &Proven, database: &Database, took: Duration) -> Vec<Check> {
    let mut checks = vec![
        Check::pass(
            "rows",
            format!(
                "{} tables, {} rows read back: every count and hash is that of the backup",
                database.tables.len(),
                grouped(proven.rows)
            ),
        )
        .measure(Measure::count("rows", proven.rows))
        .took(proven.read_back),
        definitions(proven),
    ];
    if !proven.settings_left_out.is_empty() {
        let check = Check::warn(
            "settings",
            format!("{} could not be set", proven.settings_left_out.len()),
        );
        checks.push(proven.settings_left_out.iter().fold(check, Check::evidence));
    }
    checks.push(
        Check::pass("restored", "the target can be used")
            .took(took)
            .measure(Measure::duration("took", took)),
    );
    checks
}

/// Sequence values and definitions of the target against those of the backup.
fn definitions(proven: &Proven) -> Check {
    let difference = &proven.difference;
    if difference.is_none() {
        return Check::pass(
            "definitions",
            format!(
                "{} definitions and sequence values are equal",
                difference.compared
            ),
        );
    }
    let lost = !difference.missing.is_empty()
        || difference
            .changed
            .iter()
            .any(|what| what.starts_with("SEQUENCE SET"));
    let summary = format!(
        "{} missing, {} changed, {} more than in the backup",
        difference.missing.len(),
        difference.changed.len(),
        difference.extra.len()
    );
    let check = if lost {
        Check::fail("definitions", summary)
    } else {
        Check::warn("definitions", summary)
    };
    let told = [
        ("missing", &difference.missing),
        ("changed", &difference.changed),
        ("extra", &difference.extra),
    ];
    told.into_iter()
        .flat_map(|(word, names)| names.iter().map(move |name| format!("{word}: {name}")))
        .fold(check, Check::evidence)
        .hint("compare `pg_dump --schema-only` of both; another server version may write the same thing differently")
}

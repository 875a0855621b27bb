//! `fh-backup export`.

use std::time::Instant;

use fh_core::app::Session;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Measure, Report};
use fh_core::{Error, Result};
use fh_pg::{Program, Tools};
use fh_repository::Repository;

use super::restore::choose;
use super::verdict;
use super::verify::read_archive;
use crate::body::Body;
use crate::cli::{Export, Shape};
use crate::export::sql::Target;
use crate::export::{Source, directory, sql};
use crate::leaving::{dated, dump_major};
use crate::restore::definitions::Ownership;

/// Writes one database of a set as a directory archive or as SQL.
///
/// # Errors
/// Exit code 4 when the target exists, 1 when the set is damaged, 2 when it is not clear what to export, 3 when it could
/// not be written.
pub async fn run(session: &Session, repository: &Repository, export: &Export) -> Result<Report> {
    let began = Instant::now();
    if export.shape == Shape::Directory && (export.no_owner || export.no_privileges) {
        return Err(
            Error::usage("--no-owner and --no-privileges are for --as sql: a folder holds both")
                .hint("give the options to pg_restore when it reads the folder"),
        );
    }
    if export.shape == Shape::Directory && export.to.as_os_str() == "-" {
        return Err(Error::usage("a folder cannot be written to standard output")
            .hint("give a name with --to, or write SQL with --as sql"));
    }
    let id = repository.resolve(&export.set.set).await?;
    let set = repository.open_set(&id).await?;
    let body: Body = repository.read_body(&set)?;
    let database = choose(&body, export.database.as_deref())?;
    let archive = dated(read_archive(repository, database).await?, database);
    let total = crate::source::backup::totals(database).1;
    let source = Source {
        repository,
        database,
        archive,
        jobs: usize::try_from(export.jobs.unwrap_or(session.config().backup.jobs)).unwrap_or(1),
        task: session
            .progress
            .bytes(format!("exporting {}", database.name), Some(total)),
    };
    let exported = match export.shape {
        Shape::Directory => directory::write(&source, &export.to).await?,
        Shape::Sql => {
            let major = dump_major(database).ok_or_else(|| {
                Error::bad(format!(
                    "the set calls the version of its pg_dump {:?}",
                    database.pg_dump
                ))
            })?;
            let bin_dir = session.config().database.bin_dir.as_deref();
            let pg_restore = Tools::find(Program::PgRestore, major, bin_dir).await?;
            let ownership = Ownership {
                no_owner: export.no_owner,
                no_privileges: export.no_privileges,
            };
            let target = if export.to.as_os_str() == "-" {
                Target::Stdout
            } else {
                Target::File(export.to.clone())
            };
            sql::write(&source, &pg_restore, ownership, &target).await?
        }
    };
    let mut report = verdict("export", format!("Export of {} from {id}", database.name))
        .about("set", id.clone())
        .about("repository", repository.describe());
    report.push(
        Check::pass(
            "rows",
            format!(
                "{} tables, {} rows: counts and hashes are those of the backup",
                database.tables.len(),
                grouped(exported.rows)
            ),
        )
        .measure(Measure::count("rows", exported.rows))
        .measure(Measure::bytes("plain", exported.bytes)),
    );
    report.push(written(export, exported.bytes).took(began.elapsed()));
    report.data = serde_json::json!({
        "set": id,
        "database": database.name,
        "to": export.to,
        "rows": exported.rows,
    });
    Ok(report)
}

fn written(export: &Export, plain: u64) -> Check {
    let place = export.to.display();
    let check = match export.shape {
        Shape::Directory => Check::pass("written", format!("{place} holds {} of rows", bytes(plain))).hint(
            format!("load it into an empty database with `pg_restore -d NAME {place}`"),
        ),
        Shape::Sql if export.to.as_os_str() == "-" => {
            Check::pass("written", "the SQL is complete, in one transaction")
        }
        Shape::Sql => Check::pass("written", format!("{place} is complete")).hint(format!(
            "load it into an empty database with `psql -v ON_ERROR_STOP=1 -f {place} NAME`"
        )),
    };
    check.hint("it is in clear: remove it when it has served")
}

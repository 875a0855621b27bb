//! `fh-backup verify`.

use std::time::Instant;

use fh_core::app::Session;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Measure, Report};
use fh_core::{Error, Exit, Result};
use fh_repository::{Repository, Set};

use super::{parts, verdict};
use crate::archive::Archive;
use crate::body::{Body, Data, Database};
use crate::cli::Verify;
use crate::leaving;
use crate::proof::Proof;

/// Checks a set: always its seal and every object's hash; with `full` also what is in them.
///
/// # Errors
/// Exit code 2 when `full` lacks the identity, 3 when the store cannot be read. What is wrong with the set itself is a
/// failed check.
pub async fn run(session: &Session, repository: &Repository, verify: &Verify) -> Result<Report> {
    if verify.full && !repository.can_read() {
        return Err(
            Error::usage("a full verification decrypts everything, and no identity was given")
                .hint("give --identity, or leave --full away: sizes and hashes can be checked without"),
        );
    }
    let id = repository.resolve(&verify.set.set).await?;
    let mut report = verdict("verify", format!("Verification of {id}"))
        .about("repository", repository.describe())
        .about("set", id.clone());
    report.data = serde_json::json!({ "set": id, "full": verify.full });
    let set = match repository.open_set(&id).await {
        Ok(set) => set,
        Err(error) if error.exit() == Exit::Bad => {
            report.push(Check::from_error("set", &error));
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    report.push(Check::pass("set", "seal and body are as they were written"));
    report.push(objects(session, repository, &set).await?);
    if verify.full {
        for check in contents(session, repository, &set).await? {
            report.push(check);
        }
    }
    Ok(report)
}

async fn objects(session: &Session, repository: &Repository, set: &Set) -> Result<Check> {
    let began = Instant::now();
    let total = set.header.segments.iter().map(|object| object.size).sum();
    let task = session.progress.bytes("checking segments", Some(total));
    let findings = repository.verify_objects(set, |size| task.inc(size)).await?;
    let check = if findings.problems.is_empty() {
        Check::pass(
            "segments",
            format!(
                "{} segments, {}: all there, none changed",
                findings.objects,
                bytes(findings.bytes)
            ),
        )
    } else {
        let bad = findings.problems.len();
        findings.problems.iter().fold(
            Check::fail("segments", format!("{bad} of {} segments are bad", findings.objects))
                .hint("this set cannot be restored whole: take a new backup now, and look for the cause in the store"),
            |check, finding| check.evidence(format!("{} {}", finding.object, finding.problem)),
        )
    };
    Ok(check
        .measure(Measure::bytes("read", findings.bytes))
        .took(began.elapsed()))
}

/// Decrypts, decompresses and recounts everything.
async fn contents(session: &Session, repository: &Repository, set: &Set) -> Result<Vec<Check>> {
    let body: Body = match repository.read_body(set) {
        Ok(body) => body,
        Err(error) if error.exit() == Exit::Bad => return Ok(vec![Check::from_error("contents", &error)]),
        Err(error) => return Err(error),
    };
    let task = session
        .progress
        .bytes("recounting rows", Some(set.header.totals.plain_bytes));
    let mut checks = Vec::new();
    for database in &body.databases {
        checks.push(definitions(repository, database).await?);
        let began = Instant::now();
        let mut counted = Proof::default();
        let mut wrong = Vec::new();
        let tables = database.tables.iter().map(|table| (table.label(), &table.data));
        let large_objects = database
            .large_objects
            .iter()
            .map(|data| ("(large objects)".to_owned(), data));
        for (name, data) in tables.chain(large_objects) {
            match recount(repository, data).await {
                Ok(proof) if proof == data.proof => counted.merge(proof),
                Ok(proof) => wrong.push(
                    crate::restore::rows::mismatch(&name, data.proof, proof, "the segments hold").message(),
                ),
                Err(error) if error.exit() == Exit::Bad => wrong.push(format!("{name}: {error}")),
                Err(error) => return Err(error),
            }
            task.inc(data.bytes);
        }
        let id = format!("rows of {}", database.name);
        let check = if wrong.is_empty() {
            let count = database.tables.len();
            Check::pass(
                id,
                format!(
                    "{count} tables, {} rows: counts and hashes are right",
                    grouped(counted.rows)
                ),
            )
        } else {
            wrong.iter().fold(
                Check::fail(id, format!("{} table(s) are wrong", wrong.len())),
                Check::evidence,
            )
        };
        checks.push(check.took(began.elapsed()));
    }
    checks.extend(parts::verify(repository, &body, |count| task.inc(count)).await?);
    Ok(checks)
}

async fn definitions(repository: &Repository, database: &Database) -> Result<Check> {
    let id = format!("definitions of {}", database.name);
    let read = read_archive(repository, database).await;
    match read {
        Ok(archive) => match leaving::check(repository, &archive, database).await {
            Ok(()) => Ok(Check::pass(
                id,
                format!("{} entries can be read", archive.entries.len()),
            )),
            Err(error) if error.exit() == Exit::Bad => Ok(Check::from_error(id, &error)),
            Err(error) => Err(error),
        },
        Err(error) if error.exit() == Exit::Bad => Ok(Check::from_error(id, &error)),
        Err(error) => Err(error),
    }
}

/// The table of contents of a database.
///
/// # Errors
/// Exit code 1 when it is missing or damaged, 3 when the store cannot be read.
pub async fn read_archive(repository: &Repository, database: &Database) -> Result<Archive> {
    let mut toc = Vec::new();
    for segment in &database.toc {
        toc.extend(repository.read_segment(segment).await?);
    }
    Archive::read(&toc[..]).map_err(|error| {
        Error::bad(format!("the definitions of {} cannot be read", database.name)).because(error)
    })
}

async fn recount(repository: &Repository, data: &Data) -> Result<Proof> {
    let mut proof = Proof::default();
    for segment in &data.segments {
        let text = repository.read_segment(segment).await?;
        let part = Proof::of_lines(&text)
            .ok_or_else(|| Error::bad(format!("segment {} ends in the middle of a row", segment.object)))?;
        proof.merge(part);
    }
    Ok(proof)
}

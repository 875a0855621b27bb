//! `fh-backup verify`.

use std::time::Instant;

use fh_core::app::Session;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Measure, Report, Status};
use fh_core::{Error, Exit, Result};
use fh_repository::{Findings, Judged, Portion, Repository, Set};

use super::{parts, verdict};
use crate::archive::Archive;
use crate::body::{Body, Data, Database};
use crate::cli::Verify;
use crate::evidence::{self, Details, Evidence, Keeping, Kind, Part, Standings};
use crate::leaving;
use crate::memory;
use crate::proof::Proof;

/// Checks sets: always the seal and every object's hash; with `full` also what is in them. What was found is kept as
/// evidence.
///
/// # Errors
/// Exit code 2 when `full` lacks the identity, 3 when the store cannot be read. What is wrong with a set itself is a
/// failed check.
pub async fn run(session: &Session, repository: &Repository, verify: &Verify) -> Result<Report> {
    if verify.full && !repository.can_read() {
        return Err(
            Error::usage("a full verification decrypts everything, and no identity was given")
                .hint("give --identity, or leave --full away: sizes and hashes can be checked without"),
        );
    }
    let standings = evidence::newest(repository).await?;
    let sets = choose(repository, verify, &standings).await?;
    let title = match &sets[..] {
        [only] => format!("Verification of {only}"),
        several => format!("Verification of {} sets", several.len()),
    };
    let mut report = verdict("verify", title).about("repository", repository.describe());
    let mut run = Run {
        session,
        repository,
        verify,
        subset: verify.subset.map(|subset| subset.on(session.started)),
        // What one set has read, another need not read again.
        judged: (sets.len() > 1).then(Judged::default),
    };
    let mut results = Vec::new();
    let mut keeping = Keeping::default();
    for id in &sets {
        let began = jiff::Timestamp::now();
        let checks = run.set(id).await?;
        if let Some(found) = run.evidence(id, began, &checks) {
            results.push(serde_json::json!({ "set": id, "result": found.result, "details": found.details }));
            if !verify.no_evidence {
                keeping.keep(repository, &found).await;
            }
        }
        for mut check in checks.found {
            if sets.len() > 1 {
                check.id = format!("{id}.{}", check.id);
            }
            report.push(check);
        }
    }
    if let [only] = &sets[..] {
        report = report.about("set", only.clone());
    }
    if sets.is_empty() {
        report.push(all_verified(&standings, verify));
    }
    report.push(memory::check(session, repository, standings.sets.keys()).await?);
    report.checks.extend(keeping.checks());
    // In a verification a changed document is what it would be for a set: something that somebody changed.
    report
        .checks
        .extend(evidence::doubts(&standings.doubtful, Status::Fail));
    report.data = serde_json::json!({
        "set": sets.first().filter(|_| sets.len() == 1),
        "full": verify.full,
        "subset": run.subset,
        "sets": results,
    });
    Ok(report)
}

/// The sets to check. None is left when each has good evidence already.
async fn choose(repository: &Repository, verify: &Verify, standings: &Standings) -> Result<Vec<String>> {
    if !verify.all && !verify.unverified {
        return Ok(vec![repository.resolve(&verify.set.set).await?]);
    }
    // Says the right thing when there is none at all.
    repository.resolve("latest").await?;
    let mut ids = repository.ids().await?;
    if verify.unverified {
        ids.retain(|id| !standings.of(id).is_good(wanted(verify)));
    }
    Ok(ids)
}

fn wanted(verify: &Verify) -> Kind {
    if verify.full {
        Kind::VerifyFull
    } else {
        Kind::VerifyQuick
    }
}

fn all_verified(standings: &Standings, verify: &Verify) -> Check {
    let oldest = standings
        .sets
        .values()
        .filter_map(|standing| standing.verified_at)
        .min();
    let oldest = oldest.map_or_else(String::new, |oldest| format!("; the oldest is of {oldest}"));
    Check::pass(
        "verified",
        format!(
            "every set has good evidence of {} already{oldest}",
            wanted(verify)
        ),
    )
}

/// What is the same for every set of a run.
struct Run<'a> {
    session: &'a Session,
    repository: &'a Repository,
    verify: &'a Verify,
    subset: Option<Part>,
    judged: Option<Judged>,
}

/// The checks of one set, and what was read for them.
#[derive(Default)]
struct Checks {
    found: Vec<Check>,
    details: Details,
    /// It was removed since it was listed.
    gone: bool,
}

impl Run<'_> {
    async fn set(&mut self, id: &str) -> Result<Checks> {
        let mut checks = Checks::default();
        let set = match self.repository.open_set(id).await {
            Ok(set) => set,
            Err(error) if error.exit() == Exit::Bad => {
                checks.found.push(Check::from_error("set", &error));
                return Ok(checks);
            }
            Err(_) if !self.repository.ids().await?.iter().any(|there| there == id) => {
                checks
                    .found
                    .push(Check::skip("set", "it was removed since it was listed"));
                checks.gone = true;
                return Ok(checks);
            }
            Err(error) => return Err(error),
        };
        checks
            .found
            .push(Check::pass("set", "seal and body are as they were written"));
        let (findings, check) = self.objects(&set).await?;
        checks.details.objects = findings.objects;
        checks.details.bytes = findings.bytes;
        checks.found.push(check);
        if self.verify.full {
            let contents = contents(self.session, self.repository, &set).await?;
            if contents.iter().all(|check| check.status == Status::Pass) {
                checks.details.tables = set.header.totals.tables;
                checks.details.rows = set.header.totals.rows;
            }
            checks.found.extend(contents);
        }
        Ok(checks)
    }

    async fn objects(&mut self, set: &Set) -> Result<(Findings, Check)> {
        let began = Instant::now();
        let portion = self
            .subset
            .and_then(|subset| Portion::new(subset.part - 1, subset.of))
            .unwrap_or(Portion::WHOLE);
        let all = &set.header.segments;
        let total = all
            .iter()
            .filter(|object| portion.contains(&object.object))
            .map(|object| object.size)
            .sum();
        let task = self.session.progress.bytes("checking segments", Some(total));
        let findings = self
            .repository
            .verify_portion(set, portion, self.judged.as_mut(), |size| task.inc(size))
            .await?;
        let part = self.subset.map_or_else(String::new, |subset| {
            format!(" (part {subset}: {} of {})", findings.objects, all.len())
        });
        let check = if findings.problems.is_empty() {
            Check::pass(
                "segments",
                format!(
                    "{} segments, {}: all there, none changed{part}",
                    findings.objects,
                    bytes(findings.bytes)
                ),
            )
        } else {
            let bad = findings.problems.len();
            findings.problems.iter().fold(
                Check::fail("segments", format!("{bad} of {} segments are bad{part}", findings.objects))
                    .hint("this set cannot be restored whole: take a new backup now, and look for the cause in the store"),
                |check, finding| check.evidence(format!("{} {}", finding.object, finding.problem)),
            )
        };
        let check = check
            .measure(Measure::bytes("read", findings.bytes))
            .took(began.elapsed());
        Ok((findings, check))
    }

    /// What the checks of a set prove; nothing when one of them could not find out.
    fn evidence(&self, set: &str, began: jiff::Timestamp, checks: &Checks) -> Option<Evidence> {
        let known = |check: &Check| matches!(check.status, Status::Pass | Status::Fail);
        if checks.gone || !checks.found.iter().all(known) {
            return None;
        }
        let mut details = checks.details.clone();
        for check in checks.found.iter().filter(|check| check.status == Status::Fail) {
            details.problem(format!("{}: {}", check.id, check.summary));
            for line in &check.evidence {
                details.problem(line);
            }
        }
        let kind = if self.subset.is_some() {
            Kind::VerifySubset
        } else {
            wanted(self.verify)
        };
        let mut evidence = Evidence::now(crate::keep::TOOL, set, kind, began, details);
        evidence.subset = self.subset;
        Some(evidence)
    }
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

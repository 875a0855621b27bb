//! `fh-backup copy`.

use std::time::Instant;

use fh_core::app::Session;
use fh_core::render::bytes;
use fh_core::report::{Check, Measure, Report};
use fh_core::{Error, Result};
use fh_repository::{Copied, Repository, open_store};

use super::verdict;
use crate::cli::Copy;
use crate::context;

/// Copies sets to the second repository. A set that cannot be copied whole is a failed check, and the others are copied
/// nevertheless.
///
/// # Errors
/// Exit code 2 when no second repository is configured or a set is unknown, 3 when a store cannot be read or written, 4 when
/// another repository is in that place.
pub async fn run(session: &Session, repository: &Repository, copy: &Copy) -> Result<Report> {
    let (place, options) = context::second_place(session)?;
    let sets = wanted(repository, copy).await?;
    let store = open_store(&place, &options, session.deadline).await?;
    let mut mirror = repository.mirror_in(store).await?;

    let title = format!("Copy of {} set(s)", sets.len());
    let mut report = verdict("copy", title)
        .about("repository", repository.describe())
        .about("to", mirror.describe());
    let mut data = Vec::new();
    for id in sets {
        let began = Instant::now();
        let task = session.progress.bytes(format!("copying {id}"), None);
        let copied = repository
            .copy_set(&mut mirror, &id, |size| task.inc(size))
            .await?;
        data.push(serde_json::json!({
            "set": id,
            "copied": copied.problems.is_empty(),
            "sent": copied.sent,
            "sent_bytes": copied.sent_bytes,
            "present": copied.present,
        }));
        report.push(check(id, &copied).took(began.elapsed()));
    }
    report.data = serde_json::json!({ "to": mirror.describe(), "sets": data });
    Ok(report)
}

async fn wanted(repository: &Repository, copy: &Copy) -> Result<Vec<String>> {
    if copy.all {
        let sets = repository.list_sets().await?;
        if sets.is_empty() {
            return Err(
                Error::unable(format!("there is no backup in {} yet", repository.describe()))
                    .hint("take one with `fh-backup create`"),
            );
        }
        return Ok(sets.into_iter().map(|set| set.id).collect());
    }
    if copy.sets.is_empty() {
        return Ok(vec![repository.resolve("latest").await?]);
    }
    let mut ids = Vec::new();
    for set in &copy.sets {
        let id = repository.resolve(set).await?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn check(id: String, copied: &Copied) -> Check {
    let done = format!(
        "{} object(s) sent, {}; {} were there",
        copied.sent,
        bytes(copied.sent_bytes),
        copied.present
    );
    let check = if copied.problems.is_empty() {
        Check::pass(id, done)
    } else {
        let failed = Check::fail(id, format!("not copied whole: {} object(s) are bad", copied.problems.len()))
            .hint("`fh-backup verify` says whether this repository or the copy is damaged; earlier copies are untouched");
        copied.problems.iter().fold(failed, |check, finding| {
            check.evidence(format!("{} {}", finding.object, finding.problem))
        })
    };
    check
        .measure(Measure::count("objects sent", copied.sent))
        .measure(Measure::bytes("sent", copied.sent_bytes))
}

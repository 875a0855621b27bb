//! The other parts, when a set is verified in full.

use std::time::Instant;

use fh_core::render::{bytes, grouped};
use fh_core::report::Check;
use fh_core::{Exit, Result};
use fh_repository::Repository;

use crate::body::Body;
use crate::files::Tree;
use crate::redis_keys::{self, RedisPart};
use crate::{config_files, files, leaving};

/// Decodes everything that is not rows, and compares it with what was taken.
///
/// # Errors
/// Exit code 3 when the store cannot be read. What is wrong with the set is a failed check.
pub async fn verify(
    repository: &Repository,
    body: &Body,
    mut on_bytes: impl FnMut(u64),
) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for one in &body.files {
        checks.push(tree(repository, one, &mut on_bytes).await?);
    }
    if !body.config_files.is_empty() {
        checks.push(configuration(repository, body).await?);
    }
    match &body.redis {
        Some(RedisPart::Keys(keys)) => {
            let began = Instant::now();
            let read = redis_keys::verify(repository, keys, &mut on_bytes).await;
            let passed = |count| {
                Check::pass(
                    "redis",
                    format!("{} keys: count and hash are right", grouped(count)),
                )
            };
            checks.push(judged("redis", read.map(|proof| passed(proof.rows)))?.took(began.elapsed()));
        }
        Some(RedisPart::ElastiCache(snapshot)) => checks.push(Check::skip(
            "redis",
            format!(
                "ElastiCache keeps the snapshot {}: it cannot be looked into",
                snapshot.name
            ),
        )),
        None => {}
    }
    Ok(checks)
}

async fn tree(repository: &Repository, tree: &Tree, on_bytes: &mut impl FnMut(u64)) -> Result<Check> {
    let began = Instant::now();
    let id = format!("files of {}", tree.name);
    let found = files::verify(repository, tree, on_bytes).await?;
    let leaving = leaving::check_tree(repository, tree).await;
    if let Err(error) = leaving {
        return judged(&id, Err(error));
    }
    let check = if found.problems.is_empty() {
        let summary = format!(
            "{} files, {}: every hash is right",
            grouped(found.counts.files),
            bytes(found.counts.file_bytes)
        );
        Check::pass(id, summary)
    } else {
        let check = Check::fail(id, format!("{} problem(s)", found.problems.len()));
        found.problems.iter().take(50).fold(check, Check::evidence)
    };
    Ok(check.took(began.elapsed()))
}

async fn configuration(repository: &Repository, body: &Body) -> Result<Check> {
    for file in &body.config_files {
        if let Err(error) = config_files::read(repository, file).await {
            return judged("configuration files", Err(error));
        }
    }
    let summary = format!("{}: every hash is right", body.config_files.len());
    Ok(Check::pass("configuration files", summary))
}

/// What is wrong with the set is a check; everything else ends the run.
fn judged(id: &str, result: Result<Check>) -> Result<Check> {
    match result {
        Err(error) if error.exit() == Exit::Bad => Ok(Check::from_error(id, &error)),
        other => other,
    }
}

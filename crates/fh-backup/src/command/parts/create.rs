//! The other parts, when a backup is taken.

use std::sync::Arc;

use fh_core::app::Session;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Measure};
use fh_core::{Error, Result};
use fh_repository::{Contents, Repository, SegmentWriter};

use crate::body::Body;
use crate::files::Tree;
use crate::redis_keys::{self, RedisPart};
use crate::{config_files, context, files, leaving};

/// What can be known to be wrong before anything is read.
///
/// # Errors
/// Exit code 4 when configuration files would be stored in clear, 2 when the configuration contradicts itself.
pub fn check(session: &Session, repository: &Repository) -> Result<()> {
    let backup = &session.config().backup;
    files::check_names(&backup.files)?;
    config_files::check_encrypted(&backup.config_files, repository)?;
    if backup.redis.enabled && backup.redis.elasticache.is_none() {
        context::redis(session)?;
    }
    Ok(())
}

/// Takes them; the databases of the body are left empty.
///
/// # Errors
/// Exit code 3 when something was not read or not stored.
pub async fn take(session: &Session, writer: &Arc<SegmentWriter>, encrypted: bool) -> Result<Body> {
    let backup = &session.config().backup;
    let redis = match (backup.redis.enabled, &backup.redis.elasticache) {
        (false, _) => None,
        (true, Some(group)) => {
            let config = context::aws(session).await?;
            let task = session
                .progress
                .spinner("waiting for the snapshot of ElastiCache");
            let snapshot = redis_keys::snapshot(&config, group, session.deadline).await?;
            task.finish("ElastiCache has taken its snapshot");
            Some(RedisPart::ElastiCache(snapshot))
        }
        (true, None) => {
            let target = context::redis(session)?;
            let keys = redis_keys::take(&target, writer, &session.progress).await?;
            Some(RedisPart::Keys(keys))
        }
    };
    let config_files = config_files::take(&backup.config_files, writer).await?;
    let options = files::Options {
        jobs: usize::try_from(backup.jobs).unwrap_or(1),
    };
    let mut trees = Vec::new();
    for tree in &backup.files {
        let mut taken = files::take(tree, options, writer, &session.progress).await?;
        taken.leaving = Some(leaving::store_tree(writer, &taken, encrypted).await?);
        trees.push(taken);
    }
    Ok(Body {
        databases: Vec::new(),
        globals: None,
        files: trees,
        config_files,
        redis,
    })
}

/// Their plain bytes, as far as they are in segments.
#[must_use]
pub fn plain_bytes(body: &Body) -> u64 {
    let trees: u64 = body.files.iter().map(|tree| tree.bytes).sum();
    let files = body.config_files.iter().flat_map(|file| &file.segments);
    let redis = match &body.redis {
        Some(RedisPart::Keys(keys)) => keys.data.bytes,
        _ => 0,
    };
    trees + files.map(|segment| segment.size).sum::<u64>() + redis
}

/// Their counts, for the clear header.
#[must_use]
pub fn contents(body: &Body) -> Contents {
    Contents {
        roles: body
            .globals
            .as_ref()
            .map_or(0, |globals| globals.roles.len() as u64),
        trees: body.files.len() as u64,
        files: body.files.iter().map(|tree| tree.counts.files).sum(),
        file_bytes: body.files.iter().map(|tree| tree.counts.file_bytes).sum(),
        config_files: body.config_files.len() as u64,
        redis_keys: match &body.redis {
            Some(RedisPart::Keys(keys)) => keys.data.proof.rows,
            _ => 0,
        },
    }
}

/// One check for each part.
#[must_use]
pub fn checks(body: &Body) -> Vec<Check> {
    let globals = body.globals.as_ref().map(|globals| {
        let summary = format!(
            "{} roles, {} memberships, {} settings; no passwords",
            globals.roles.len(),
            globals.memberships.len(),
            globals.settings.len()
        );
        Check::pass("roles", summary).measure(Measure::count("roles", globals.roles.len() as u64))
    });
    let mut checks: Vec<Check> = globals.into_iter().collect();
    checks.extend(body.files.iter().map(tree));
    if !body.config_files.is_empty() {
        let summary = format!("{} stored complete", body.config_files.len());
        let changed = body.config_files.iter().filter(|file| file.changed);
        let changed: Vec<String> = changed
            .map(|file| format!("{}: changed while it was read", file.path))
            .collect();
        checks.push(warned(Check::pass("configuration files", summary), &changed));
    }
    checks.extend(body.redis.as_ref().map(redis));
    checks
}

fn tree(tree: &Tree) -> Check {
    let counts = &tree.counts;
    let summary = format!(
        "{} files, {}, {} folders, {} links",
        grouped(counts.files),
        bytes(counts.file_bytes),
        grouped(counts.folders),
        grouped(counts.links)
    );
    let check = Check::pass(format!("files of {}", tree.name), summary);
    warned(check, &tree.warnings)
        .measure(Measure::count("files", counts.files))
        .measure(Measure::bytes("size", counts.file_bytes))
}

/// Makes a warning of a check when there is something to warn of.
fn warned(check: Check, warnings: &[String]) -> Check {
    if warnings.is_empty() {
        return check;
    }
    let summary = format!("{}; {} warning(s)", check.summary, warnings.len());
    warnings
        .iter()
        .fold(Check::warn(check.id, summary), Check::evidence)
        .hint("what changes while it is read is best backed up when nobody writes, or excluded")
}

fn redis(part: &RedisPart) -> Check {
    match part {
        RedisPart::ElastiCache(snapshot) => Check::pass(
            "redis",
            format!(
                "ElastiCache keeps the snapshot {} of {}: the set has its name and no keys",
                snapshot.name, snapshot.replication_group
            ),
        ),
        RedisPart::Keys(keys) => {
            let vanished = match keys.vanished {
                0 => String::new(),
                gone => format!(", {} vanished meanwhile", grouped(gone)),
            };
            Check::pass(
                "redis",
                format!(
                    "{} keys of {} database(s){vanished}; read one after the other, not at one moment",
                    grouped(keys.data.proof.rows),
                    keys.databases.len()
                ),
            )
            .measure(Measure::count("keys", keys.data.proof.rows))
        }
    }
}

/// What is missing in a set that names a snapshot only.
pub(super) fn at_elasticache(snapshot: &redis_keys::Snapshot) -> Error {
    Error::unable(format!(
        "the set has no keys of Redis: ElastiCache keeps them in its snapshot {}",
        snapshot.name
    ))
    .hint(format!(
        "make a new replication group from it: aws elasticache create-replication-group --snapshot-name {} --region {} …",
        snapshot.name, snapshot.region
    ))
}

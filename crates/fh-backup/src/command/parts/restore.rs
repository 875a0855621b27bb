//! `fh-backup restore` of what is not a database.

use std::path::Path;
use std::time::Instant;

use fh_core::app::Session;
use fh_core::render::{bytes, grouped};
use fh_core::report::{Check, Measure, Report, Section};
use fh_core::{Error, Result, Secret};
use fh_pg::{connect, pin_session};
use fh_repository::Repository;

use super::super::restore::{pick, target_of};
use super::super::verdict;
use super::create::at_elasticache;
use crate::body::Body;
use crate::cli::Restore;
use crate::globals::{self, Applied};
use crate::redis_keys::{self, RedisPart};
use crate::{config_files, context, files};

/// Restores the part that the command line chose.
///
/// # Errors
/// Exit code 2 when the set has no such part, 4 when the target is not empty, 1 when something stored is damaged, 3 when
/// it could not be restored.
pub async fn restore(session: &Session, repository: &Repository, restore: &Restore) -> Result<Report> {
    let began = Instant::now();
    let part = &restore.part;
    if !(part.globals || part.files.is_some() || part.config_files || part.redis) {
        return Err(Error::usage("--to says where, and nothing says what")
            .hint("add --files NAME or --config-files; a database goes where --into says"));
    }
    let id = pick(session, repository, restore.set.as_deref()).await?;
    let set = repository.open_set(&id).await?;
    let body: Body = repository.read_body(&set)?;
    let mut report = verdict("restore", format!("Restore of {}", set.id))
        .about("set", set.id.clone())
        .about("repository", repository.describe());
    report.data = serde_json::json!({ "set": set.id });
    let to = part.to.as_deref().unwrap_or(Path::new("."));
    let (target, checks) = if part.globals {
        let (target, applied) = roles(session, &body, restore).await?;
        let script = applied.plan.script();
        if restore.dry_run && !script.is_empty() {
            report.show(Section::Text(script.clone()));
        }
        report.data["sql"] = script.into();
        (target, role_checks(&applied, restore.dry_run))
    } else if let Some(name) = &part.files {
        let checks = tree(session, repository, &body, name, to, part.path.as_deref()).await?;
        (to.display().to_string(), checks)
    } else if part.config_files {
        (
            to.display().to_string(),
            configuration(repository, &body, to).await?,
        )
    } else {
        keys(session, repository, &body, part.redis_url_env.as_deref()).await?
    };
    report = report.about("target", target);
    for check in checks {
        report.push(check);
    }
    report.data["seconds"] = began.elapsed().as_secs_f64().into();
    Ok(report)
}

fn no_part(what: &str) -> Error {
    Error::usage(format!("the set holds no {what}")).hint("`fh-backup show` says what is in it")
}

async fn roles(session: &Session, body: &Body, restore: &Restore) -> Result<(String, Applied)> {
    let wanted = body.globals.as_ref().ok_or_else(|| no_part("roles"))?;
    let target = target_of(session, restore)?;
    let connection = connect(&target, &context::connect_options(session)).await?;
    pin_session(&connection, session.config().database.lock_timeout.get()).await?;
    let applied = globals::apply(&connection, wanted, restore.dry_run).await?;
    Ok((target.redacted(), applied))
}

fn role_checks(applied: &Applied, dry_run: bool) -> Vec<Check> {
    let plan = &applied.plan;
    let made = if dry_run {
        "would be made"
    } else {
        "made, without passwords"
    };
    let created = Check::pass(
        "roles",
        format!(
            "{} roles {made}, {} were there and are equal",
            plan.created.len(),
            plan.equal.len()
        ),
    );
    let created = plan
        .created
        .iter()
        .fold(created, |check, name| check.evidence(format!("new: {name}")));
    let mut checks = vec![if plan.created.is_empty() || dry_run {
        created
    } else {
        created.hint("roles that log in with a password need a new one: ALTER ROLE … PASSWORD")
    }];
    let list = |id: &str, what: &str, lines: &[String]| {
        let check = Check::warn(id, format!("{} {what}", lines.len()));
        (!lines.is_empty()).then(|| lines.iter().fold(check, Check::evidence))
    };
    checks.extend(
        list(
            "differences",
            "difference(s) to existing roles, which are left as they are",
            &plan.different,
        )
        .map(|check| check.hint("change them by hand where the set is right")),
    );
    checks.extend(list("left out", "left out", &plan.left_out));
    checks.extend(list("refused", "refused by the server", &applied.refused));
    checks
}

async fn tree(
    session: &Session,
    repository: &Repository,
    body: &Body,
    name: &str,
    to: &Path,
    path: Option<&str>,
) -> Result<Vec<Check>> {
    let tree = body.files.iter().find(|tree| tree.name == name).ok_or_else(|| {
        let names: Vec<&str> = body.files.iter().map(|tree| tree.name.as_str()).collect();
        let error = no_part(&format!("file tree {name:?}"));
        if names.is_empty() {
            error
        } else {
            Error::usage(error.message()).hint(format!("it holds {}", names.join(", ")))
        }
    })?;
    let began = Instant::now();
    let task = session.progress.bytes(
        format!("restoring {name}"),
        path.is_none().then_some(tree.counts.file_bytes),
    );
    let restored = files::restore(repository, tree, to, path, |count| task.inc(count)).await?;
    let counts = restored.counts;
    let summary = format!(
        "{} files, {}, {} folders, {} links: every file was read back, and every hash is right",
        grouped(counts.files),
        bytes(counts.file_bytes),
        grouped(counts.folders),
        grouped(counts.links)
    );
    let mut checks = vec![
        Check::pass(format!("files of {name}"), summary)
            .measure(Measure::count("files", counts.files))
            .measure(Measure::count("segments read", restored.segments_read))
            .took(began.elapsed()),
    ];
    if restored.owners_left_out {
        checks.push(
            Check::warn(
                "owners",
                "the owners were left out: everything belongs to the user who restores",
            )
            .hint("restore as root to set them"),
        );
    }
    if !tree.warnings.is_empty() {
        let check = Check::warn(
            "incomplete",
            "when the backup was taken, not everything could be read as it stood",
        );
        checks.push(tree.warnings.iter().fold(check, Check::evidence));
    }
    Ok(checks)
}

async fn configuration(repository: &Repository, body: &Body, to: &Path) -> Result<Vec<Check>> {
    if body.config_files.is_empty() {
        return Err(no_part("configuration files"));
    }
    config_files::restore(repository, &body.config_files, to).await?;
    let summary = format!(
        "{} written, readable by their owner only",
        body.config_files.len()
    );
    let check = Check::pass("configuration files", summary);
    Ok(vec![
        body.config_files
            .iter()
            .fold(check, |check, file| check.evidence(file.path.clone())),
    ])
}

async fn keys(
    session: &Session,
    repository: &Repository,
    body: &Body,
    variable: Option<&str>,
) -> Result<(String, Vec<Check>)> {
    let keys = match &body.redis {
        None => return Err(no_part("keys of Redis")),
        Some(RedisPart::ElastiCache(snapshot)) => return Err(at_elasticache(snapshot)),
        Some(RedisPart::Keys(keys)) => keys,
    };
    let variable = variable.unwrap_or_default();
    let url = std::env::var(variable)
        .ok()
        .filter(|url| !url.is_empty())
        .ok_or_else(|| {
            Error::usage(format!(
                "the environment variable {variable} of --redis-url-env is not set"
            ))
            .hint("put the URL of the empty target server there")
        })?;
    let target = context::redis_target(session, &Secret::new(url))?;
    let began = Instant::now();
    let restored = redis_keys::restore(repository, keys, &target, &session.progress).await?;
    let expired = match restored.expired {
        0 => String::new(),
        gone => format!(", {} have expired since", grouped(gone)),
    };
    let check = Check::pass(
        "redis",
        format!(
            "{} keys are there, each expires when it should{expired}",
            grouped(restored.keys)
        ),
    )
    .measure(Measure::count("keys", restored.keys))
    .took(began.elapsed());
    Ok((target.place().to_owned(), vec![check]))
}

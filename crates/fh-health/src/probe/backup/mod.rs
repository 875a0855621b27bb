//! Backups that fh-backup made: the newest good set and the newest drill, from what stands in the repository. No private
//! key is needed, and no backup is read.

use std::sync::Arc;
use std::time::Duration;

use fh_core::config::{HealthBackup, RetentionTimes};
use fh_core::render::duration;
use fh_core::report::{Check, Measure, Unit};
use fh_core::{Context as _, Result};
use fh_repository::inventory::{Group, Inventory, Known};
use fh_repository::{Access, Location, Repository, S3Options, open_store};
use jiff::Timestamp;

use super::{Context, Needs, Planned, Probe, Setup};
use crate::limits::Limits;

/// The id, and what those of the checks begin with.
const ID: &str = "backup";

/// The probe of `[health.backup]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let config = setup.config();
    let Some(entry) = &config.health.backup else {
        return Ok(Vec::new());
    };
    let location = Location::configured(&config.backup)?;
    Ok(vec![Arc::new(Backups {
        entry: entry.clone(),
        location,
        project: config.project.name.clone(),
        environment: setup.loaded.environment.clone(),
    })])
}

/// The repository.
struct Backups {
    entry: HealthBackup,
    location: Location,
    project: String,
    environment: Option<String>,
}

impl Probe for Backups {
    fn id(&self) -> &str {
        ID
    }

    fn checks(&self) -> Vec<Planned> {
        let older = |limit: Duration| Limits {
            crit: Some(limit.as_secs_f64()),
            ..Limits::open(Unit::Seconds, crate::limits::Worse::Above)
        };
        vec![
            Planned::new("backup.age", "the age of the newest good set")
                .limits(older(self.entry.max_age.get())),
            Planned::new("backup.drill", "how long ago a restore drill proved a set")
                .limits(older(self.entry.max_drill_age.get())),
            Planned::new("backup.damaged", "no set is known to be damaged"),
        ]
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let read = super::block_on(async {
            let within = context.deadline.remaining().unwrap_or(Duration::MAX);
            let what = || format!("{} did not answer within the deadline", self.location);
            tokio::time::timeout(within, self.read(context))
                .await
                .or_unable(what)?
        });
        match read {
            Ok(inventory) => self.judge(context, &inventory),
            Err(error) => {
                let ids = self.checks().into_iter().map(|planned| planned.id);
                ids.map(|id| Check::from_error(id, &error)).collect()
            }
        }
    }

    fn needs(&self, _: &str) -> Needs {
        let mut needs = Needs::default();
        match &self.location {
            Location::Directory(folder) => needs.other.push(format!("reading {}", folder.display())),
            Location::S3 { .. } => needs
                .iam
                .extend(["s3:ListBucket".to_owned(), "s3:GetObject".to_owned()]),
        }
        needs.other("the repository key, when the repository is encrypted (backup.key); no private key")
    }
}

impl Backups {
    async fn read(&self, context: &Context) -> Result<Inventory> {
        let backup = &context.config.backup;
        let key = backup.key.as_ref();
        let key = key
            .map(|source| context.secret(source, "the repository key"))
            .transpose()?;
        let options = S3Options::configured(&context.config.aws, &backup.s3);
        let store = open_store(&self.location, &options, context.deadline).await?;
        let repository = Repository::open(store, Access { key, identity: None }).await?;
        Inventory::read(&repository, RetentionTimes::Checked, context.now).await
    }

    fn judge(&self, context: &Context, inventory: &Inventory) -> Vec<Check> {
        let environment = self.environment.as_deref();
        let groups = inventory.judged(&self.project, environment, &self.entry.databases);
        let mut checks = Vec::new();
        for (group, sets) in &groups {
            checks.push(age(context, group, sets));
            checks.push(drill(context, group, sets));
        }
        let has = |name: &&String| groups.iter().any(|(group, _)| group.databases.contains(*name));
        let missing: Vec<&String> = self.entry.databases.iter().filter(|name| !has(name)).collect();
        let of = match (&environment, missing.first()) {
            (_, Some(name)) => format!("of {name}"),
            (Some(environment), None) => format!("of {} in {environment}", self.project),
            (None, None) => format!("of {}", self.project),
        };
        if groups.is_empty() || !missing.is_empty() {
            let hint =
                "take one with `fh-backup create`; check --env and project.name if there should be some";
            checks.push(Check::fail("backup.age", format!("there is no good set {of}")).hint(hint));
            checks.push(Check::fail("backup.drill", format!("there is no set {of} to try")).hint(hint));
        }
        checks.push(damaged(inventory));
        checks
    }
}

fn age(context: &Context, group: &Group, sets: &[&Known]) -> Check {
    let id = format!("backup.age.{}", group.short());
    // A set that holds suspiciously little does not count until somebody accepts it.
    let Some(newest) = sets.iter().rev().find(|set| !set.collapsed) else {
        return Check::fail(id, format!("every set of {group} holds suspiciously little"))
            .hint("`fh-backup status` tells what is missing; `fh-backup accept` says that it is right so");
    };
    let old = since(context.now, newest.judged.time);
    let summary = format!(
        "the newest good set of {group}, {}, is {} old",
        newest.header.id,
        duration(old)
    );
    let check = context
        .judge(id, Measure::duration("age", old), summary)
        .measure(Measure::count("sets", sets.len() as u64));
    let check = match sets.last() {
        Some(last) if last.collapsed => check.evidence(format!(
            "the set {} after it holds suspiciously little",
            last.header.id
        )),
        _ => check,
    };
    advice(
        check,
        "find out why the backup did not run, then run `fh-backup create`",
    )
}

fn drill(context: &Context, group: &Group, sets: &[&Known]) -> Check {
    let id = format!("backup.drill.{}", group.short());
    let hint = "run `fh-backup drill`";
    let drilled = sets
        .iter()
        .filter_map(|set| Some((set.standing.drilled_at?, *set)));
    let Some((at, set)) = drilled.max_by_key(|(at, _)| *at) else {
        return Check::fail(id, format!("no set of {group} was ever restored by a drill")).hint(hint);
    };
    let old = since(context.now, at);
    let summary = format!("a drill proved {} {} ago", set.header.id, duration(old));
    let check = context.judge(id, Measure::duration("age", old), summary);
    let check = match set.standing.rto {
        Some(rto) => check.measure(Measure::duration("rto", rto)),
        None => check,
    };
    advice(check, hint)
}

fn damaged(inventory: &Inventory) -> Check {
    let all = inventory.damaged();
    let count = all.len() as u64;
    let check = if all.is_empty() {
        Check::pass("backup.damaged", "no set is known to be damaged")
    } else {
        Check::fail("backup.damaged", format!("{count} set(s) are damaged"))
            .hint("take a new backup, look for the cause in the store; `fh-backup status` tells more")
    };
    all.into_iter()
        .take(10)
        .fold(check, Check::evidence)
        .measure(Measure::count("damaged_sets", count))
}

fn since(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// Nobody needs advice about what is well.
fn advice(check: Check, hint: &str) -> Check {
    if check.status == fh_core::Status::Pass {
        check
    } else {
        check.hint(hint)
    }
}

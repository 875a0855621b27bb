//! `fh-backup prune`.

use std::collections::BTreeSet;

use fh_core::app::Session;
use fh_core::confirm::{Console, Terminal as _};
use fh_core::render::bytes;
use fh_core::report::{Check, Measure, Report, Table};
use fh_core::{Error, Exit, Result};
use fh_repository::{Collected, Deleted, GarbageOptions, Repository};
use jiff::Timestamp;

use super::verdict;
use crate::cli::Prune;
use crate::context;
use crate::keep::plan::{self, Inventory};
use crate::keep::removal::{self, Removed};
use crate::keep::retention::{Class, Decision, Rules};
use fh_repository::inventory::Group;

/// The least grace: what makes the garbage collection safe beside running backups rests on it.
const LEAST_GRACE: std::time::Duration = std::time::Duration::from_hours(1);
/// A writer may be at work on younger uploads.
const LEAST_SWEEP: std::time::Duration = std::time::Duration::from_hours(24);

/// What is to become of everything.
struct Plan {
    groups: Vec<(Group, Vec<Decision>)>,
    /// Sets whose file cannot be read, with the reason.
    unreadable: Vec<(String, String)>,
    /// Those among them that go.
    unreadable_going: Vec<(String, String)>,
    /// Sets of other projects or environments.
    others: usize,
}

/// Removes the sets that no rule keeps, and then what no set needs.
///
/// # Errors
/// Exit code 2 without a rule, 3 when the store cannot be read, 4 when more than half of a group would go and that was not
/// agreed to.
pub async fn run(session: &Session, prune: &Prune) -> Result<Report> {
    let config = &session.config().backup;
    if config.gc_grace.get() < LEAST_GRACE {
        return Err(Error::usage(format!("backup.gc_grace is {}", config.gc_grace))
            .hint("give at least 1h, and more than a backup takes"));
    }
    let rules = if prune.gc_only {
        None
    } else {
        Some(Rules::of(&config.retention)?)
    };
    let repository = context::repository(session).await?;
    let title = if prune.dry_run {
        "What would be removed"
    } else {
        "Removal of what is not kept"
    };
    let mut report = verdict("prune", title).about("repository", repository.describe());
    let mut data = serde_json::Map::new();
    if let Some(rules) = rules {
        let plan = plan(session, &repository, &rules, prune.damaged).await?;
        plan.tell(prune.dry_run, &mut report);
        data.insert("groups".into(), plan.json());
        if !prune.dry_run {
            let removed = remove(session, &repository, prune, &plan).await?;
            data.insert("removed".into(), removed.0.len().into());
            report.checks.extend(removed.1);
        }
    }
    let options = GarbageOptions {
        grace: config.gc_grace.get(),
        at: Timestamp::now(),
        host: crate::keep::host(),
        dry_run: prune.dry_run,
    };
    match repository.collect_garbage(&options).await {
        Ok(collected) => report.push(garbage(&collected, prune.dry_run)),
        // What was removed before stays told.
        Err(error) => report.push(Check::from_error("garbage", &error)),
    }
    if !prune.dry_run {
        report.push(
            match repository
                .sweep_uploads(config.gc_grace.get().max(LEAST_SWEEP))
                .await
            {
                Ok(swept) => Check::pass("uploads", format!("{swept} unfinished upload(s) are gone")),
                Err(error) => Check::from_error("uploads", &error),
            },
        );
    }
    report.data = data.into();
    Ok(report)
}

async fn plan(session: &Session, repository: &Repository, rules: &Rules, damaged: bool) -> Result<Plan> {
    let retention = &session.config().backup.retention;
    let inventory = Inventory::read(repository, retention.times, Timestamp::now()).await?;
    let environment = session.loaded.environment.as_deref();
    let groups: Vec<(Group, Vec<Decision>)> = inventory
        .of(&session.config().project.name, environment)
        .into_iter()
        .map(|(group, sets)| {
            (
                group.clone(),
                plan::of_group(rules, retention.require, damaged, sets),
            )
        })
        .collect();
    let all: usize = inventory.groups.values().map(Vec::len).sum();
    let own: usize = groups.iter().map(|(_, decisions)| decisions.len()).sum();
    // Whose they were nobody can tell; they go only while something good stays.
    let mut sets = inventory.groups.values().flatten();
    let good_stays = sets.any(|set| plan::class(set, retention.require) == Class::Proven);
    let mut unreadable_going = Vec::new();
    for (id, why) in inventory.unreadable.iter().filter(|_| damaged && good_stays) {
        // A set of a newer version is not damaged.
        if repository
            .open_set(id)
            .await
            .is_err_and(|error| error.exit() == Exit::Bad)
        {
            unreadable_going.push((id.clone(), why.clone()));
        }
    }
    Ok(Plan {
        groups,
        unreadable: inventory.unreadable,
        unreadable_going,
        others: all - own,
    })
}

impl Plan {
    /// Every set that goes, with the reason.
    fn going(&self) -> Vec<Removed> {
        let decided = self.groups.iter().flat_map(|(_, decisions)| decisions);
        let decided = decided.filter(|decision| !decision.keep).map(|decision| Removed {
            set: decision.id.clone(),
            reason: decision.reason.clone(),
        });
        let unreadable = self.unreadable_going.iter().map(|(id, why)| Removed {
            set: id.clone(),
            reason: format!("damaged, and --damaged was given: {why}"),
        });
        decided.chain(unreadable).collect()
    }

    fn kept(&self) -> BTreeSet<String> {
        let decided = self.groups.iter().flat_map(|(_, decisions)| decisions);
        decided
            .filter(|decision| decision.keep)
            .map(|decision| decision.id.clone())
            .collect()
    }

    /// The first group of which more than half would go.
    fn drastic(&self) -> Option<(&Group, usize, usize)> {
        self.groups.iter().find_map(|(group, decisions)| {
            let going = decisions.iter().filter(|decision| !decision.keep).count();
            (going * 2 > decisions.len()).then_some((group, going, decisions.len()))
        })
    }

    fn tell(&self, dry_run: bool, report: &mut Report) {
        let verb = if dry_run { "would go" } else { "to go" };
        for (group, decisions) in &self.groups {
            let going = decisions.iter().filter(|decision| !decision.keep).count();
            report.push(
                Check::pass(
                    format!("sets.{}", group.short()),
                    format!(
                        "{} set(s) of {group}: {} kept, {going} {verb}",
                        decisions.len(),
                        decisions.len() - going
                    ),
                )
                .measure(Measure::count("sets", decisions.len() as u64)),
            );
            let mut table = Table::new(format!("Sets of {group}"))
                .left("")
                .left("set")
                .left("why");
            for decision in decisions {
                let verb = if decision.keep { "keep" } else { "delete" };
                table.push([verb, &decision.id, &decision.reason]);
            }
            report.show(table);
        }
        if self.groups.is_empty() {
            report.push(
                Check::warn("sets", "there is no set of this project and environment")
                    .hint("check --env and project.name; `fh-backup list` shows what is there"),
            );
        }
        if !self.unreadable.is_empty() {
            let count = self.unreadable.len();
            let going = self.unreadable_going.len();
            let check = Check::warn(
                "damaged",
                format!(
                    "{count} set(s) that cannot be read and do not count: {} kept, {going} {verb}",
                    count - going
                ),
            )
            .hint("look for the cause; `fh-backup prune --damaged` removes them once there is a proven set");
            report.push(
                self.unreadable
                    .iter()
                    .fold(check, |check, (id, why)| check.evidence(format!("{id}: {why}"))),
            );
        }
        if self.others > 0 {
            report.push(Check::skip(
                "others",
                format!(
                    "{} set(s) of other projects or environments were not looked at",
                    self.others
                ),
            ));
        }
    }

    fn json(&self) -> serde_json::Value {
        let groups = self.groups.iter().map(|(group, decisions)| {
            let decisions: Vec<_> = decisions
                .iter()
                .map(|decision| {
                    serde_json::json!({
                        "set": decision.id,
                        "time": decision.time,
                        "keep": decision.keep,
                        "reason": decision.reason,
                    })
                })
                .collect();
            serde_json::json!({ "group": group, "sets": decisions })
        });
        groups.collect()
    }
}

async fn remove(
    session: &Session,
    repository: &Repository,
    prune: &Prune,
    plan: &Plan,
) -> Result<(Vec<String>, Vec<Check>)> {
    let going = plan.going();
    agree(session, prune.yes_delete, plan, going.len())?;
    let mut checks = Vec::new();
    let mut removed = Vec::new();
    if !going.is_empty() {
        let _confirmed = session.confirm(format!(
            "remove {} set(s) from {}",
            going.len(),
            repository.describe()
        ))?;
        let ids: Vec<String> = going.iter().map(|removed| removed.set.clone()).collect();
        removal::announce(repository, going, &plan.kept()).await?;
        let mut locked = Vec::new();
        let mut hidden = 0;
        let task = session.progress.items("removing sets", Some(ids.len() as u64));
        for id in ids {
            match repository.remove_set(&id).await? {
                Deleted::Gone => removed.push(id),
                Deleted::Hidden => {
                    hidden += 1;
                    removed.push(id);
                }
                Deleted::Kept => locked.push(id),
            }
            task.inc(1);
        }
        checks.push(
            Check::pass("removed", format!("{} set(s) are gone", removed.len()))
                .measure(Measure::count("removed_sets", removed.len() as u64)),
        );
        if hidden > 0 {
            checks.push(
                Check::pass(
                    "versions",
                    format!("the bucket keeps old versions of {hidden} set(s)"),
                )
                .hint("they cost until a lifecycle rule for noncurrent versions removes them"),
            );
        }
        if !locked.is_empty() {
            let check = Check::warn(
                "locked",
                format!("{} set(s) are still there: the store keeps them", locked.len()),
            )
            .hint("an Object Lock lets them go later; if there is none, these credentials may not delete");
            checks.push(locked.into_iter().fold(check, Check::evidence));
        }
    }
    let gone = removal::removed(repository).await?;
    let left = repository.remove_leftovers(&gone).await?;
    if left > 0 {
        checks.push(Check::pass(
            "leftovers",
            format!("{left} object(s) of sets that went earlier are gone"),
        ));
    }
    Ok((removed, checks))
}

/// More than half of a group goes only when somebody said how many that is.
fn agree(session: &Session, given: Option<usize>, plan: &Plan, going: usize) -> Result<()> {
    if let Some(given) = given {
        if given == going {
            return Ok(());
        }
        return Err(
            Error::refused(format!("--yes-delete says {given}, but {going} set(s) would go"))
                .hint("look at `fh-backup prune --dry-run`; nothing was removed"),
        );
    }
    let Some((group, of_group, all)) = plan.drastic() else {
        return Ok(());
    };
    let what = format!("{of_group} of the {all} sets of {group} would go");
    let mut console = Console::open(&session.cancel);
    let Some(terminal) = console.as_mut() else {
        return Err(
            Error::refused(format!("{what}, which is more than half")).hint(format!(
                "look at `fh-backup prune --dry-run`; if that is right, give --yes-delete {going}"
            )),
        );
    };
    let question = format!("{what}, {going} in all. Type the number of sets to remove: ");
    let typed = session.progress.suspend(|| terminal.ask(&question))?;
    if typed.trim() == going.to_string() {
        Ok(())
    } else {
        Err(
            Error::refused(format!("not confirmed: what was typed is not {going}"))
                .hint("nothing was removed"),
        )
    }
}

fn garbage(collected: &Collected, dry_run: bool) -> Check {
    let Collected {
        marked,
        marked_bytes,
        waiting,
        removed,
        removed_bytes,
        hidden,
        spared,
        locked,
        doubtful,
    } = collected;
    let would = if dry_run { "would be " } else { "" };
    let mut parts = vec![format!(
        "{removed} segment(s), {} {would}removed",
        bytes(*removed_bytes)
    )];
    if *marked > 0 {
        parts.push(format!(
            "{marked}, {} {would}listed to go later",
            bytes(*marked_bytes)
        ));
    }
    for (count, what) in [
        (waiting, "listed earlier and waiting"),
        (spared, "spared, because a set needs them again"),
        (locked, "kept by the store"),
        (
            hidden,
            "of those removed still cost: the bucket keeps versions until a lifecycle rule removes them",
        ),
    ] {
        if *count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let summary = parts.join("; ");
    let check = if doubtful.is_empty() && *locked == 0 {
        Check::pass("garbage", summary)
    } else if doubtful.is_empty() {
        Check::warn("garbage", summary)
            .hint("an Object Lock lets them go later; if there is none, these credentials may not delete")
    } else {
        Check::warn(
            "garbage",
            format!("{summary}; {} list(s) cannot be believed", doubtful.len()),
        )
        .hint("find out who can write to the store, and remove those objects below gc/ by hand")
    };
    doubtful
        .iter()
        .fold(check, |check, why| check.evidence(why.clone()))
        .measure(Measure::bytes("removed", *removed_bytes))
        .measure(Measure::bytes("garbage", *marked_bytes))
}

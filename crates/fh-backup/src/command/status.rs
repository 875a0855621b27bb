//! `fh-backup status`.

use std::time::Duration;

use fh_core::app::Session;
use fh_core::config::{BackupStatus, RetentionTimes};
use fh_core::duration::Period;
use fh_core::render::{bytes, duration, grouped};
use fh_core::report::{Check, Measure, Report, Unit};
use fh_core::{Exit, Result};
use fh_repository::Repository;
use jiff::Timestamp;

use super::verdict;
use crate::cli::Status;
use crate::keep::collapse;
use crate::keep::plan::{Inventory, Known};
use crate::memory;
use fh_repository::inventory::{Acceptances, Group};

/// Says whether there are fresh, proven backups, from what stands in the repository. No private key is needed.
///
/// # Errors
/// Exit code 3 when the store cannot be read. What is stale or missing is a failed check.
pub async fn run(session: &Session, repository: &Repository, status: &Status) -> Result<Report> {
    let now = Timestamp::now();
    let inventory = Inventory::read(repository, RetentionTimes::Checked, now).await?;
    let environment = session.loaded.environment.as_deref();
    let groups = inventory.judged(&session.config().project.name, environment, &status.database);
    let mut report = verdict("status", format!("Backups in {}", repository.describe()))
        .about("repository", repository.describe());
    let mut data = Vec::new();
    for (group, sets) in &groups {
        let judge = Judge {
            limits: &session.config().backup.status,
            group,
            sets,
            now,
        };
        report.push(judge.age());
        report.push(judge.verified());
        report.push(judge.drilled());
        report.push(judge.collapse(session, repository).await?);
        data.push(judge.json());
    }
    if groups.is_empty() {
        let whose = match status.database.as_slice() {
            [] => "of this project and environment".to_owned(),
            names => format!("of {}", names.join(", ")),
        };
        report.push(
            Check::fail("age", format!("there is no good set {whose}")).hint(
                "take one with `fh-backup create`; check --env and project.name if there should be some",
            ),
        );
    }
    report.push(damaged(&inventory));
    report.push(memory::check(session, repository, &inventory.proven).await?);
    report.data = serde_json::json!({ "groups": data, "damaged": inventory.unreadable.len() });
    Ok(report)
}

struct Judge<'j> {
    limits: &'j BackupStatus,
    group: &'j Group,
    /// Usable sets, oldest first.
    sets: &'j [&'j Known],
    now: Timestamp,
}

impl Judge<'_> {
    fn id(&self, what: &str) -> String {
        format!("{what}.{}", self.group.short())
    }

    fn since(&self, time: Timestamp) -> Duration {
        Duration::try_from(self.now.duration_since(time)).unwrap_or_default()
    }

    fn age(&self) -> Check {
        let Some(newest) = self.sets.last() else {
            return Check::fail(self.id("age"), format!("there is no good set of {}", self.group));
        };
        let age = self.since(newest.judged.time);
        let limit = self.limits.max_age;
        let summary = format!(
            "the newest set of {}, {}, is {} old",
            self.group,
            newest.header.id,
            duration(age)
        );
        let check = if age > limit.get() {
            Check::fail(self.id("age"), format!("{summary}; {limit} is allowed"))
                .hint("find out why the backup did not run, then run `fh-backup create`")
        } else {
            Check::pass(self.id("age"), summary)
        };
        let totals = &newest.header.totals;
        check
            .evidence(format!(
                "{} rows, {} plain, {} stored",
                grouped(totals.rows),
                bytes(totals.plain_bytes),
                bytes(totals.stored_bytes)
            ))
            .measure(stamp("last_success_timestamp", newest.judged.time))
            .measure(critical(Measure::duration("age", age), Some(limit)))
            .measure(Measure::count("rows", totals.rows))
            .measure(Measure::bytes("plain", totals.plain_bytes))
            .measure(Measure::bytes("stored", totals.stored_bytes))
            .measure(Measure::count("sets", self.sets.len() as u64))
    }

    fn verified(&self) -> Check {
        let newest = self
            .sets
            .iter()
            .filter_map(|set| Some((set.standing.verified_at?, *set)))
            .max_by_key(|(at, _)| *at);
        let hint = "run `fh-backup verify latest`";
        self.proven("verified", newest, self.limits.max_verify_age, hint)
    }

    fn drilled(&self) -> Check {
        let newest = self
            .sets
            .iter()
            .filter_map(|set| Some((set.standing.drilled_at?, *set)))
            .max_by_key(|(at, _)| *at);
        let check = self.proven(
            "drilled",
            newest,
            self.limits.max_drill_age,
            "run a restore drill",
        );
        match newest.and_then(|(_, set)| set.standing.rto) {
            Some(rto) => check.measure(Measure::duration("rto", rto)),
            None => check,
        }
    }

    fn proven(
        &self,
        what: &str,
        newest: Option<(Timestamp, &Known)>,
        limit: Option<Period>,
        hint: &str,
    ) -> Check {
        let id = self.id(what);
        let Some((at, set)) = newest else {
            let summary = format!("no set of {} was ever {what}", self.group);
            return match limit {
                Some(_) => Check::fail(id, summary).hint(hint),
                None => Check::skip(id, summary),
            };
        };
        let age = self.since(at);
        let summary = format!("set {} was {what} {} ago", set.header.id, duration(age));
        let check = match limit {
            Some(limit) if age > limit.get() => {
                Check::fail(id, format!("{summary}; {limit} is allowed")).hint(hint)
            }
            _ => Check::pass(id, summary),
        };
        check
            .measure(stamp(&format!("last_{what}_timestamp"), at))
            .measure(critical(Measure::duration(format!("{what}_age"), age), limit))
    }

    /// Compared once more: the limits may have changed since the set was made.
    async fn collapse(&self, session: &Session, repository: &Repository) -> Result<Check> {
        let id = self.id("collapse");
        let Some(newest) = self.sets.last().map(|set| &set.header) else {
            return Ok(Check::skip(id, "there is no set to compare"));
        };
        let set = match repository.open_set(&newest.id).await {
            Ok(set) => set,
            Err(error) if error.exit() == Exit::Bad => return Ok(Check::from_error(id, &error)),
            Err(error) => return Err(error),
        };
        let entries = match repository.read_summary(&set) {
            Ok(entries) => entries,
            Err(error) => return Ok(Check::from_error(id, &error)),
        };
        let acceptances = Acceptances::read(repository).await?;
        let limits = &session.config().backup.collapse;
        let before = Some(newest.id.as_str());
        let compared =
            collapse::examine(repository, limits, &acceptances, self.group, before, &entries).await?;
        Ok(compared.check(id, &newest.id, acceptances.cover(self.group, &newest.id)))
    }

    fn json(&self) -> serde_json::Value {
        let newest = self.sets.last();
        serde_json::json!({
            "group": self.group,
            "sets": self.sets.len(),
            "newest": newest.map(|set| &set.header.id),
            "newest_at": newest.map(|set| set.judged.time),
            "last_verified_at": self.sets.iter().filter_map(|set| set.standing.verified_at).max(),
            "last_drilled_at": self.sets.iter().filter_map(|set| set.standing.drilled_at).max(),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 fit a double exactly"
)]
fn stamp(name: &str, at: Timestamp) -> Measure {
    Measure::new(name, at.as_second() as f64, Unit::Seconds)
}

fn critical(measure: Measure, limit: Option<Period>) -> Measure {
    match limit {
        Some(limit) => measure.critical_at(limit.get().as_secs_f64()),
        None => measure,
    }
}

fn damaged(inventory: &Inventory) -> Check {
    let all = inventory.damaged();
    let check = if all.is_empty() {
        Check::pass("damaged", "no set is known to be damaged")
    } else {
        Check::fail("damaged", format!("{} set(s) are damaged", all.len())).hint(
            "take a new backup, look for the cause in the store, then `fh-backup prune --damaged` removes them",
        )
    };
    let count = all.len() as u64;
    let check = all.into_iter().fold(check, Check::evidence);
    inventory
        .doubtful
        .iter()
        .fold(check, |check, why| check.evidence(format!("not believed: {why}")))
        .measure(Measure::count("damaged_sets", count))
}

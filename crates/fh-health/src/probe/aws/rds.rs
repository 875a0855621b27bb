//! A database instance of RDS: its status, storage, backups, and maintenance to come.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use fh_aws::service::cloudwatch::{CloudWatch, Metric};
use fh_aws::service::rds::{self, Pending, Rds, Snapshot};
use fh_core::Result;
use fh_core::config::HealthRds;
use fh_core::render::{bytes, duration};
use fh_core::report::{Check, Measure, Unit};
use jiff::SignedDuration;

use super::Look;
use super::account::{Account, age};
use crate::limits::Limits;
use crate::probe::Planned;

/// States in which the instance works (Amazon RDS User Guide, "Viewing Amazon RDS DB instance status").
const WORKING: [&str; 8] = [
    "available",
    "backing-up",
    "storage-optimization",
    "storage-config-upgrade",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "configuring-activity-stream",
];
/// States that pass, during which it may not answer.
const PASSING: [&str; 11] = [
    "creating",
    "modifying",
    "rebooting",
    "renaming",
    "resetting-master-credentials",
    "starting",
    "upgrading",
    "maintenance",
    "moving-to-vpc",
    "converting-to-vpc",
    "storage-initialization",
];
/// How far back free storage is looked for; CloudWatch is some minutes behind.
const BACK: SignedDuration = SignedDuration::from_mins(30);
const GIB: f64 = (1_u64 << 30) as f64;

/// One instance.
pub(super) struct Instance(pub(super) HealthRds);

#[async_trait]
impl Look for Instance {
    fn plans(&self, id: &str) -> Vec<(Planned, &'static [&'static str])> {
        let plan = |name: &str, about: &str| Planned::new(format!("{id}.{name}"), about);
        vec![
            (
                plan("status", "the instance is available"),
                &["rds:DescribeDBInstances"],
            ),
            (
                plan("storage", "storage that is left").limits(Limits::below(Unit::Percent, 20.0, 10.0)),
                &["rds:DescribeDBInstances", "cloudwatch:GetMetricData"],
            ),
            (
                plan("backup", "the age of the newest automated snapshot").limits(Limits::above(
                    Unit::Seconds,
                    26.0 * 3600.0,
                    50.0 * 3600.0,
                )),
                &["rds:DescribeDBInstances", "rds:DescribeDBSnapshots"],
            ),
            (
                plan("maintenance", "maintenance that AWS will do by itself"),
                &["rds:DescribeDBInstances", "rds:DescribePendingMaintenanceActions"],
            ),
        ]
    }

    async fn look(&self, account: &Account<'_>) -> Vec<Check> {
        let asked = async {
            let rds = Rds::new(&account.config, account.deadline())?;
            let instance = rds.instance(&self.0.instance).await?;
            Ok::<_, fh_core::Error>((rds, instance))
        };
        let (rds, instance) = match asked.await {
            Ok(found) => found,
            Err(error) => {
                let plans = self.plans(account.id).into_iter();
                return plans
                    .map(|(plan, _)| account.failed(plan.id, &error, "rds:DescribeDBInstances"))
                    .collect();
            }
        };
        let (snapshots, pending, free) = futures_util::future::join3(
            rds.automated_snapshots(&instance.id),
            rds.pending(&instance.arn),
            free(account, &instance),
        )
        .await;
        let snapshots = match snapshots {
            Ok(snapshots) => backup(account, &instance, &snapshots),
            Err(error) => account.failed(account.id("backup"), &error, "rds:DescribeDBSnapshots"),
        };
        let pending = match pending {
            Ok(pending) => maintenance(account, &pending),
            Err(error) => account.failed(
                account.id("maintenance"),
                &error,
                "rds:DescribePendingMaintenanceActions",
            ),
        };
        let storage = match free {
            Ok(free) => storage(account, &instance, free),
            Err(error) => account.failed(account.id("storage"), &error, "cloudwatch:GetMetricData"),
        };
        vec![status(account, &instance), storage, snapshots, pending]
    }
}

fn status(account: &Account<'_>, instance: &rds::Instance) -> Check {
    let id = account.id("status");
    let summary = format!("{} ({}) is {}", instance.id, instance.engine, instance.status);
    let check = if WORKING.contains(&instance.status.as_str()) {
        Check::pass(id, summary)
    } else if PASSING.contains(&instance.status.as_str()) {
        Check::warn(id, summary).hint("it may not answer until that is done")
    } else {
        Check::fail(id, summary).hint("see the instance's events in the RDS console")
    };
    let check = check.evidence(if instance.multi_az {
        "there is a standby in another zone"
    } else {
        "there is no standby in another zone"
    });
    if instance.deletion_protection {
        check
    } else {
        check.evidence("deletion protection is off")
    }
}

/// Bytes that are free, by CloudWatch.
async fn free(account: &Account<'_>, instance: &rds::Instance) -> Result<Option<f64>> {
    if instance.cluster.is_some() {
        return Ok(None);
    }
    let watch = CloudWatch::new(&account.config, account.deadline())?;
    let metric = Metric {
        namespace: "AWS/RDS".to_owned(),
        name: "FreeStorageSpace".to_owned(),
        dimensions: BTreeMap::from([("DBInstanceIdentifier".to_owned(), instance.id.clone())]),
        statistic: "Minimum".to_owned(),
        period: Duration::from_mins(1),
    };
    let series = watch.data(&[metric], account.now() - BACK, account.now()).await?;
    Ok(series
        .first()
        .and_then(|series| series.points.first())
        .map(|(_, free)| *free))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are shown with three digits"
)]
fn storage(account: &Account<'_>, instance: &rds::Instance, free: Option<f64>) -> Check {
    let id = account.id("storage");
    if instance.cluster.is_some() {
        return Check::skip(id, "the storage of Aurora grows by itself");
    }
    let Some(free) = free else {
        return Check::unknown(id, "CloudWatch has no FreeStorageSpace of the last half hour")
            .hint("check region and instance; a new instance takes some minutes");
    };
    let all = instance.allocated_gib as f64 * GIB;
    let share = free * 100.0 / all.max(1.0);
    let summary = format!(
        "{} of {} are free ({share:.0} %)",
        bytes(free.max(0.0) as u64),
        bytes(all as u64)
    );
    let check = account
        .judged(id, Measure::percent("left", share), summary)
        .measure(Measure::bytes("free", free.max(0.0) as u64))
        .hint("let it grow by itself (MaxAllocatedStorage), or enlarge it; a full disk stops the database");
    match instance.max_allocated_gib {
        Some(most) if most > instance.allocated_gib => {
            check.evidence(format!("it grows by itself up to {most} GiB"))
        }
        Some(_) => check.evidence("it has reached the size up to which it grows by itself"),
        None => check.evidence("it does not grow by itself"),
    }
}

fn backup(account: &Account<'_>, instance: &rds::Instance, snapshots: &[Snapshot]) -> Check {
    let id = account.id("backup");
    if instance.backup_retention_days == 0 && instance.cluster.is_none() {
        return Check::fail(id, "automated backups are switched off").hint("set the backup retention period");
    }
    if instance.cluster.is_some() && snapshots.is_empty() {
        return Check::skip(
            id,
            "Aurora keeps its backups with the cluster, not with the instance",
        );
    }
    let good = snapshots.iter().filter(|snapshot| snapshot.status == "available");
    let newest = good
        .filter_map(|snapshot| Some((snapshot.created?, snapshot)))
        .max_by_key(|(at, _)| *at);
    let Some((at, newest)) = newest else {
        return Check::fail(id, "there is no automated snapshot")
            .hint("see the instance's events in the RDS console");
    };
    let old = age(account.now(), at);
    let summary = format!(
        "the newest automated snapshot, {}, is {} old",
        newest.id,
        duration(old)
    );
    let check = account
        .judged(id, Measure::duration("age", old), summary)
        .measure(Measure::count("snapshots", snapshots.len() as u64))
        .hint("see the instance's events in the RDS console");
    match instance.latest_restorable {
        Some(at) => {
            let old = age(account.now(), at);
            check
                .evidence(format!("a point-in-time restore can go to {} ago", duration(old)))
                .measure(Measure::duration("restorable_age", old))
        }
        None => check,
    }
}

fn maintenance(account: &Account<'_>, pending: &[Pending]) -> Check {
    let id = account.id("maintenance");
    let dated: Vec<&Pending> = pending
        .iter()
        .filter(|pending| pending.forced.or(pending.auto_applied_after).is_some())
        .collect();
    let check = match (dated.first(), pending.first()) {
        (Some(first), _) => {
            let when = first.forced.or(first.auto_applied_after);
            let when = when.map_or_else(String::new, |at| format!(" in the window after {at}"));
            Check::warn(
                id,
                format!("AWS will do {}{when}: {}", first.action, first.description),
            )
            .hint("do it yourself at a good moment: `aws rds apply-pending-maintenance-action`")
        }
        (None, Some(first)) => Check::pass(
            id,
            format!("{} is on offer, and nothing is done by itself", first.action),
        ),
        (None, None) => Check::pass(id, "no maintenance is pending"),
    };
    pending
        .iter()
        .fold(check, |check, one| {
            check.evidence(format!("{}: {}", one.action, one.description))
        })
        .measure(Measure::count("pending", pending.len() as u64))
}

//! A target group: how many of its targets the load balancer finds healthy, and why the others are not (Elastic Load
//! Balancing User Guide for Application Load Balancers, "Target health status" and "Health check reason codes").

use async_trait::async_trait;
use fh_aws::service::elbv2::{LoadBalancing, Target};
use fh_core::config::HealthTargets;
use fh_core::report::{Check, Measure, Unit};

use super::Look;
use super::account::Account;
use crate::limits::Limits;
use crate::probe::Planned;

/// Targets that are named.
const SHOWN: usize = 8;

/// One target group.
pub(super) struct Targets(pub(super) HealthTargets);

#[async_trait]
impl Look for Targets {
    fn plans(&self, id: &str) -> Vec<(Planned, &'static [&'static str])> {
        let plan = Planned::new(id, "the share of targets that are healthy").limits(Limits::below(
            Unit::Percent,
            99.9,
            50.0,
        ));
        vec![(
            plan,
            &[
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
        )]
    }

    async fn look(&self, account: &Account<'_>) -> Vec<Check> {
        let id = account.id.to_owned();
        let asked = async {
            let balancing = LoadBalancing::new(&account.config, account.deadline())?;
            let group = balancing.target_group(&self.0.target_group).await?;
            let targets = balancing.target_health(&group.arn).await?;
            Ok::<_, fh_core::Error>((group, targets))
        };
        let actions =
            "elasticloadbalancing:DescribeTargetGroups and elasticloadbalancing:DescribeTargetHealth";
        let (group, targets) = match asked.await {
            Ok(found) => found,
            Err(error) => return vec![account.failed(id, &error, actions)],
        };
        let check = health(account, id, &group.name, &targets);
        vec![if group.load_balancers.is_empty() {
            check.evidence("no load balancer sends to this target group")
        } else {
            check
        }]
    }
}

#[expect(clippy::cast_precision_loss, reason = "targets are few")]
fn health(account: &Account<'_>, id: String, name: &str, targets: &[Target]) -> Check {
    // One that is being taken out is no longer counted on.
    let counted: Vec<&Target> = targets
        .iter()
        .filter(|target| target.state != "draining")
        .collect();
    let healthy = counted.iter().filter(|target| target.state == "healthy").count();
    if counted.is_empty() {
        return Check::fail(id, format!("the target group {name} has no target"))
            .measure(Measure::count("targets", 0))
            .hint("does the service run, and is it registered with this target group?");
    }
    let share = healthy as f64 * 100.0 / counted.len() as f64;
    let summary = format!("{healthy} of {} target(s) of {name} are healthy", counted.len());
    let check = account
        .judged(id, Measure::percent("healthy", share), summary)
        .measure(Measure::count("targets", counted.len() as u64))
        .hint("see the reasons; then path, port and answer of the health check, security groups, and the application's log");
    let ill = counted
        .iter()
        .filter(|target| target.state != "healthy")
        .take(SHOWN);
    ill.fold(check, |check, target| {
        check.evidence(format!(
            "{}:{} is {}: {} {}",
            target.id, target.port, target.state, target.reason, target.description
        ))
    })
}

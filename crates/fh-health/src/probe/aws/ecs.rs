//! A service of ECS: whether its tasks run, which deployment won, and why tasks stopped.
//!
//! After the circuit breaker took a deployment back, ECS reports the service as stable and its rollout as completed, with
//! the old revision (Amazon ECS Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"). So the
//! revision that won is compared with the one that should have, and the service's events are read.

use std::time::Duration;

use async_trait::async_trait;
use fh_aws::service::ecs::{self, Deployment, Ecs, Task, Wanted, short};
use fh_core::config::HealthEcs;
use fh_core::render::duration;
use fh_core::report::{Check, Measure, Status, Unit};

use super::Look;
use super::account::{Account, age};
use crate::limits::Limits;
use crate::probe::Planned;

/// Stopped tasks that are shown.
const SHOWN: usize = 5;

/// One service.
pub(super) struct Service(pub(super) HealthEcs);

#[async_trait]
impl Look for Service {
    fn plans(&self, id: &str) -> Vec<(Planned, &'static [&'static str])> {
        let tasks = Planned::new(format!("{id}.tasks"), "the tasks that should run do")
            .limits(Limits::below(Unit::Percent, 99.9, 50.0));
        let deployment = Planned::new(
            format!("{id}.deployment"),
            "the deployment that should have won did",
        )
        .limits(Limits::above(Unit::Seconds, 900.0, 3600.0));
        let mut plans: Vec<(Planned, &'static [&'static str])> = vec![
            (
                tasks,
                &["ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks"],
            ),
            (
                deployment,
                &["ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks"],
            ),
        ];
        if self.0.image_digest.is_some() {
            let image = Planned::new(format!("{id}.image"), "every task runs the expected image");
            plans.push((image, &["ecs:ListTasks", "ecs:DescribeTasks"]));
        }
        plans
    }

    async fn look(&self, account: &Account<'_>) -> Vec<Check> {
        let entry = &self.0;
        let asked = async {
            let ecs = Ecs::new(&account.config, account.deadline())?;
            let service = ecs.service(&entry.cluster, &entry.service).await?;
            Ok::<_, fh_core::Error>((ecs, service))
        };
        let (ecs, service) = match asked.await {
            Ok(found) => found,
            Err(error) => {
                let plans = self.plans(account.id).into_iter();
                return plans
                    .map(|(plan, _)| account.failed(plan.id, &error, "ecs:DescribeServices"))
                    .collect();
            }
        };
        let mut tasks = tasks(account, &service);
        let mut deployment = self.deployment(account, &service);
        if [&tasks, &deployment]
            .iter()
            .any(|check| check.status != Status::Pass)
        {
            let stopped = stopped(account, &ecs, entry).await;
            for line in stopped {
                tasks = tasks.evidence(line.clone());
                deployment = deployment.evidence(line);
            }
        }
        let mut checks = vec![tasks, deployment];
        if let Some(digest) = &entry.image_digest {
            checks.push(image(account, &ecs, entry, digest).await);
        }
        checks
    }
}

#[expect(clippy::cast_precision_loss, reason = "tasks are few")]
fn tasks(account: &Account<'_>, service: &ecs::Service) -> Check {
    let (desired, running) = (service.desired_count, service.running_count);
    let id = account.id("tasks");
    let share = if desired == 0 {
        100.0
    } else {
        running as f64 * 100.0 / desired as f64
    };
    let summary = format!(
        "{running} of {desired} task(s) of {} run, {} are being started",
        service.service_name, service.pending_count
    );
    let mut check = account.judged(id, Measure::percent("running", share), summary);
    if service.status != "ACTIVE" {
        check.status = Status::Fail;
        check.summary = format!("the service {} is {}", service.service_name, service.status);
    } else if desired == 0 && check.status == Status::Pass {
        check.status = Status::Warn;
        check.summary = format!("the service {} is scaled to no task at all", service.service_name);
    }
    check
        .measure(Measure::count("desired", desired))
        .measure(Measure::count("tasks", running))
        .measure(Measure::count("pending", service.pending_count))
        .hint("see why tasks stop, below; then image, memory, secrets, the health check, and free capacity")
}

impl Service {
    fn deployment(&self, account: &Account<'_>, service: &ecs::Service) -> Check {
        let id = account.id("deployment");
        let Some(primary) = service.primary() else {
            return Check::unknown(id, "the service has no deployment of ECS's own")
                .hint("other deployment controllers (CodeDeploy, external) are not understood");
        };
        let since = primary.created_at.map(|at| age(account.now(), at));
        let ago = since.map_or_else(String::new, |since| format!(", begun {} ago", duration(since)));
        let state = primary.rollout_state.as_deref().unwrap_or("of unknown state");
        let revision = short(&primary.task_definition);
        let under_way = if state == "IN_PROGRESS" {
            since.unwrap_or_default()
        } else {
            Duration::ZERO
        };
        let summary = format!("{revision} is primary ({state}){ago}");
        let mut check = account.judged(id, Measure::duration("under_way", under_way), summary);
        let rolled_back = rolled_back(service, primary);
        let verdict = self.unexpected(primary).or_else(|| {
            (state == "FAILED").then(|| {
                let why = primary
                    .rollout_state_reason
                    .as_deref()
                    .unwrap_or("no reason is given");
                format!("the deployment of {revision} failed: {why}")
            })
        });
        if let Some(why) = verdict {
            check.status = Status::Fail;
            check.summary = why;
        } else if rolled_back.is_some() && check.status == Status::Pass {
            check.status = Status::Warn;
            check.summary = format!("the last deployment was rolled back: {revision} runs again ({state})");
        }
        if let Some(why) = &primary.rollout_state_reason {
            check = check.evidence(format!("{}: {why}", primary.id));
        }
        if let Some(event) = rolled_back {
            check = check.evidence(event);
        }
        for other in service.deployments.iter().filter(|other| other.id != primary.id) {
            check = check.evidence(format!(
                "{} of {}: {}, {} of {} task(s), {} failed",
                other.id,
                short(&other.task_definition),
                other.rollout_state.as_deref().unwrap_or(&other.status),
                other.running_count,
                other.desired_count,
                other.failed_tasks
            ));
        }
        match primary.created_at {
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds since 1970 fit a double exactly"
            )]
            Some(at) => check.measure(Measure::new(
                "deployed_timestamp",
                at.as_second() as f64,
                Unit::Seconds,
            )),
            None => check,
        }
        .hint("see why the new tasks did not become healthy, below and in their logs; then deploy again")
    }

    /// What is wrong with the winner, when the configuration expects another.
    fn unexpected(&self, primary: &Deployment) -> Option<String> {
        let revision = short(&primary.task_definition);
        if let Some(wanted) = &self.0.task_definition {
            let family_only = !short(wanted).contains(':');
            let family = revision.split(':').next().unwrap_or(revision);
            let same = short(wanted) == revision || family_only && short(wanted) == family;
            if !same {
                return Some(format!("{revision} won, where {} was expected", short(wanted)));
            }
        }
        match &self.0.deployment {
            Some(wanted) if *wanted != primary.id => Some(format!(
                "the deployment {} of {revision} won, where {wanted} was expected",
                primary.id
            )),
            _ => None,
        }
    }
}

/// The event that says that the primary deployment is one that was gone back to.
fn rolled_back(service: &ecs::Service, primary: &Deployment) -> Option<String> {
    let names = |message: &str| {
        let mut words = message.split(|c: char| c.is_whitespace() || "(),".contains(c));
        words.any(|word| word.trim_end_matches('.') == primary.id)
    };
    let reason = primary.rollout_state_reason.as_deref().unwrap_or_default();
    if reason.contains("rolling back") && names(reason) {
        return Some(reason.to_owned());
    }
    // Newest first: what came after a roll-back of this deployment, such as its completion, names it as well.
    let event = service
        .events
        .iter()
        .find(|event| event.message.contains("rolling back") && names(&event.message));
    event.map(|event| event.message.clone())
}

/// Why the newest tasks stopped, one line each.
async fn stopped(account: &Account<'_>, ecs: &Ecs, entry: &HealthEcs) -> Vec<String> {
    let mut tasks = match ecs.tasks(&entry.cluster, &entry.service, Wanted::Stopped).await {
        Ok(tasks) => tasks,
        Err(error) if fh_aws::denied(&error) => {
            return vec![
                "why tasks stopped is not known: allow ecs:ListTasks and ecs:DescribeTasks".to_owned(),
            ];
        }
        Err(error) => return vec![format!("why tasks stopped is not known: {}", error.message())],
    };
    tasks.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
    tasks
        .iter()
        .take(SHOWN)
        .map(|task| reason(account, task))
        .collect()
}

fn reason(account: &Account<'_>, task: &Task) -> String {
    let ago = task.stopped_at.map_or_else(String::new, |at| {
        format!(" {} ago", duration(age(account.now(), at)))
    });
    let mut line = format!(
        "a task of {} stopped{ago}: {}",
        short(&task.task_definition_arn),
        task.stopped_reason
            .as_deref()
            .or(task.stop_code.as_deref())
            .unwrap_or("no reason is given")
    );
    for container in &task.containers {
        if container.exit_code.is_some_and(|code| code != 0) || container.reason.is_some() {
            let code = container
                .exit_code
                .map_or_else(String::new, |code| format!(" exit code {code}"));
            let why = container
                .reason
                .as_deref()
                .map_or_else(String::new, |why| format!(" {why}"));
            line.push_str(&format!("; {}:{code}{why}", container.name));
        }
    }
    line
}

/// Whether every running task has the image that is expected.
async fn image(account: &Account<'_>, ecs: &Ecs, entry: &HealthEcs, digest: &str) -> Check {
    let id = account.id("image");
    let tasks = match ecs.tasks(&entry.cluster, &entry.service, Wanted::Running).await {
        Ok(tasks) => tasks,
        Err(error) => return account.failed(id, &error, "ecs:ListTasks and ecs:DescribeTasks"),
    };
    let running = tasks.iter().filter(|task| task.last_status == "RUNNING");
    let (mut same, mut other, mut untold) = (0_u64, Vec::new(), 0_u64);
    for task in running {
        let wanted = |name: &str| entry.container.as_deref().is_none_or(|wanted| wanted == name);
        for container in task.containers.iter().filter(|container| wanted(&container.name)) {
            match container.image_digest.as_deref() {
                Some(have) if have == digest => same += 1,
                Some(have) => other.push(format!("{} of {}: {have}", container.name, short(&task.task_arn))),
                None => untold += 1,
            }
        }
    }
    let check = if let Some(first) = other.first() {
        Check::fail(
            id,
            format!(
                "{} container(s) run another image than expected: {first}",
                other.len()
            ),
        )
        .hint(
            "old tasks still run, or another image was deployed; name the container when a task has several",
        )
    } else if same == 0 || untold > 0 {
        Check::unknown(
            id,
            format!("{same} container(s) run the expected image, of {untold} it is not known"),
        )
        .hint("no task runs yet, or the container is named otherwise in the task definition")
    } else {
        Check::pass(id, format!("{same} container(s) run the expected image"))
    };
    other
        .into_iter()
        .take(SHOWN)
        .fold(check, Check::evidence)
        .measure(Measure::count("expected", same))
}

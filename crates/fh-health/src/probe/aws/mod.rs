//! AWS from the outside: what its services say of themselves. A right that is missing is a skip with the IAM action to
//! allow, never a pass.

mod account;
mod alarms;
mod ecs;
mod elasticache;
mod metrics;
mod rds;
mod targets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fh_core::report::Status;
use fh_core::{Check, Context as _, Result};

use self::account::Account;
use super::{Context, Needs, Planned, Probe, Setup};

/// One thing of AWS to look at.
#[async_trait]
trait Look: Send + Sync {
    /// Every check, with what it needs to be allowed.
    fn plans(&self, id: &str) -> Vec<(Planned, &'static [&'static str])>;

    /// Looks.
    async fn look(&self, account: &Account<'_>) -> Vec<Check>;
}

/// The probes of `[health.aws]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let aws = &setup.config().health.aws;
    let mut probes: Vec<Arc<dyn Probe>> = Vec::new();
    for entry in &aws.ecs {
        let id = setup.id("aws.ecs", &entry.name)?;
        if let Some(digest) = &entry.image_digest
            && !digest.starts_with("sha256:")
        {
            return Err(setup
                .wrong(
                    "aws.ecs",
                    &entry.name,
                    format!("{digest:?} is no digest of an image"),
                )
                .hint(
                    "write sha256: and 64 hexadecimal digits, as `docker buildx imagetools inspect` shows it",
                ));
        }
        probes.push(item(id, ecs::Service(entry.clone())));
    }
    for entry in &aws.targets {
        probes.push(item(
            setup.id("aws.targets", &entry.name)?,
            targets::Targets(entry.clone()),
        ));
    }
    for entry in &aws.alarms {
        let id = setup.id("aws.alarms", &entry.name)?;
        if entry.names.is_empty() && entry.prefix.as_deref().unwrap_or_default().is_empty() {
            return Err(setup
                .wrong("aws.alarms", &entry.name, "no alarm is named")
                .hint("give names = [\"…\"] or prefix = \"…\""));
        }
        probes.push(item(id, alarms::Alarms(entry.clone())));
    }
    if !aws.metrics.is_empty() {
        let metrics = metrics::Metrics::new(setup, &aws.metrics)?;
        probes.push(item("aws.metrics".to_owned(), metrics));
    }
    for entry in &aws.rds {
        probes.push(item(
            setup.id("aws.rds", &entry.name)?,
            rds::Instance(entry.clone()),
        ));
    }
    for entry in &aws.elasticache {
        let id = setup.id("aws.elasticache", &entry.name)?;
        if entry.replication_group.is_some() == entry.cluster.is_some() {
            return Err(setup.wrong(
                "aws.elasticache",
                &entry.name,
                "one of replication_group and cluster must be given",
            ));
        }
        probes.push(item(id, elasticache::Cache(entry.clone())));
    }
    Ok(probes)
}

/// A probe of one thing.
struct Item<L> {
    id: String,
    look: L,
}

fn item<L: Look + 'static>(id: String, look: L) -> Arc<dyn Probe> {
    Arc::new(Item { id, look })
}

impl<L: Look> Probe for Item<L> {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        self.look
            .plans(&self.id)
            .into_iter()
            .map(|(planned, _)| planned)
            .collect()
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let looked = super::block_on(async {
            // Each call keeps to the deadline by itself and can say which one was late. This is for the rest, such as
            // credentials that do not come.
            let within = context.deadline.remaining().unwrap_or(Duration::MAX);
            let within = within.saturating_add(Duration::from_millis(100));
            let looked = tokio::time::timeout(within, async {
                let account = Account::open(&self.id, context).await?;
                Ok(self.look.look(&account).await)
            });
            let late = || "AWS did not answer within the deadline";
            looked.await.or_unable(late)?
        });
        let mut checks = looked.unwrap_or_else(|error| {
            let ids = self.checks().into_iter().map(|planned| planned.id);
            ids.map(|id| Check::from_error(id, &error)).collect()
        });
        for check in &mut checks {
            // Nobody needs advice about what is well.
            check.hint = check.hint.take().filter(|_| check.status != Status::Pass);
        }
        checks
    }

    fn needs(&self, check: &str) -> Needs {
        let plans = self.look.plans(&self.id);
        let allowed = plans
            .iter()
            .filter(|(planned, _)| planned.id == check || check == self.id)
            .flat_map(|(_, actions)| actions.iter().map(ToString::to_string));
        let mut needs = Needs::default();
        for action in allowed {
            if !needs.iam.contains(&action) {
                needs.iam.push(action);
            }
        }
        needs
    }
}

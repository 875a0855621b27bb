//! Redis and Valkey, by `PING`, `INFO` and `SLOWLOG` alone: managed services refuse `CONFIG` (Amazon ElastiCache User
//! Guide, "Restricted Redis commands").

mod facts;
mod judge;
mod server;

use std::sync::Arc;

use fh_core::config::HealthRedis;
use fh_core::report::{Status, Unit};
use fh_core::{Check, Result};

use self::server::Answers;
use super::{Context, Needs, Planned, Probe, Setup};
use crate::limits::Limits;

/// End of the id of the check that all others depend on.
const PING: &str = "ping";

/// A check: end of its id, what it looks at, built-in thresholds.
type Plan = (&'static str, &'static str, Option<Limits>);

/// Every check but the first.
const PLANS: [Plan; 8] = [
    (
        "memory",
        "memory in use, of maxmemory",
        Some(Limits::above(Unit::Percent, 80.0, 95.0)),
    ),
    (
        "clients",
        "connections in use, of maxclients",
        Some(Limits::above(Unit::Percent, 80.0, 95.0)),
    ),
    (
        "rejected",
        "connections that were rejected, since the last run",
        Some(Limits::above(Unit::Count, 1.0, 100.0)),
    ),
    (
        "evictions",
        "keys that were evicted, since the last run",
        Some(Limits::above(Unit::PerSecond, 10.0, 0.0).only_warn()),
    ),
    (
        "misses",
        "look-ups that found nothing, since the last run",
        Some(Limits::above(Unit::Percent, 80.0, 0.0).only_warn()),
    ),
    (
        "replication",
        "how late this replica is, or the replicas of this server are",
        Some(Limits::above(Unit::Seconds, 30.0, 60.0)),
    ),
    ("persistence", "whether the last writes to disk succeeded", None),
    (
        "slowlog",
        "commands that were slow, since the last run",
        Some(Limits::above(Unit::Count, 10.0, 0.0).only_warn()),
    ),
];

/// The probes of `[[health.redis]]`, or of `redis.url` when there are none.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let config = setup.config();
    let mut entries = config.health.redis.clone();
    if entries.is_empty() && config.redis.url.is_some() {
        entries.push(HealthRedis::of_the_environment());
    }
    entries
        .into_iter()
        .map(|entry| -> Result<Arc<dyn Probe>> {
            let id = setup.id("redis", &entry.name)?;
            if entry.url.is_none() && config.redis.url.is_none() {
                return Err(setup
                    .wrong("redis", &entry.name, "there is no connection URL")
                    .hint("give url, or set REDIS_URL"));
            }
            Ok(Arc::new(Cache { id, entry }))
        })
        .collect()
}

/// One server.
struct Cache {
    id: String,
    entry: HealthRedis,
}

impl Probe for Cache {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let ping = Planned::new(self.id(PING), "the server answers, in what time").limits(Limits::above(
            Unit::Seconds,
            0.5,
            2.0,
        ));
        let others = PLANS.iter().map(|(name, about, limits)| {
            let planned = Planned::new(self.id(name), *about);
            match limits {
                Some(limits) => planned.limits(*limits),
                None => planned,
            }
        });
        std::iter::once(ping).chain(others).collect()
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let answers = match server::ask(&self.entry, context) {
            Ok(answers) => answers,
            Err(refused) => return self.none(refused.check(self.id(PING))),
        };
        let summary = format!(
            "{} answers within {}",
            answers.facts.version(),
            fh_core::render::duration(answers.ping)
        );
        let ping = fh_core::Measure::duration("ping", answers.ping);
        let mut checks = vec![context.judge(self.id(PING), ping, summary)];
        checks.extend(self.judged(context, &answers));
        checks
    }

    fn needs(&self, _: &str) -> Needs {
        Needs::default()
            .other("commands: PING, INFO, SLOWLOG LEN, SLOWLOG GET")
            .other("for a user of its own: ACL SETUSER fh-health on >PASSWORD +ping +info +slowlog|len +slowlog|get")
    }
}

impl Cache {
    fn id(&self, name: &str) -> String {
        format!("{}.{name}", self.id)
    }

    fn judged(&self, context: &Context, answers: &Answers) -> Vec<Check> {
        let judge = judge::Judge {
            id: &self.id,
            entry: &self.entry,
            facts: &answers.facts,
            context,
        };
        let checks = vec![
            judge.memory(),
            judge.clients(),
            judge.rejected(),
            judge.evictions(),
            judge.misses(),
            judge.replication(),
            judge.persistence(),
            judge.slow(&answers.slow),
        ];
        let ping = self.id(PING);
        let finished = checks.into_iter().map(|mut check| {
            // Nobody needs advice about what is well.
            check.hint = check.hint.filter(|_| check.status != Status::Pass);
            check.depends_on(ping.as_str())
        });
        finished.collect()
    }

    /// The reason, and every other check as one that hangs on it.
    fn none(&self, reason: Check) -> Vec<Check> {
        let ping = self.id(PING);
        let others = PLANS.iter().map(|(name, _, _)| {
            Check::unknown(self.id(name), "there is no connection to ask over").depends_on(ping.as_str())
        });
        std::iter::once(reason).chain(others).collect()
    }
}

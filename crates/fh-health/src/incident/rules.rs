//! The rules. Each joins facts of different families, because one of them alone is only a symptom.

use super::facts::{Clue, Facts};

/// A likely cause.
pub(super) struct Rule {
    pub(super) title: &'static str,
    /// The chapter of the runbook: the anchor of its heading.
    pub(super) chapter: &'static str,
    /// What speaks for it; `None` when it is not likely.
    pub(super) look: fn(&Facts<'_>) -> Option<Vec<Clue>>,
}

const WEB: &[&str] = &["http.*", "*targets.*"];
const DEPLOYMENT: &[&str] = &["*ecs.*"];
const CONNECTIONS: &[&str] = &["postgres.*.connections", "postgres.*.connect", "postgres.*"];
const IDLE: &[&str] = &["postgres.*.idle_in_transaction", "postgres.*.transactions"];

pub(super) const RULES: [Rule; 10] = [
    Rule {
        title: "the database has no connections left",
        chapter: "the-database-has-no-connections-left",
        look: connections,
    },
    Rule {
        title: "the last deployment broke it",
        chapter: "the-last-deployment-broke-it",
        look: deployment,
    },
    Rule {
        title: "queries wait for a lock",
        chapter: "queries-wait-for-a-lock",
        look: |facts| {
            joined([
                facts.bad(&["postgres.*.locks"]),
                [
                    facts.bad(WEB),
                    facts.bad(IDLE),
                    facts.bad(&["postgres.*.connections"]),
                ]
                .concat(),
            ])
        },
    },
    Rule {
        title: "a disk is full",
        chapter: "a-disk-is-full",
        look: |facts| {
            let full = facts.bad(&["host.disk.*", "host.inodes.*", "*rds.*storage*"]);
            let victims = facts.bad(&[
                "postgres.*.archiver",
                "postgres.*.slots",
                "postgres.*",
                "redis.*",
                "http.*",
            ]);
            joined([full, victims])
        },
    },
    Rule {
        title: "a replication slot that nobody reads keeps the write-ahead log",
        chapter: "a-disk-is-full",
        look: |facts| {
            joined([
                facts.bad(&["postgres.*.slots"]),
                facts.bad(&["host.disk.*", "*rds.*storage*", "postgres.*.growth*"]),
            ])
        },
    },
    Rule {
        title: "Redis is out of memory",
        chapter: "redis-is-out-of-memory",
        look: |facts| {
            joined([
                facts.bad(&["redis.*.memory", "redis.*.evictions"]),
                [
                    facts.bad(&["redis.*.misses", "redis.*.rejected"]),
                    facts.bad(WEB),
                    facts.bad(&["postgres.*"]),
                ]
                .concat(),
            ])
        },
    },
    Rule {
        title: "a certificate ended, or is not the right one",
        chapter: "a-certificate-ended",
        look: |facts| {
            let bad = facts.failing(&["tls.*", "http.*.certificate"]);
            joined([bad, facts.saying(&["http.*"], &["certificate"])])
        },
    },
    Rule {
        title: "names cannot be resolved",
        chapter: "names-cannot-be-resolved",
        look: |facts| {
            let lookups = facts.saying(
                &["http.*", "tcp.*", "tls.*", "postgres.*", "redis.*"],
                &["cannot look up", "name lookup", "name resolution"],
            );
            let several = if lookups.len() > 1 {
                lookups.clone()
            } else {
                Vec::new()
            };
            joined([lookups, [facts.bad(&["dns.*"]), several].concat()])
        },
    },
    Rule {
        title: "this machine is short of memory or CPU",
        chapter: "the-machine-is-short-of-memory-or-cpu",
        look: |facts| {
            let short = facts.bad(&["host.memory*", "host.oom_kills", "host.cpu_*"]);
            joined([
                short,
                [
                    facts.bad(&["http.*"]),
                    facts.bad(&["postgres.*"]),
                    facts.bad(&["redis.*"]),
                ]
                .concat(),
            ])
        },
    },
    Rule {
        title: "servers behind the load balancer are down",
        chapter: "servers-behind-the-load-balancer-are-down",
        look: |facts| {
            let some = facts.all(&["http.*"]).filter(|check| {
                let bad = check
                    .measures
                    .iter()
                    .find(|measure| measure.name == "addresses_bad");
                bad.is_some_and(|measure| measure.value > 0.0)
            });
            let partly: Vec<Clue> = some
                .map(|check| Clue {
                    weight: 2,
                    text: format!("{}: {}", check.id, check.summary),
                })
                .collect();
            let gateway = facts.saying(&["http.*"], &["answers 502", "answers 503", "answers 504"]);
            joined([
                [partly, gateway].concat(),
                facts.bad(&["*targets.*", "*ecs.*", "host.*"]),
            ])
        },
    },
];

/// Something must speak for each part; then all of it counts, each piece once.
fn joined<const N: usize>(parts: [Vec<Clue>; N]) -> Option<Vec<Clue>> {
    if parts.iter().any(Vec::is_empty) {
        return None;
    }
    let mut all: Vec<Clue> = Vec::new();
    for clue in parts.into_iter().flatten() {
        if !all.contains(&clue) {
            all.push(clue);
        }
    }
    Some(all)
}

/// The server says so itself, or it is nearly full while the application suffers or transactions idle.
fn connections(facts: &Facts<'_>) -> Option<Vec<Clue>> {
    let said = facts.saying(
        CONNECTIONS,
        &[
            "too many clients",
            "remaining connection slots",
            "too many connections",
        ],
    );
    let full = facts.bad(&["postgres.*.connections"]);
    if !said.is_empty() {
        return joined([[said, full, facts.bad(IDLE), facts.bad(WEB)].concat()]);
    }
    let mut all = joined([full, [facts.bad(IDLE), facts.failing(WEB)].concat()])?;
    // A deployment that began shortly before is where to look first.
    all.extend(young_deployment(facts));
    Some(all)
}

fn deployment(facts: &Facts<'_>) -> Option<Vec<Clue>> {
    let broken = facts.bad(DEPLOYMENT);
    let young: Vec<Clue> = young_deployment(facts).into_iter().collect();
    joined([[broken, young].concat(), facts.failing(WEB)])
}

/// Seconds after which a deployment is no longer the first suspect.
const YOUNG: f64 = 1800.0;

fn young_deployment(facts: &Facts<'_>) -> Option<Clue> {
    let (at, check) = facts.largest(DEPLOYMENT, "deployed_timestamp")?;
    let age = facts.seconds() - at;
    (0.0..YOUNG).contains(&age).then(|| Clue {
        weight: 2,
        text: format!("{}: deployed {:.0} minutes ago", check.id, age / 60.0),
    })
}

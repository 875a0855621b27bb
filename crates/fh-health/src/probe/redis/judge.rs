//! From what a server says to checks.

use fh_core::Error;
use fh_core::config::HealthRedis;
use fh_core::render::{bytes, duration, grouped};
use fh_core::report::{Check, Measure, Status, Unit};

use super::facts::Facts;
use super::server::Slow;
use crate::probe::Context;
use crate::samples::Growth;

/// Look-ups that make a share of misses worth a word.
const ENOUGH: f64 = 1000.0;

/// One server's facts, and what they are judged by.
pub(super) struct Judge<'a> {
    pub(super) id: &'a str,
    pub(super) entry: &'a HealthRedis,
    pub(super) facts: &'a Facts,
    pub(super) context: &'a Context,
}

impl Judge<'_> {
    fn id(&self, name: &str) -> String {
        format!("{}.{name}", self.id)
    }

    fn judged(&self, name: &str, measure: Measure, summary: String) -> Check {
        self.context.judge(self.id(name), measure, summary)
    }

    /// How much counters grew since the run before, all over the same time; a skip that says why when that is not known.
    fn grown<const N: usize>(&self, name: &str, counters: [&str; N]) -> Result<[Growth; N], Box<Check>> {
        let mut grown = Vec::with_capacity(N);
        let mut reset = false;
        for counter in counters {
            let Some(value) = self.facts.number(counter) else {
                return Err(Box::new(Check::unknown(
                    self.id(name),
                    format!("the server does not tell {counter}"),
                )));
            };
            let (key, now) = (self.id(&format!("{name}.{counter}")), self.context.now);
            grown.push(self.context.before.change(&key, value, now));
            reset |= grown
                .last()
                .is_some_and(|it| it.is_some_and(|it| it.amount < 0.0));
            self.context.after.count(key, value, now);
        }
        let known: Vec<Growth> = grown.into_iter().flatten().collect();
        match <[Growth; N]>::try_from(known) {
            Ok(known) if !reset => Ok(known),
            _ => Err(Box::new(Check::skip(
                self.id(name),
                if reset {
                    "the server's counters were set back since the last run; the next run can tell"
                } else {
                    "this is the first run that sees this; the next one can tell what changed"
                },
            ))),
        }
    }

    /// A cache that evicts is full by design: only one that would refuse writes is near its end.
    pub(super) fn memory(&self) -> Check {
        let number = |name| self.facts.number(name);
        let Some(used) = number("used_memory") else {
            return Check::unknown(
                self.id("memory"),
                "the server does not tell how much memory it uses",
            );
        };
        let policy = self.facts.text("maxmemory_policy").unwrap_or("unknown");
        let limit = number("maxmemory").filter(|limit| *limit > 0.0);
        let (limit, of) =
            match (limit, number("total_system_memory").filter(|all| *all > 0.0)) {
                (Some(limit), _) => (limit, "maxmemory"),
                (None, Some(all)) => (all, "the host's memory, because maxmemory is not set"),
                (None, None) => {
                    let summary = format!("{} are in use, and there is no maxmemory", bytes(whole(used)));
                    return Check::skip(self.id("memory"), summary)
                    .measure(Measure::bytes("used_bytes", whole(used)))
                    .hint("set maxmemory and maxmemory-policy, so that the server cannot take the host down");
                }
            };
        let share = used * 100.0 / limit;
        let summary = format!(
            "{} are in use, {share:.0} % of {of}; policy {policy}",
            bytes(whole(used))
        );
        let measure = Measure::percent("used", share);
        let evicts = policy.starts_with("allkeys-") && of == "maxmemory";
        let check = if evicts {
            Check::pass(self.id("memory"), summary).measure(measure)
        } else {
            self.judged("memory", measure, summary)
        };
        let check = match number("mem_fragmentation_ratio") {
            Some(ratio) => check.measure(Measure::new("fragmentation", ratio, Unit::Ratio)),
            None => check,
        };
        check.measure(Measure::bytes("used_bytes", whole(used))).hint(
            "with noeviction, writes fail when it is full: give it more memory, let keys expire, or choose another policy",
        )
    }

    pub(super) fn clients(&self) -> Check {
        let id = self.id("clients");
        match (
            self.facts.number("connected_clients"),
            self.facts.number("maxclients"),
        ) {
            (Some(clients), Some(most)) if most > 0.0 => {
                let share = clients * 100.0 / most;
                let summary = format!("{clients:.0} of {most:.0} connections are in use ({share:.0} %)");
                self.judged("clients", Measure::percent("used", share), summary)
                    .measure(Measure::count("connections", whole(clients)))
                    .hint("find who holds them with CLIENT LIST; smaller pools, or a larger maxclients")
            }
            (Some(clients), _) => {
                Check::skip(id, format!("{clients:.0} connections; the server tells no limit"))
            }
            _ => Check::unknown(id, "the server does not tell how many clients it has"),
        }
    }

    pub(super) fn rejected(&self) -> Check {
        let [growth] = match self.grown("rejected", ["rejected_connections"]) {
            Ok(grown) => grown,
            Err(check) => return *check,
        };
        let summary = format!(
            "{:.0} connection(s) were rejected within {}",
            growth.amount,
            duration(growth.over)
        );
        self.judged(
            "rejected",
            Measure::count("rejected", whole(growth.amount)),
            summary,
        )
        .hint("maxclients was reached: see the check of the clients")
    }

    pub(super) fn evictions(&self) -> Check {
        let [growth] = match self.grown("evictions", ["evicted_keys"]) {
            Ok(grown) => grown,
            Err(check) => return *check,
        };
        let count = grouped(whole(growth.amount));
        let summary = format!("{count} key(s) were evicted within {}", duration(growth.over));
        self.judged(
            "evictions",
            Measure::new("rate", growth.per_second(), Unit::PerSecond),
            summary,
        )
        .measure(Measure::count("evicted", whole(growth.amount)))
        .hint("the working set does not fit: give it more memory, or shorter times to live")
    }

    pub(super) fn misses(&self) -> Check {
        let [hits, misses] = match self.grown("misses", ["keyspace_hits", "keyspace_misses"]) {
            Ok(grown) => grown,
            Err(check) => return *check,
        };
        let all = hits.amount + misses.amount;
        if all < ENOUGH {
            let why = format!(
                "only {all:.0} key(s) were looked up within {}: too few to judge",
                duration(hits.over)
            );
            return Check::skip(self.id("misses"), why);
        }
        let share = misses.amount * 100.0 / all;
        let summary = format!(
            "{share:.1} % of {} look-ups found nothing within {}",
            grouped(whole(all)),
            duration(hits.over)
        );
        self.judged("misses", Measure::percent("misses", share), summary)
            .hint("keys expire or are evicted before they are used, or the application asks for what it never stored")
    }

    pub(super) fn replication(&self) -> Check {
        let id = self.id("replication");
        match self.facts.text("role") {
            Some("slave") => self.replica(),
            Some("master") => self.primary(),
            _ => Check::unknown(id, "the server does not tell its role"),
        }
    }

    fn replica(&self) -> Check {
        let primary = format!(
            "{}:{}",
            self.facts.text("master_host").unwrap_or("?"),
            self.facts.text("master_port").unwrap_or("?")
        );
        if self.facts.text("master_link_status") != Some("up") {
            let syncing = self.facts.text("master_sync_in_progress") == Some("1");
            let doing = if syncing {
                ", a first copy is under way"
            } else {
                ""
            };
            let down = self
                .facts
                .number("master_link_down_since_seconds")
                .filter(|down| *down >= 0.0);
            let since = down.map_or_else(String::new, |down| format!(" for {down:.0} s"));
            let check = Check::fail(
                self.id("replication"),
                format!("the link to the primary {primary} is down{since}{doing}"),
            );
            return check
                .hint("this replica gives old data: look at the primary, the network and masterauth");
        }
        let lag = self
            .facts
            .number("master_last_io_seconds_ago")
            .unwrap_or(f64::NAN);
        let summary = format!("this replica heard from its primary {primary} {lag:.0} s ago");
        self.judged("replication", Measure::new("lag", lag, Unit::Seconds), summary)
            .hint("look at the primary, the network and the load of this replica")
    }

    fn primary(&self) -> Check {
        let replicas = self.facts.replicas();
        let online = replicas
            .iter()
            .filter(|replica| replica.state == "online")
            .count();
        let key = self.id("replication.replicas");
        let before = self.context.before.get(&key).map(|sample| whole(sample.value));
        #[expect(clippy::cast_precision_loss, reason = "replicas are few")]
        self.context.after.count(key, online as f64, self.context.now);
        let online = online as u64;
        let wanted = self.entry.replicas;
        let lost = before.filter(|before| *before > online);
        if replicas.is_empty() && wanted.unwrap_or_default() == 0 && lost.is_none() {
            let why = "no replica is connected, and the configuration expects none (replicas)";
            return Check::skip(self.id("replication"), why);
        }
        let lag = replicas
            .iter()
            .filter_map(|replica| replica.lag)
            .fold(0.0, f64::max);
        let summary = format!("{online} replica(s) are online, the last one was heard of {lag:.0} s ago");
        let mut check = self.judged("replication", Measure::new("lag", lag, Unit::Seconds), summary);
        if wanted.is_some_and(|wanted| online < wanted) {
            check.status = Status::Fail;
            check.summary = format!(
                "{online} replica(s) are online, and the configuration expects {}",
                wanted.unwrap_or_default()
            );
        } else if check.status == Status::Pass && (lost.is_some() || online < replicas.len() as u64) {
            check.status = Status::Warn;
            if let Some(before) = lost {
                check.summary =
                    format!("{online} replica(s) are online; at the last run there were {before}");
            }
        }
        let check = replicas.iter().fold(check, |check, replica| {
            let lag = replica
                .lag
                .map_or_else(|| "never heard of".to_owned(), |lag| format!("{lag:.0} s ago"));
            check.evidence(format!("{}: {}, {lag}", replica.place, replica.state))
        });
        check
            .measure(Measure::count("replicas", online))
            .hint("look at the replica's log, its memory and the network; client-output-buffer-limit ends slow ones")
    }

    pub(super) fn persistence(&self) -> Check {
        let id = self.id("persistence");
        let bad: Vec<&str> = [
            "rdb_last_bgsave_status",
            "aof_last_bgrewrite_status",
            "aof_last_write_status",
        ]
        .into_iter()
        .filter(|name| self.facts.text(name).is_some_and(|status| status != "ok"))
        .collect();
        if self.facts.text("rdb_last_bgsave_status").is_none() {
            return Check::skip(id, "the server says nothing about writing to disk");
        }
        if bad.is_empty() {
            return Check::pass(id, "the last writes to disk succeeded, as far as there were any");
        }
        Check::fail(id, format!("writing to disk failed: {}", bad.join(", "))).hint(
            "look into the server's log and at its disk; with stop-writes-on-bgsave-error it refuses writes",
        )
    }

    pub(super) fn slow(&self, slow: &Result<Slow, Error>) -> Check {
        let id = self.id("slowlog");
        let slow = match slow {
            Ok(slow) => slow,
            Err(error) => {
                let check = Check::skip(id, error.message());
                let check = error.causes().into_iter().fold(check, Check::evidence);
                return check.hint("allow it: ACL SETUSER NAME +slowlog|len +slowlog|get");
            }
        };
        // Numbers count from 0, and begin again with the server.
        #[expect(clippy::cast_precision_loss, reason = "slow commands are few")]
        let total = slow.newest.map_or(0.0, |newest| newest as f64 + 1.0);
        let (key, now) = (self.id("slowlog.total"), self.context.now);
        let grown = self.context.before.growth(&key, total, now);
        self.context.after.count(key, total, now);
        let length = Measure::count("kept", slow.length);
        let Some(growth) = grown else {
            let kept = grouped(slow.length);
            let why = format!("{kept} slow command(s) are kept; the next run can tell which are new");
            return Check::skip(id, why).measure(length);
        };
        let summary = format!(
            "{:.0} command(s) were slow within {}",
            growth.amount,
            duration(growth.over)
        );
        self.judged("slowlog", Measure::count("slow", whole(growth.amount)), summary)
            .measure(length)
            .hint("SLOWLOG GET shows them: KEYS, large ranges, or values that are too large")
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count or size that the server gave"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

//! Memory: what is used of the limit, waiting for memory, and processes that were killed for it.

use fh_core::Check;
use fh_core::render::bytes;
use fh_core::report::{Measure, Unit};

use super::cgroup::{Cgroup, entry};
use super::disk::{advise, percent};
use super::{Places, pressure};
use crate::limits::Limits;
use crate::probe::{Context, Planned};

const USED: &str = "host.memory";
const PRESSURE: &str = "host.memory_pressure";
const KILLED: &str = "host.oom_kills";

pub(super) fn planned() -> Vec<Planned> {
    vec![
        Planned::new(USED, "memory used, of the container's limit where there is one").limits(Limits::above(
            Unit::Percent,
            90.0,
            97.0,
        )),
        Planned::new(
            PRESSURE,
            "share of the last minute in which all work waited for memory",
        )
        .limits(Limits::above(Unit::Percent, 5.0, 20.0)),
        Planned::new(KILLED, "processes killed for want of memory since the run before")
            .limits(Limits::above(Unit::Count, 1.0, 1.0)),
    ]
}

pub(super) fn checks(places: &Places, cgroup: &Cgroup, context: &Context) -> Vec<Check> {
    vec![
        used(places, cgroup, context),
        pressure::check(PRESSURE, "memory", "full", places, cgroup, context),
        killed(places, cgroup, context),
    ]
}

fn used(places: &Places, cgroup: &Cgroup, context: &Context) -> Check {
    let hint = "find the largest processes (ps -eo rss,cmd --sort=-rss | head), and give more memory or run fewer workers";
    if let Some((group, limit)) = cgroup.memory_limit()
        && let Some(current) = group.number("memory.current")
    {
        // Pages of files that nobody used lately are given back at once.
        let cache = group.entry("memory.stat", "inactive_file").unwrap_or_default();
        let used = current.saturating_sub(cache);
        let share = percent(used, limit);
        let summary = format!(
            "{} of the limit of {} used ({share:.0} %)",
            bytes(used),
            bytes(limit)
        );
        let check = context.judge(USED, Measure::percent("used", share), summary);
        return advise(check, hint).measure(Measure::bytes("limit", limit));
    }
    let text = std::fs::read_to_string(places.proc.join("meminfo")).unwrap_or_default();
    let kib = |name: &str| entry(&text, name).map(|kib| kib.saturating_mul(1024));
    let (Some(total), Some(available)) = (kib("MemTotal"), kib("MemAvailable")) else {
        return Check::unknown(USED, "this system tells neither a limit nor /proc/meminfo");
    };
    let used = total.saturating_sub(available);
    let share = percent(used, total);
    let summary = format!("{} of {} used ({share:.0} %)", bytes(used), bytes(total));
    let check = context.judge(USED, Measure::percent("used", share), summary);
    advise(check, hint).measure(Measure::bytes("total", total))
}

/// Of our group where it counts them (`memory.events`), else of the host (`/proc/vmstat`).
fn killed(places: &Places, cgroup: &Cgroup, context: &Context) -> Check {
    let events = cgroup.read("memory.events");
    let own = events.and_then(|text| entry(&text, "oom_kill"));
    let host = || {
        entry(
            &std::fs::read_to_string(places.proc.join("vmstat")).ok()?,
            "oom_kill",
        )
    };
    let Some(count) = own.or_else(host) else {
        return Check::skip(KILLED, "this kernel does not count them");
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of processes is far below 2^53"
    )]
    let count = count as f64;
    context.after.count(KILLED, count, context.now);
    let Some(growth) = context.before.growth(KILLED, count, context.now) else {
        return Check::skip(
            KILLED,
            "the next run can tell: this one has nothing to compare with",
        );
    };
    let summary = match growth.amount {
        none if none < 1.0 => "none were killed since the run before".to_owned(),
        some => format!("{some:.0} processes were killed for want of memory since the run before"),
    };
    let check = context.judge(
        KILLED,
        Measure::new("killed", growth.amount, Unit::Count),
        summary,
    );
    advise(
        check,
        "see which ones (dmesg | grep -i 'killed process'), and give more memory",
    )
}

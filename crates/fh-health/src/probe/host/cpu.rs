//! CPU: waiting for it, and being held back by the container's limit.

use fh_core::Check;
use fh_core::report::{Measure, Unit};

use super::cgroup::{Cgroup, entry};
use super::disk::{advise, percent};
use super::{Places, pressure};
use crate::limits::Limits;
use crate::probe::{Context, Planned};

const PRESSURE: &str = "host.cpu_pressure";
const THROTTLED: &str = "host.cpu_throttled";

pub(super) fn planned() -> Vec<Planned> {
    vec![
        Planned::new(PRESSURE, "share of the last minute in which some work waited for a CPU")
            .limits(Limits::above(Unit::Percent, 70.0, 100.0).only_warn()),
        Planned::new(
            THROTTLED,
            "share of the scheduler's periods since the run before in which the container's CPU limit held it back",
        )
        .limits(Limits::above(Unit::Percent, 25.0, 75.0)),
    ]
}

pub(super) fn checks(places: &Places, cgroup: &Cgroup, context: &Context) -> Vec<Check> {
    vec![
        pressure::check(PRESSURE, "cpu", "some", places, cgroup, context),
        throttled(cgroup, context),
    ]
}

fn throttled(cgroup: &Cgroup, context: &Context) -> Check {
    let text = cgroup.read("cpu.stat").unwrap_or_default();
    let (Some(periods), Some(held)) = (entry(&text, "nr_periods"), entry(&text, "nr_throttled")) else {
        return Check::skip(THROTTLED, "there is no CPU limit here");
    };
    // A group without a limit counts no periods.
    if periods == 0 {
        return Check::skip(THROTTLED, "there is no CPU limit here");
    }
    let key = |name: &str| format!("{THROTTLED}.{name}");
    let mut grown = [0.0; 2];
    let mut known = true;
    for (slot, (name, value)) in grown.iter_mut().zip([("periods", periods), ("throttled", held)]) {
        #[expect(clippy::cast_precision_loss, reason = "a share need not be exact beyond 2^53")]
        let value = value as f64;
        context.after.count(key(name), value, context.now);
        match context.before.growth(&key(name), value, context.now) {
            Some(growth) => *slot = growth.amount,
            None => known = false,
        }
    }
    if !known {
        return Check::skip(
            THROTTLED,
            "the next run can tell: this one has nothing to compare with",
        );
    }
    let [periods, held] = grown;
    if periods < 1.0 {
        return Check::skip(THROTTLED, "no time has passed since the run before");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "differences of counters, checked to be positive"
    )]
    let share = percent(held as u64, periods as u64);
    let summary = format!("held back in {share:.0} % of the periods since the run before");
    let check = context.judge(
        THROTTLED,
        Measure::new("throttled", share, Unit::Percent),
        summary,
    );
    advise(check, "raise the container's CPU limit, or run fewer workers")
}

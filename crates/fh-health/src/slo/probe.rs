//! Objectives as checks, from what the rounds before left in the log.

use std::sync::Arc;

use fh_core::config::{HealthSlo, SloSource};
use fh_core::render::{duration, grouped};
use fh_core::report::{Measure, Unit};
use fh_core::{Check, Result};

use super::{Burn, Log, Standing, standing};
use crate::limits::Limits;
use crate::probe::{Context, Needs, Planned, Probe, Setup};

/// The probes of `[[health.slo]]`.
pub(crate) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthSlo| -> Result<Arc<dyn Probe>> {
        let id = setup.id("slo", &entry.name)?;
        let wrong = |why: &str, hint: &str| setup.wrong("slo", &entry.name, why).hint(hint);
        let SloSource::Checks = entry.source;
        let Some(check) = entry.check.clone() else {
            return Err(wrong(
                "it names no check",
                "say which web check gives the events, such as check = \"http.api\"",
            ));
        };
        let known = setup
            .config()
            .health
            .http
            .iter()
            .any(|http| format!("http.{}", http.name) == check);
        if !known {
            return Err(wrong(
                &format!("there is no web check `{check}`"),
                "`check` names an entry of [[health.http]], such as \"http.api\"",
            ));
        }
        if !(entry.availability > 0.0 && entry.availability < 100.0) {
            return Err(wrong(
                "availability must be above 0 and below 100",
                "such as availability = 99.9; 100 leaves no budget to burn",
            ));
        }
        if entry.window.get().as_secs() < 3600 {
            return Err(wrong(
                "the window is shorter than an hour",
                "such as window = \"30d\"",
            ));
        }
        Ok(Arc::new(Objective {
            id,
            check,
            entry: entry.clone(),
        }))
    };
    setup.config().health.slo.iter().map(make).collect()
}

struct Objective {
    id: String,
    check: String,
    entry: HealthSlo,
}

impl Probe for Objective {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let HealthSlo {
            availability, window, ..
        } = &self.entry;
        let mut planned = vec![
            Planned::new(
                self.below("budget"),
                format!(
                    "error budget left of {availability} % in {window}, by {}",
                    self.check
                ),
            )
            .limits(Limits::below(Unit::Percent, 25.0, 0.0)),
            Planned::new(
                self.below("burn"),
                "how fast the error budget burns, in four pairs of windows",
            ),
        ];
        for (name, limit) in self.latencies() {
            planned.push(Planned::new(
                self.below(name),
                format!("{name} of the answer times of {} is below {limit}", self.check),
            ));
        }
        planned
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let Some(path) = &context.samples else {
            let ids = self.checks().into_iter();
            let why = "there is no memory between runs, so there are no events";
            return ids
                .map(|check| {
                    Check::unknown(check.id, why).hint("run without --stateless, with a state folder")
                })
                .collect();
        };
        let events = match Log::at(path.clone()).events(&self.check) {
            Ok(events) => events,
            Err(error) => return vec![Check::from_error(&self.id, &error)],
        };
        let HealthSlo {
            availability,
            window,
            min_events,
            ..
        } = &self.entry;
        let found = standing(
            &events,
            availability / 100.0,
            window.get(),
            *min_events,
            context.now,
        );
        let mut checks = vec![self.budget(&found, context), self.burn(&found)];
        checks.extend(self.latency(&found));
        checks
    }

    fn needs(&self, _: &str) -> Needs {
        Needs::default().other("reads the log of samples that `fh-health check` leaves in the state folder")
    }
}

impl Objective {
    fn below(&self, name: &str) -> String {
        format!("{}.{name}", self.id)
    }

    fn latencies(&self) -> impl Iterator<Item = (&'static str, fh_core::duration::Period)> {
        let wanted = self.entry.latency;
        let all = [("p50", wanted.p50), ("p95", wanted.p95), ("p99", wanted.p99)];
        all.into_iter().filter_map(|(name, limit)| Some((name, limit?)))
    }

    fn too_few(&self, found: &Standing) -> String {
        match found.tally.events {
            0 => format!("no event in {} yet", self.entry.window),
            some => format!(
                "only {some} events in {}, and {} are needed",
                self.entry.window, self.entry.min_events
            ),
        }
    }

    fn budget(&self, found: &Standing, context: &Context) -> Check {
        let id = self.below("budget");
        let counted = |check: Check| {
            check
                .measure(Measure::count("events", found.tally.events))
                .measure(Measure::count("bad_events", found.tally.bad))
        };
        let Some(left) = found.budget_left else {
            return counted(
                Check::unknown(id, self.too_few(found)).hint("events come with each `fh-health check`"),
            );
        };
        let good = 100.0 - found.tally.bad_share().unwrap_or_default() * 100.0;
        let summary = format!(
            "{:.0} % of the error budget left: {good:.3} % of {} events good, {} % wanted",
            left * 100.0,
            grouped(found.tally.events),
            self.entry.availability
        );
        let check = context.judge(id, Measure::percent("left", left * 100.0), summary);
        let check = if check.status == fh_core::Status::Pass {
            check
        } else {
            check.hint("stop risky changes until the budget has recovered, and find what cost it")
        };
        counted(check)
    }

    fn burn(&self, found: &Standing) -> Check {
        let id = self.below("burn");
        let too_fast = |page: bool| {
            let mut burns = found.burns.iter().filter(move |burn| burn.page == page);
            burns.find(|burn| burn.is_too_fast() == Some(true))
        };
        let says = |burn: &Burn| {
            format!(
                "the error budget burns {:.1} times as fast as allowed ({} is the limit over {})",
                burn.in_long.unwrap_or_default(),
                (burn.limit * 100.0).round() / 100.0,
                duration(burn.long)
            )
        };
        let answered = found
            .burns
            .iter()
            .filter(|burn| burn.is_too_fast().is_some())
            .count();
        let mut check = match (too_fast(true), too_fast(false)) {
            (Some(burn), _) => Check::fail(&id, says(burn)).hint("act now: see which events fail"),
            (None, Some(burn)) => {
                Check::warn(&id, says(burn)).hint("look into it today: see which events fail")
            }
            (None, None) if answered == 0 => Check::unknown(&id, self.too_few(found)),
            (None, None) => Check::pass(
                &id,
                format!(
                    "not too fast in {answered} of {} pairs of windows",
                    found.burns.len()
                ),
            ),
        };
        for burn in &found.burns {
            let rate = |rate: Option<f64>| {
                rate.map_or_else(|| "too few events".to_owned(), |rate| format!("{rate:.2}"))
            };
            check = check.evidence(format!(
                "{} and {}: {} and {}, limit {:.2}",
                duration(burn.long),
                duration(burn.short),
                rate(burn.in_long),
                rate(burn.in_short),
                burn.limit
            ));
            if let Some(in_long) = burn.in_long {
                let name = format!("burn_{}h", burn.long.as_secs() / 3600);
                check = check.measure(Measure::new(name, in_long, Unit::Ratio).critical_at(burn.limit));
            }
        }
        check
    }

    fn latency(&self, found: &Standing) -> Vec<Check> {
        let judge = |(name, limit): (&'static str, fh_core::duration::Period)| {
            let id = self.below(name);
            let at = match name {
                "p50" => 0,
                "p95" => 1,
                _ => 2,
            };
            let Some(seconds) = found.latency.map(|all| all[at]) else {
                return Check::unknown(id, self.too_few(found));
            };
            let limits = Limits {
                warn: None,
                ..Limits::above(Unit::Seconds, 0.0, limit.get().as_secs_f64())
            };
            let measure = limits.on(Measure::new(name, seconds, Unit::Seconds));
            let summary = format!(
                "{name} is {}, {limit} allowed",
                crate::shown::value(seconds, Unit::Seconds)
            );
            Check::new(id, limits.judge(seconds), summary).measure(measure)
        };
        self.latencies().map(judge).collect()
    }
}

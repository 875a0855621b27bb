//! Objectives as checks, from what the rounds before left in the log.

use std::sync::Arc;

use fh_core::config::{HealthSlo, SloLatency, SloSource};
use fh_core::render::{duration, grouped};
use fh_core::report::{Measure, Unit};
use fh_core::{Check, Error, Result};

use super::{Burn, Event, Log, Standing, alb, standing};
use crate::limits::Limits;
use crate::probe::{Context, Needs, Planned, Probe, Setup};

/// The probes of `[[health.slo]]`.
pub(crate) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthSlo| -> Result<Arc<dyn Probe>> {
        let id = setup.id("slo", &entry.name)?;
        let wrong = |why: &str, hint: &str| setup.wrong("slo", &entry.name, why).hint(hint);
        let source = match entry.source {
            SloSource::Checks => Source::Check(web_check(setup, entry)?),
            SloSource::Alb => Source::LoadBalancer(load_balancer(setup, entry)?),
        };
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
            source,
            entry: entry.clone(),
        }))
    };
    setup.config().health.slo.iter().map(make).collect()
}

/// The web check that gives the events.
fn web_check(setup: &Setup<'_>, entry: &HealthSlo) -> Result<String> {
    let wrong = |why: &str, hint: &str| setup.wrong("slo", &entry.name, why).hint(hint);
    if entry.load_balancer.is_some() {
        return Err(wrong(
            "load_balancer needs source = \"alb\"",
            "set the source, or name a check",
        ));
    }
    let Some(check) = entry.check.clone() else {
        return Err(wrong(
            "it names no check",
            "say which web check gives the events, such as check = \"http.api\"",
        ));
    };
    let mut known = setup.config().health.http.iter();
    if !known.any(|http| format!("http.{}", http.name) == check) {
        return Err(wrong(
            &format!("there is no web check `{check}`"),
            "`check` names an entry of [[health.http]], such as \"http.api\"",
        ));
    }
    Ok(check)
}

/// The load balancer whose requests are the events.
fn load_balancer(setup: &Setup<'_>, entry: &HealthSlo) -> Result<String> {
    let wrong = |why: &str, hint: &str| setup.wrong("slo", &entry.name, why).hint(hint);
    if entry.check.is_some() {
        return Err(wrong(
            "check needs source = \"checks\"",
            "leave out the source, or the check",
        ));
    }
    if entry.latency != SloLatency::default() {
        return Err(wrong(
            "latency needs source = \"checks\"",
            "percentiles of periods cannot be joined; judge one with [[health.aws.metrics]] and statistic = \"p95\"",
        ));
    }
    let named = entry
        .load_balancer
        .clone()
        .filter(|name| name.starts_with("app/"));
    named.ok_or_else(|| {
        wrong(
            "it names no Application Load Balancer",
            "such as load_balancer = \"app/web/0123456789abcdef\", the end of its ARN",
        )
    })
}

/// A right that is missing is named; everything else is unknown.
fn failed(id: String, error: &Error) -> Check {
    if !fh_aws::denied(error) {
        return Check::from_error(id, error);
    }
    let check = Check::skip(id, format!("the role may not call {}", alb::ACTION));
    let check = error.causes().into_iter().fold(check, Check::evidence);
    check.hint(format!("allow {} in the role's policy", alb::ACTION))
}

/// Where the events come from.
enum Source {
    Check(String),
    LoadBalancer(String),
}

impl Source {
    fn name(&self) -> &str {
        match self {
            Self::Check(name) | Self::LoadBalancer(name) => name,
        }
    }
}

struct Objective {
    id: String,
    source: Source,
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
                    self.source.name()
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
                format!(
                    "{name} of the answer times of {} is below {limit}",
                    self.source.name()
                ),
            ));
        }
        planned
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let events = match self.events(context) {
            Ok(events) => events,
            Err(error) => {
                let ids = self.checks().into_iter().map(|check| check.id);
                return ids.map(|id| failed(id, &error)).collect();
            }
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
        match &self.source {
            Source::Check(_) => Needs::default()
                .other("reads the log of samples that `fh-health check` leaves in the state folder"),
            Source::LoadBalancer(_) => Needs {
                iam: vec![alb::ACTION.to_owned()],
                ..Needs::default()
            },
        }
    }
}

impl Objective {
    fn events(&self, context: &Context) -> Result<Vec<Event>> {
        match (&self.source, &context.samples) {
            (Source::LoadBalancer(name), _) => alb::events(name, self.entry.window.get(), context),
            (Source::Check(name), Some(path)) => Log::at(path.clone()).events(name),
            (Source::Check(_), None) => Err(Error::unable(
                "there is no memory between runs, so there are no events",
            )
            .hint("run without --stateless, with a folder for the memory")),
        }
    }

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

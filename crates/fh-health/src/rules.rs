//! What holds for each check: built-in limits, and what the configuration says about its id.

mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use fh_core::Result;
use fh_core::config::{Config, HealthRule, Loaded};

use crate::glob;
use crate::limits::Limits;
use crate::probe::{Planned, Probe};
use place::Place;
pub(crate) use place::place_of;

/// What holds for one check.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Thresholds; `None` for a check that has no value to compare.
    pub limits: Option<Limits>,
    /// Whether it is checked at all.
    pub enabled: bool,
    /// How many runs in a row it must be bad before that is believed; at least 1.
    pub for_runs: u32,
    /// How many runs in a row it must be good again; at least 1.
    pub recover: u32,
    /// Checks without which this one says nothing, besides those the probe knows itself.
    pub depends_on: Vec<String>,
    /// What to do about it, instead of the built-in advice.
    pub hint: Option<String>,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            limits: None,
            enabled: true,
            for_runs: 1,
            recover: 1,
            depends_on: Vec::new(),
            hint: None,
        }
    }
}

/// The rules of every check.
#[derive(Debug, Clone, Default)]
pub struct Rules(BTreeMap<String, Rule>);

impl Rules {
    /// Joins what the probes have built in with `[health.checks]`.
    ///
    /// # Errors
    /// Exit code 2 when a pattern fits no check, a threshold has another unit than the check, or a dependency does not
    /// exist; the message has the place in the file.
    pub fn new(probes: &[Arc<dyn Probe>], loaded: &Loaded) -> Result<Self> {
        let planned: Vec<Planned> = probes.iter().flat_map(|probe| probe.checks()).collect();
        let mut rules: BTreeMap<String, Rule> = planned
            .iter()
            .map(|check| {
                let rule = Rule {
                    limits: check.limits,
                    ..Rule::default()
                };
                (check.id.clone(), rule)
            })
            .collect();
        let ids: Vec<&str> = planned.iter().map(|check| check.id.as_str()).collect();
        for (pattern, settings) in by_weight(&loaded.config) {
            let place = Place { loaded, pattern };
            if !ids.iter().any(|id| glob::fits(pattern, id)) {
                return Err(place.no_such_check(&ids));
            }
            let mut grounds = Vec::new();
            for dependency in settings.depends_on.iter().flatten() {
                let ground = ground(dependency, probes, &ids);
                grounds.push(ground.ok_or_else(|| place.no_such_dependency(dependency, &ids))?);
            }
            for (id, rule) in &mut rules {
                if glob::fits(pattern, id) {
                    lay(rule, settings, id, &place)?;
                    if settings.depends_on.is_some() {
                        rule.depends_on = grounds.iter().filter(|other| *other != id).cloned().collect();
                    }
                }
            }
        }
        Ok(Self(rules))
    }

    /// The rule of a check. A check below a planned one, such as one of many indexes, has that one's.
    #[must_use]
    pub fn of(&self, id: &str) -> Rule {
        self.planned(id)
            .and_then(|planned| self.0.get(planned))
            .cloned()
            .unwrap_or_default()
    }

    /// The planned check that an id belongs to: itself, or the nearest one above it.
    #[must_use]
    pub fn planned(&self, id: &str) -> Option<&str> {
        let mut above = id;
        loop {
            if let Some((known, _)) = self.0.get_key_value(above) {
                return Some(known);
            }
            above = above.rsplit_once('.')?.0;
        }
    }

    /// Every planned id, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The check that a dependency names: one of that id, or the first one of the probe of that id, which says whether it can be
/// reached at all.
fn ground(dependency: &str, probes: &[Arc<dyn Probe>], ids: &[&str]) -> Option<String> {
    if ids.contains(&dependency) {
        return Some(dependency.to_owned());
    }
    let probe = probes.iter().find(|probe| probe.id() == dependency)?;
    probe.checks().into_iter().next().map(|check| check.id)
}

/// The settings, weakest first: patterns before names, short ones before long ones.
fn by_weight(config: &Config) -> Vec<(&str, &HealthRule)> {
    let rules = config.health.checks.iter();
    let mut all: Vec<_> = rules.map(|(pattern, rule)| (pattern.as_str(), rule)).collect();
    all.sort_by_key(|(pattern, _)| (!glob::is_pattern(pattern), pattern.len()));
    all
}

fn lay(rule: &mut Rule, settings: &HealthRule, id: &str, place: &Place<'_>) -> Result<()> {
    let HealthRule {
        enabled,
        warn,
        crit,
        for_runs,
        recover,
        hint,
        ..
    } = settings;
    if let Some(enabled) = enabled {
        rule.enabled = *enabled;
    }
    for (key, threshold) in [("warn", warn), ("crit", crit)] {
        let Some(threshold) = threshold else { continue };
        // A pattern may take checks along that have no value; a name means this one.
        let Some(limits) = &mut rule.limits else {
            if glob::is_pattern(place.pattern) {
                continue;
            }
            return Err(place.no_limits(key, id));
        };
        let value = threshold
            .in_unit(limits.unit)
            .map_err(|why| place.other_unit(key, *threshold, id, why))?;
        match key {
            "warn" => limits.warn = value,
            _ => limits.crit = value,
        }
    }
    for (key, runs, slot) in [
        ("for", for_runs, &mut rule.for_runs),
        ("recover", recover, &mut rule.recover),
    ] {
        match runs {
            Some(runs @ 1..=1000) => *slot = *runs,
            Some(_) => return Err(place.out_of_range(key)),
            None => {}
        }
    }
    if hint.is_some() {
        rule.hint.clone_from(hint);
    }
    Ok(())
}

//! What people are told: each problem once, again after a while, when it gets worse, and when it is over.

mod group;
mod message;

use std::time::Duration;

use fh_core::Check;
use fh_core::config::NotifyOn;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use group::dependents;
pub use message::message;

use crate::memory::{Level, Memory};

/// A problem that people know of, or still have to be told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// How bad it is.
    pub level: Level,
    /// Since when.
    pub since: Timestamp,
    /// What was found last.
    pub summary: String,
    /// How bad it was when people were told, and when that was; `None` while nobody could be told.
    pub told: Option<(Level, Timestamp)>,
    /// When it was over.
    pub over: Option<Timestamp>,
}

/// Why a problem is worth a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody was told yet.
    New,
    /// It got worse since people were told.
    Worse,
    /// It lasts.
    Reminder,
    /// It is over.
    Resolved,
}

/// One problem that is worth a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Id of the check.
    pub id: String,
    /// Why it is worth a message.
    pub why: Why,
    /// The problem.
    pub alert: Alert,
}

/// When to tell.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// `notify.on`.
    pub on: NotifyOn,
    /// `notify.remind_after`.
    pub remind_after: Duration,
    /// `health.alert_warnings`.
    pub warnings: bool,
}

/// Notes the problems of a round. A check that was not judged, because what it stands on is broken or because it was not
/// selected, changes nothing: it is neither new nor over.
pub fn note(memory: &mut Memory, checks: &[Check], policy: Policy, now: Timestamp) {
    let known = &memory.checks;
    memory.alerts.retain(|id, _| known.contains_key(id));
    for check in checks {
        let Some(level) = memory.level(check) else {
            continue;
        };
        let is_bad = level >= Level::Unknown || (policy.warnings && level == Level::Warn);
        let since = memory.checks.get(&check.id).map_or(now, |seen| seen.since);
        match memory.alerts.get_mut(&check.id) {
            Some(alert) if is_bad => {
                // It came back before anybody was told that it was over: for them it never was.
                alert.over = None;
                alert.level = level;
                alert.summary.clone_from(&check.summary);
            }
            Some(alert) => {
                alert.over.get_or_insert(now);
            }
            None if is_bad => {
                let alert = Alert {
                    level,
                    since,
                    summary: check.summary.clone(),
                    told: None,
                    over: None,
                };
                memory.alerts.insert(check.id.clone(), alert);
            }
            None => {}
        }
    }
}

/// What is worth a message now. A problem that now stands on another one stays unsaid: the other one is what people hear of.
#[must_use]
pub fn events(memory: &Memory, checks: &[Check], policy: Policy, now: Timestamp) -> Vec<Event> {
    let judged = |id: &str| {
        checks
            .iter()
            .any(|check| check.id == id && memory.level(check).is_some())
    };
    let mut events: Vec<Event> = memory
        .alerts
        .iter()
        .filter(|(id, alert)| alert.over.is_some() || judged(id))
        .filter_map(|(id, alert)| {
            let event = Event {
                id: id.clone(),
                why: why(alert, policy, now)?,
                alert: alert.clone(),
            };
            Some(event)
        })
        .collect();
    events.sort_by_key(|event| {
        (
            event.why == Why::Resolved,
            std::cmp::Reverse(event.alert.level),
            event.alert.since,
        )
    });
    events
}

fn why(alert: &Alert, policy: Policy, now: Timestamp) -> Option<Why> {
    if alert.over.is_some() {
        return (policy.on != NotifyOn::Failure).then_some(Why::Resolved);
    }
    let Some((level, told)) = alert.told else {
        return Some(Why::New);
    };
    // A clock that was set back counts as no time passed.
    let passed = Duration::try_from(now.duration_since(told)).unwrap_or_default();
    if alert.level > level {
        Some(Why::Worse)
    } else if policy.on != NotifyOn::Change || passed >= policy.remind_after {
        Some(Why::Reminder)
    } else {
        None
    }
}

/// Notes that people have these: only after they were delivered, so that the next run tells what this one could not.
pub fn told(memory: &mut Memory, events: &[Event], now: Timestamp) {
    for event in events {
        if event.why == Why::Resolved {
            memory.alerts.remove(&event.id);
        } else if let Some(alert) = memory.alerts.get_mut(&event.id) {
            alert.told = Some((alert.level, now));
        }
    }
}

/// Forgets what is over and nobody has to be told of: there is nobody to tell, or it is not wanted.
pub fn forget_resolved(memory: &mut Memory) {
    memory.alerts.retain(|_, alert| alert.over.is_none());
}

#[cfg(test)]
mod tests;

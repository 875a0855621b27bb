//! Events for the objectives: what the web checks of a round saw.

use std::time::Duration;

use fh_core::app::Session;
use fh_core::report::Status;
use fh_core::{Check, Result};
use jiff::Timestamp;

use crate::memory::Store;
use crate::slo::{Event, Log};

/// The end of the log's file name, beside the memory.
pub const LOG: &str = "-samples.jsonl";

/// Adds the events of a round to the log. Called with the memory locked.
///
/// # Errors
/// Exit code 3 when the log cannot be written.
pub fn add(session: &Session, store: &Store, checks: &[Check], now: Timestamp) -> Result<()> {
    let objectives = &session.config().health.slo;
    let mut wanted: Vec<&str> = objectives.iter().filter_map(|slo| slo.check.as_deref()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let events: Vec<(String, Event)> = wanted
        .iter()
        .filter_map(|id| checks.iter().find(|check| check.id == *id))
        .filter_map(|check| Some((check.id.clone(), event(check, now)?)))
        .collect();
    let keep = objectives.iter().map(|slo| slo.window.get()).max();
    Log::at(store.beside(LOG)).add(&events, keep.unwrap_or(Duration::ZERO), now)
}

/// What could not be found out is no event; what was silenced by its cause counts as what was seen.
fn event(check: &Check, now: Timestamp) -> Option<Event> {
    let seen = check
        .evidence
        .first()
        .and_then(|text| text.strip_prefix("without that: "));
    let good = match check.status {
        Status::Pass | Status::Warn => true,
        Status::Fail => false,
        Status::Unknown => return None,
        Status::Skip => !seen
            .filter(|seen| !seen.starts_with("unknown"))?
            .starts_with("fail: "),
    };
    let total = check.measures.iter().find(|measure| measure.name == "total");
    Some(Event {
        seconds: total.map(|total| total.value),
        ..Event::one(now, good)
    })
}

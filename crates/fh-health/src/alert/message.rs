//! One message for a run, grouped by cause.

use std::time::Duration;

use fh_core::Check;
use fh_core::Exit;
use fh_core::notify::Message;
use fh_core::render::duration;
use jiff::Timestamp;

use super::{Event, Why, dependents};
use crate::incident::Finding;

/// The most problems in one message; the report has them all.
const MOST: usize = 12;
/// The most ids named in one line.
const NAMED: usize = 6;

/// What people read. Without events it says that all is well, for those who want to hear that too.
#[must_use]
pub fn message(
    events: &[Event],
    checks: &[Check],
    incidents: &[Finding],
    environment: Option<&str>,
    now: Timestamp,
) -> Message {
    let open = events.iter().filter(|event| event.why != Why::Resolved).count();
    let over = events.len() - open;
    let exit = if open > 0 { Exit::Bad } else { Exit::Good };
    let mut message = Message::new(exit, format!("fh-health: {}", title(open, over)));
    if let Some(environment) = environment {
        message.facts.push(("environment".into(), environment.into()));
    }
    message.facts.push(("from".into(), fh_core::lock::host()));
    message.findings = events
        .iter()
        .take(MOST)
        .map(|event| line(event, checks, now))
        .collect();
    if events.len() > MOST {
        message.findings.push(format!("and {} more", events.len() - MOST));
    }
    if open > 0 {
        let likely = incidents.iter().take(2);
        message
            .findings
            .extend(likely.map(|finding| format!("likely: {} → {}", finding.title, finding.link)));
    }
    message
}

fn title(open: usize, over: usize) -> String {
    let problems = |count: usize| if count == 1 { "problem" } else { "problems" };
    match (open, over) {
        (0, 0) => "all is well".into(),
        (0, over) => format!("{over} {} resolved", problems(over)),
        (open, 0) => format!("{open} {}", problems(open)),
        (open, over) => format!("{open} {}, {over} resolved", problems(open)),
    }
}

fn line(event: &Event, checks: &[Check], now: Timestamp) -> String {
    let alert = &event.alert;
    let until = alert.over.unwrap_or(now);
    let lasted = Duration::try_from(until.duration_since(alert.since)).unwrap_or_default();
    let lasted = duration(lasted);
    let level = alert.level.word();
    let (id, summary) = (&event.id, &alert.summary);
    let mut text = match event.why {
        Why::Resolved if alert.told.is_none() => {
            return format!(
                "resolved {id}: was {level} for {lasted}, which could not be told before: {summary}"
            );
        }
        Why::Resolved => return format!("resolved {id} after {lasted}"),
        Why::New => format!("{level} {id}: {summary}"),
        Why::Worse => format!("{level} {id}, worse than before: {summary}"),
        Why::Reminder => format!("still {level} {id} after {lasted}: {summary}"),
    };
    let silent = dependents(checks, id);
    if !silent.is_empty() {
        let named: Vec<&str> = silent.iter().copied().take(NAMED).collect();
        let more = silent.len() - named.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        text.push_str(&format!("; not judged because of it: {}{more}", named.join(", ")));
    }
    let hint = checks
        .iter()
        .find(|check| &check.id == id)
        .and_then(|check| check.hint.as_deref());
    if let Some(hint) = hint {
        text.push_str(&format!(" (hint: {hint})"));
    }
    text
}

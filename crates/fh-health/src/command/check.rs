//! `fh-health check`.

use fh_core::app::Session;
use fh_core::report::{Report, Section};
use fh_core::{Check, Result};
use jiff::Timestamp;

use super::TOOL;
use crate::cli::Keeping;
use crate::engine::Engine;
use crate::incident::{self, Finding};
use crate::memory::{Memory, Store};
use crate::selection::Selection;
use crate::tell::Teller;
use crate::{record, round};

/// Runs one round, remembers it, and tells people what is new.
///
/// # Errors
/// Exit code 2 when the configuration or the selection is wrong, or names nothing to check.
pub fn run(session: &Session, selection: &Selection, keeping: &Keeping) -> Result<Report> {
    let engine = Engine::new(session)?;
    selection.check(&engine.ids())?;
    let teller = Teller::new(session, keeping);
    let mut notes = Vec::new();
    let (store, before) = remembered(session, keeping, &mut notes);
    let context = engine.context(session, before.samples, store.as_ref());

    let mut report = Report::verdict_run(TOOL, "check", "Health");
    report.checks = round::run(&engine.probes, selection, engine.limit, &context)?;
    report.settle();

    let runbook = &session.config().health.runbook;
    let incidents = incident::findings(&report.checks, runbook, context.now);
    if let Some(store) = &store {
        let recorded = report.checks.clone();
        let changed = store.change(&mut notes, |memory| {
            let now = Timestamp::now();
            memory.samples.update(context.after.samples());
            memory.believe(&mut report.checks, &engine.rules, now);
            let told = teller.tell(memory, &report.checks, &incidents, now);
            (told, record::add(session, store, &recorded, now))
        });
        match changed {
            Ok((told, recorded)) => {
                notes.extend(told);
                notes.extend(recorded.err().map(|error| error.render()));
            }
            Err(error) => notes.push(format!("this round is not remembered: {}", error.render())),
        }
    }
    notes.extend(teller.ping(&report));
    finish(&mut report, &incidents, &notes);
    Ok(report)
}

/// The memory to begin with. One that cannot be had costs history and is told of, and decides nothing.
pub(super) fn remembered(
    session: &Session,
    keeping: &Keeping,
    notes: &mut Vec<String>,
) -> (Option<Store>, Memory) {
    if keeping.stateless {
        return (None, Memory::default());
    }
    let store = match Store::of(session) {
        Ok(store) => store,
        Err(error) => {
            notes.push(format!("nothing is remembered: {}", error.render()));
            return (None, Memory::default());
        }
    };
    match store.load(notes) {
        Ok(memory) => (Some(store), memory),
        // A newer tool's memory is left alone, and one that cannot be read cannot be written either.
        Err(error) => {
            notes.push(format!("nothing is remembered: {}", error.render()));
            (None, Memory::default())
        }
    }
}

fn finish(report: &mut Report, incidents: &[Finding], notes: &[String]) {
    if let Some(section) = incident::section(incidents) {
        report.show(section);
    }
    for note in notes {
        tracing::warn!("{note}");
        report.show(Section::Text(format!("Note: {note}")));
    }
    let slowest = report
        .checks
        .iter()
        .filter_map(|check: &Check| check.duration)
        .max();
    report.data = serde_json::json!({
        "incidents": incident::json(incidents),
        "notes": notes,
        "slowest_seconds": slowest.map(|slowest| slowest.as_secs_f64()),
    });
}

//! `fh-health watch`: rounds one after the other, live at a terminal.

mod screen;

use std::time::{Duration, Instant};

use fh_core::Result;
use fh_core::app::Session;
use fh_core::output::write_stdout;
use fh_core::report::Report;
use jiff::Timestamp;

use super::TOOL;
use super::check::remembered;
use crate::cli::{Keeping, Watch};
use crate::engine::Engine;
use crate::incident;
use crate::round;
use crate::selection::Selection;
use screen::{Screen, View};

/// How often a pause looks whether somebody asked for a stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs rounds until somebody stops it, or as many as were asked for. Begins with what is remembered, keeps its own memory,
/// and tells nobody.
///
/// # Errors
/// Exit code 2 when the configuration or the selection is wrong; 3 when stdout cannot be written.
pub fn run(session: &Session, selection: &Selection, keeping: &Keeping, watch: &Watch) -> Result<Report> {
    let engine = Engine::new(session)?;
    selection.check(&engine.ids())?;
    let mut notes = Vec::new();
    let (store, mut memory) = remembered(session, keeping, &mut notes);
    for note in notes {
        tracing::warn!("{note}");
    }
    let screen = Screen::open(session.common.color);
    let mut rounds = 0_u64;
    let mut last = None;
    while !session.cancel.is_cancelled() && watch.rounds.is_none_or(|wanted| rounds < u64::from(wanted)) {
        if rounds > 0 {
            pause(session, watch.interval.get());
        }
        let began = Instant::now();
        let context = engine.context(session, memory.samples.clone(), store.as_ref());
        let Ok(checks) = round::run(&engine.probes, selection, engine.limit, &context) else {
            // Only a stop ends a round early, and the last one that was complete stands.
            break;
        };
        rounds += 1;
        let mut report = Report::verdict_run(TOOL, "watch", "Health");
        report.checks = checks;
        report.settle();
        let incidents = incident::findings(&report.checks, &session.config().health.runbook, context.now);
        let now = Timestamp::now();
        memory.samples.update(context.after.samples());
        memory.believe(&mut report.checks, &engine.rules, now);
        let view = View {
            report: &report,
            incidents: &incidents,
            memory: &memory,
            now,
            took: began.elapsed(),
            interval: watch.interval.get(),
            environment: session.loaded.environment.as_deref(),
        };
        write_stdout(screen.draw(&view).as_bytes())?;
        last = Some(report);
    }
    write_stdout(screen.close().as_bytes())?;
    Ok(ended(rounds, last.filter(|_| !session.cancel.is_cancelled())))
}

/// What is left to say on stderr: after `--rounds` the last round decides; who stops it has seen what there was.
fn ended(rounds: u64, last: Option<Report>) -> Report {
    last.unwrap_or_else(|| Report::listing(TOOL, "watch", format!("Watched for {rounds} rounds")))
}

fn pause(session: &Session, interval: Duration) {
    let end = Instant::now() + interval;
    while !session.cancel.is_cancelled() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

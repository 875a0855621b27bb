//! `fh-health check`.

use fh_core::Result;
use fh_core::app::Session;
use fh_core::report::Report;

use super::TOOL;
use crate::engine::Engine;
use crate::round;
use crate::selection::Selection;

/// Runs one round.
///
/// # Errors
/// Exit code 2 when the configuration or the selection is wrong, or names nothing to check.
pub fn run(session: &Session, selection: &Selection) -> Result<Report> {
    let engine = Engine::new(session)?;
    selection.check(&engine.ids())?;
    let context = engine.context(session, std::sync::Arc::default());
    let mut report = Report::verdict_run(TOOL, "check", "Health");
    report.checks = round::run(&engine.probes, selection, engine.limit, &context)?;
    Ok(report)
}

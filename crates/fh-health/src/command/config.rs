//! `fh-health config`.

use fh_core::app::{ConfigCommand, Session};
use fh_core::report::Report;
use fh_core::{Check, Result};

use super::TOOL;
use crate::engine::Engine;

/// Shows the configuration, or checks it: all of it, and that every entry of `[health]` can be used.
///
/// # Errors
/// Exit code 2 when an entry of `[health]` cannot be used, or nothing is configured.
pub fn run(session: &Session, command: ConfigCommand) -> Result<Report> {
    let mut report = command.report(TOOL, &session.loaded);
    if command == ConfigCommand::Check {
        let engine = Engine::new(session)?;
        report.push(Check::pass(
            "health",
            format!("{} checks by {} probes", engine.ids().len(), engine.probes.len()),
        ));
    }
    Ok(report)
}

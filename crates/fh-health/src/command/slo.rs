//! `fh-health slo`.

use fh_core::app::Session;
use fh_core::report::Report;
use fh_core::{Error, Result};

use super::TOOL;
use super::check::remembered;
use crate::cli::Keeping;
use crate::engine::Engine;
use crate::round;
use crate::selection::Selection;

/// Says how the objectives stand, from what earlier rounds left. Nothing else is looked at.
///
/// # Errors
/// Exit code 2 when no objective is configured.
pub fn run(session: &Session, keeping: &Keeping) -> Result<Report> {
    let engine = Engine::new(session)?;
    if session.config().health.slo.is_empty() {
        return Err(Error::usage("no objective is configured")
            .hint("add [[health.slo]] with a name and check = \"http.NAME\" to financehub.toml"));
    }
    let mut notes = Vec::new();
    let (store, memory) = remembered(session, keeping, &mut notes);
    let context = engine.context(session, memory.samples, store.as_ref());
    let selection = Selection {
        only: vec!["slo".to_owned()],
        skip: Vec::new(),
    };
    let mut report = Report::verdict_run(TOOL, "slo", "Objectives");
    report.checks = round::run(&engine.probes, &selection, engine.limit, &context)?;
    for note in notes {
        tracing::warn!("{note}");
    }
    Ok(report)
}

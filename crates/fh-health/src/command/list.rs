//! `fh-health list`.

use fh_core::Result;
use fh_core::app::Session;
use fh_core::report::{Report, Section, Table};

use super::TOOL;
use crate::engine::Engine;
use crate::selection::Selection;
use crate::shown;

/// Lists every check with its thresholds.
///
/// # Errors
/// Exit code 2 when the configuration or the selection is wrong.
pub fn run(session: &Session, selection: &Selection) -> Result<Report> {
    let engine = Engine::new(session)?;
    selection.check(&engine.ids())?;
    let mut report = Report::listing(TOOL, "list", "Checks");
    let mut table = Table::new("")
        .left("id")
        .right("warn")
        .right("crit")
        .left("looks at");
    let mut data = Vec::new();
    for check in engine.probes.iter().flat_map(|probe| probe.checks()) {
        let rule = engine.rules.of(&check.id);
        if !selection.takes(&check.id) || !rule.enabled {
            continue;
        }
        let warn = rule.limits.and_then(|limits| limits.warn);
        let crit = rule.limits.and_then(|limits| limits.crit);
        let shown = |value| {
            rule.limits
                .map_or_else(String::new, |limits| shown::threshold(&limits, value))
        };
        table.push([check.id.clone(), shown(warn), shown(crit), check.about.clone()]);
        data.push(serde_json::json!({
            "id": check.id, "about": check.about, "unit": rule.limits.map(|limits| limits.unit.word()),
            "warn": warn, "crit": crit, "for": rule.for_runs, "recover": rule.recover,
            "depends_on": rule.depends_on,
        }));
    }
    report.show(Section::Table(table));
    report.data = serde_json::json!({ "checks": data });
    Ok(report)
}

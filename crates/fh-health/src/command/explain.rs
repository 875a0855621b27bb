//! `fh-health explain`.

use std::sync::Arc;

use fh_core::Result;
use fh_core::app::Session;
use fh_core::report::{Report, Section};

use super::TOOL;
use crate::engine::Engine;
use crate::probe::{Planned, Probe};
use crate::selection::Selection;
use crate::shown;

/// Says what checks look at, and everything they need: SQL, GRANTs, IAM actions.
///
/// # Errors
/// Exit code 2 when no check has such an id.
pub fn run(session: &Session, pattern: &str) -> Result<Report> {
    let engine = Engine::new(session)?;
    let selection = Selection {
        only: vec![pattern.to_owned()],
        skip: Vec::new(),
    };
    selection.check(&engine.ids())?;
    let mut report = Report::listing(TOOL, "explain", pattern);
    let mut data = Vec::new();
    for probe in &engine.probes {
        for check in probe
            .checks()
            .into_iter()
            .filter(|check| selection.takes(&check.id))
        {
            let (lines, json) = explain(&engine, probe, &check);
            report.show(Section::Text(lines.join("\n")));
            data.push(json);
        }
    }
    report.data = serde_json::json!({ "checks": data });
    Ok(report)
}

fn explain(engine: &Engine, probe: &Arc<dyn Probe>, check: &Planned) -> (Vec<String>, serde_json::Value) {
    let rule = engine.rules.of(&check.id);
    let needs = probe.needs(&check.id);
    let mut lines = vec![check.id.clone(), format!("  looks at: {}", check.about)];
    if let Some(limits) = rule.limits {
        for (word, value) in [("warns", limits.warn), ("fails", limits.crit)] {
            let text = match value {
                Some(_) => shown::threshold(&limits, value),
                None => "never by its value".to_owned(),
            };
            lines.push(format!("  {word}: {text}"));
        }
    }
    if rule.for_runs > 1 || rule.recover > 1 {
        lines.push(format!(
            "  believed after {} bad runs in a row, and {} good ones",
            rule.for_runs, rule.recover
        ));
    }
    if !rule.depends_on.is_empty() {
        lines.push(format!("  depends on: {}", rule.depends_on.join(", ")));
    }
    if !rule.enabled {
        lines.push("  switched off in the configuration".to_owned());
    }
    for (title, items) in [
        ("needs", &needs.other),
        ("GRANTs", &needs.grants),
        ("IAM actions", &needs.iam),
        ("SQL", &needs.sql),
    ] {
        if !items.is_empty() {
            lines.push(format!("  {title}:"));
            let all = items.iter().flat_map(|item| item.lines());
            lines.extend(all.map(|line| format!("    {line}")));
        }
    }
    let json = serde_json::json!({
        "id": check.id, "about": check.about, "enabled": rule.enabled,
        "unit": rule.limits.map(|limits| limits.unit.word()),
        "warn": rule.limits.and_then(|limits| limits.warn), "crit": rule.limits.and_then(|limits| limits.crit),
        "for": rule.for_runs, "recover": rule.recover, "depends_on": rule.depends_on,
        "sql": needs.sql, "grants": needs.grants, "iam": needs.iam, "needs": needs.other,
    });
    (lines, json)
}

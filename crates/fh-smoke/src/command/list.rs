//! `fh-smoke list`: what a suite would check.

use fh_core::Result;
use fh_core::app::Session;
use fh_core::report::{Report, Table};
use fh_scenario::Step;
use serde_json::{Value, json};

use super::TOOL;
use crate::cli::Choice;
use crate::session::{chosen, load};

pub(crate) fn run(_: &Session, choice: &Choice) -> Result<Report> {
    let loaded = load(choice)?;
    let scenarios = chosen(&loaded, choice)?;
    let suite = &loaded.suite;
    let mut table = Table::new("")
        .left("scenario")
        .left("step")
        .left("asks")
        .right("assertions")
        .left("tags");
    let mut data: Vec<Value> = Vec::new();
    let rows = std::iter::once(("setup", &suite.setup, Vec::new())).chain(
        scenarios
            .iter()
            .map(|scenario| (scenario.name.as_str(), &scenario.step, scenario.tags.clone())),
    );
    for (name, steps, tags) in rows {
        for step in steps {
            let (method, target) = step.target().unwrap_or(("", ""));
            table.push([
                name.to_owned(),
                step.title(),
                format!("{method} {target}"),
                assertions(step).to_string(),
                tags.join(", "),
            ]);
            data.push(json!({
                "scenario": name,
                "step": step.title(),
                "method": method,
                "target": target,
                "assertions": assertions(step),
                "tags": tags,
            }));
        }
    }
    let filtered = !choice.scenario.is_empty() || !choice.tag.is_empty();
    let mut report = Report::listing(TOOL, "list", format!("Suite {}", suite.suite.name))
        .about("file", loaded.path.display().to_string())
        .about(
            "environments",
            suite.env.keys().cloned().collect::<Vec<_>>().join(", "),
        );
    report.show(table);
    if !filtered {
        let mut pages = Table::new("Beside the scenarios").left("what").left("where");
        if let Some(gate) = &suite.version {
            pages.push(["version", gate.path.as_str()]);
        }
        for assets in &suite.assets {
            pages.push(["assets", assets.page.as_str()]);
        }
        for security in &suite.security {
            pages.push(["security headers", security.page.as_str()]);
        }
        for certificate in &suite.tls {
            pages.push([
                "certificate",
                certificate.host.as_deref().unwrap_or("the base's host"),
            ]);
        }
        if !pages.rows.is_empty() {
            report.show(pages);
        }
    }
    report.data = json!({ "suite": suite.suite.name, "steps": data });
    Ok(report)
}

/// A capture asserts that its value is there.
pub(crate) fn assertions(step: &Step) -> usize {
    step.expect.count() + step.capture.len()
}

//! `fh-smoke check`: whether a suite is sound, without sending anything.

use std::path::Path;

use fh_core::Result;
use fh_core::report::{Check, Report};
use fh_scenario::Step;

use super::{TOOL, list};

pub(crate) fn run(path: &Path) -> Result<Report> {
    let loaded = fh_scenario::load(path)?;
    let suite = &loaded.suite;
    let steps: Vec<&Step> = suite
        .setup
        .iter()
        .chain(suite.scenario.iter().flat_map(|scenario| &scenario.step))
        .collect();
    let assertions: usize = steps.iter().map(|step| list::assertions(step)).sum();
    let pages = suite.assets.len() + suite.security.len() + suite.tls.len();
    let mut report = Report::verdict_run(TOOL, "check", format!("Suite {}", suite.suite.name))
        .about("file", loaded.path.display().to_string());
    report.push(Check::pass(
        "suite",
        format!(
            "sound: {} environments, {} scenarios, {} steps, {assertions} assertions, {pages} pages and certificates",
            suite.env.len(),
            suite.scenario.len(),
            steps.len(),
        ),
    ));
    Ok(report)
}

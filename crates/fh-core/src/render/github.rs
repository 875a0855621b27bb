//! Annotations for GitHub Actions ("Workflow commands for GitHub Actions"), the most important first.

use super::RenderOptions;
use super::clean::{one_line, shortened};
use super::nagios::run_name;
use crate::report::{Check, FailOn, Report, Status};

/// GitHub shows ten annotations of a kind per step and drops the rest in silence.
const LIMIT: usize = 10;

/// Longer messages are cut by the page that shows them.
const LONGEST_MESSAGE: usize = 4000;

pub(super) fn render(report: &Report, options: &RenderOptions) -> String {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let name = run_name(report);
    if let Some(failure) = &report.failure {
        let mut lines = vec![failure.message.clone()];
        lines.extend(failure.causes.iter().map(|cause| format!("caused by: {cause}")));
        lines.extend(failure.hint.iter().map(|hint| format!("hint: {hint}")));
        errors.push((name.clone(), lines.join("\n")));
    } else if report.nothing_checked() {
        errors.push((name.clone(), report.headline()));
    }
    let mut checks: Vec<&Check> = report.checks.iter().collect();
    checks.sort_by_key(|check| check.status.rank());
    for check in checks {
        let list = match (check.status, options.fail_on) {
            (Status::Fail | Status::Unknown, _) | (Status::Warn, FailOn::Warning) => &mut errors,
            (Status::Warn, FailOn::Error) => &mut warnings,
            (Status::Pass | Status::Skip, _) => continue,
        };
        list.push((format!("{name}: {} ({})", check.id, check.status), message(check)));
    }
    let mut out = annotations("error", &name, &errors);
    out.push_str(&annotations("warning", &name, &warnings));
    out.push_str(&format!(
        "{name}: {}: {}\n",
        report.status(),
        one_line(&report.headline())
    ));
    out
}

fn message(check: &Check) -> String {
    let mut lines = vec![check.summary.clone()];
    lines.extend(check.evidence.iter().cloned());
    lines.extend(check.hint.iter().map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}

fn annotations(kind: &str, name: &str, all: &[(String, String)]) -> String {
    let shown = if all.len() > LIMIT { LIMIT - 1 } else { all.len() };
    let mut out = String::new();
    for (title, message) in &all[..shown] {
        out.push_str(&annotation(kind, title, message));
    }
    if all.len() > shown {
        let rest = format!("{} more, see the step summary", all.len() - shown);
        out.push_str(&annotation(kind, name, &rest));
    }
    out
}

fn annotation(kind: &str, title: &str, message: &str) -> String {
    format!(
        "::{kind} title={}::{}\n",
        property(&one_line(title)),
        data(&shortened(message, LONGEST_MESSAGE))
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

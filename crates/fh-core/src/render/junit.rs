//! JUnit XML: one test suite for the run, one test case for each check.

use quick_junit::{NonSuccessKind, Property, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::RenderOptions;
use super::clean::one_line;
use super::quantity;
use crate::report::{Check, FailOn, Report, Status};

pub(super) fn render(report: &Report, options: &RenderOptions) -> String {
    let name = super::nagios::run_name(report);
    let mut suite = TestSuite::new(name.as_str());
    // The same instant in the type of another time library.
    suite.timestamp = report.started.to_string().parse().ok();
    suite.set_time(report.took());
    for (key, value) in &report.subject {
        suite.add_property(Property::new(one_line(key), one_line(value)));
    }
    let class = name.replace(' ', ".");
    for check in &report.checks {
        suite.add_test_case(test_case(check, &class, options.fail_on));
    }
    if let Some(why) = unjudged(report) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status
            .set_message(one_line(&report.headline()))
            .set_type("unknown")
            .set_description(why);
        let mut case = TestCase::new("run", status);
        case.set_classname(class.as_str());
        suite.add_test_case(case);
    }
    let mut junit = Junit::new(name.as_str());
    junit.timestamp = suite.timestamp;
    junit.set_time(report.took());
    junit.add_test_suite(suite);
    // Writing into memory cannot fail, and the texts have been cleared of what XML forbids.
    junit.to_string().unwrap_or_default()
}

/// Why the run as a whole is no success although no check says so.
fn unjudged(report: &Report) -> Option<String> {
    if let Some(failure) = &report.failure {
        let mut lines = failure.causes.clone();
        lines.extend(failure.hint.iter().map(|hint| format!("hint: {hint}")));
        return Some(lines.join("\n"));
    }
    report
        .nothing_checked()
        .then(|| "a run that checks nothing is not a pass".to_owned())
}

fn test_case(check: &Check, class: &str, fail_on: FailOn) -> TestCase {
    let mut status = match (check.status, fail_on) {
        (Status::Fail, _) | (Status::Warn, FailOn::Warning) => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        (Status::Unknown, _) => TestCaseStatus::non_success(NonSuccessKind::Error),
        (Status::Skip, _) => TestCaseStatus::skipped(),
        (Status::Pass, _) | (Status::Warn, FailOn::Error) => TestCaseStatus::success(),
    };
    let success = matches!(status, TestCaseStatus::Success { .. });
    let details = details(check);
    if !success {
        status
            .set_message(one_line(&check.summary))
            .set_type(check.status.word());
        if !details.is_empty() {
            status.set_description(details.as_str());
        }
    }
    let mut case = TestCase::new(one_line(&check.id), status);
    case.set_classname(class);
    if let Some(time) = check.duration {
        case.set_time(time);
    }
    if success {
        let mut text = format!("{}: {}", check.status, check.summary);
        if !details.is_empty() {
            text.push('\n');
            text.push_str(&details);
        }
        case.set_system_out(text);
    }
    case
}

fn details(check: &Check) -> String {
    let mut lines: Vec<String> = check.measures.iter().map(quantity::measure).collect();
    lines.extend(check.evidence.iter().cloned());
    lines.extend(check.hint.iter().map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}

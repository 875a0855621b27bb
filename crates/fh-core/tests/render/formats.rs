//! Rules of the formats, checked on the report full of trouble.

use fh_core::render::{Format, RenderOptions, render};
use fh_core::report::{Check, FailOn, Measure, Report, Unit};
use quick_junit::{NonSuccessKind, TestCaseStatus};

use crate::rich;

fn shown(report: &Report, format: Format) -> String {
    render(report, format, &RenderOptions::default())
}

#[test]
fn junit_reads_back_with_every_check_in_it() {
    let report = rich::report();
    let xml = shown(&report, Format::Junit);
    let junit = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!(
        (junit.tests, junit.failures, junit.errors, junit.skipped),
        (7, 1, 1, 2)
    );
    let cases = &junit.test_suites[0].test_cases;
    let kind = |index: usize| match &cases[index].status {
        TestCaseStatus::Success { .. } => "success",
        TestCaseStatus::Skipped { .. } => "skipped",
        TestCaseStatus::NonSuccess {
            kind: NonSuccessKind::Failure,
            ..
        } => "failure",
        TestCaseStatus::NonSuccess {
            kind: NonSuccessKind::Error,
            ..
        } => "error",
    };
    let kinds: Vec<&str> = (0..cases.len()).map(kind).collect();
    assert_eq!(
        kinds,
        [
            "success", "success", "failure", "error", "skipped", "skipped", "success"
        ]
    );
    assert_eq!(cases[2].name.as_str(), "table.\"users\"");
    assert_eq!(cases[6].name.as_str(), "db.connect#2");
}

#[test]
fn junit_counts_what_the_exit_code_counts() {
    let options = RenderOptions {
        fail_on: FailOn::Warning,
        ..RenderOptions::default()
    };
    let xml = render(&rich::report(), Format::Junit, &options);
    assert_eq!(
        quick_junit::Report::deserialize_from_str(&xml).unwrap().failures,
        2
    );
    let empty = Report::verdict_run("fh-x", "run", "Run");
    assert_eq!(
        quick_junit::Report::deserialize_from_str(&shown(&empty, Format::Junit))
            .unwrap()
            .errors,
        1
    );
}

#[test]
fn json_is_one_document_with_its_keys_in_order() {
    let text = shown(&rich::report(), Format::Json);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "schema",
            "tool",
            "version",
            "command",
            "title",
            "subject",
            "started",
            "finished",
            "status",
            "exit_code",
            "checks",
            "data",
            "error"
        ]
    );
    assert_eq!(document["exit_code"], 1);
    assert_eq!(document["status"], "fail");
    // JSON can carry everything, so it does.
    assert_eq!(document["data"]["a"][0], "x\u{0}y");
    assert_eq!(
        document["checks"][3]["measures"][0]["value"],
        serde_json::Value::Null
    );
    assert_eq!(document["checks"][2]["measures"][0]["value"], 1204);
}

#[test]
fn nagios_is_one_line_with_one_bar() {
    let text = shown(&rich::report(), Format::Nagios);
    assert_eq!(text.lines().count(), 1);
    assert_eq!(text.matches('|').count(), 1);
    assert!(text.starts_with("FH-BACKUP VERIFY CRITICAL - "));
}

#[test]
fn nagios_leaves_whole_measures_out_when_there_are_too_many() {
    let mut report = Report::verdict_run("fh-x", "run", "Run");
    for number in 0..2000 {
        let id = format!("check.{number}");
        report.push(Check::fail(id, "bad ".repeat(20)).measure(Measure::new("value", 1.0, Unit::Seconds)));
    }
    let text = shown(&report, Format::Nagios);
    assert!(text.len() <= 8001, "{}", text.len());
    let (_, data) = text.trim_end().split_once(" | ").unwrap();
    assert!(data.split(' ').count() > 100);
    for item in data.split(' ') {
        assert!(
            item.starts_with("'check.") && item.ends_with(".value'=1s"),
            "{item}"
        );
    }
}

#[test]
fn github_shows_ten_of_a_kind_and_counts_the_rest() {
    let mut report = Report::verdict_run("fh-x", "run", "Run");
    for number in 0..12 {
        report.push(Check::warn(format!("w{number}"), "hm"));
        report.push(Check::unknown(format!("u{number}"), "?"));
    }
    report.push(Check::fail("the.worst", "comes first"));
    let text = shown(&report, Format::Github);
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
    let warnings: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("::warning "))
        .collect();
    assert_eq!((errors.len(), warnings.len()), (10, 10));
    assert!(errors[0].contains("the.worst"));
    assert!(
        errors[9].ends_with("::4 more, see the step summary"),
        "{}",
        errors[9]
    );
    assert!(
        warnings[9].ends_with("::3 more, see the step summary"),
        "{}",
        warnings[9]
    );
}

#[test]
fn no_text_of_a_check_becomes_a_workflow_command() {
    for line in shown(&rich::report(), Format::Github).lines() {
        let known = line.starts_with("::error title=fh-backup verify")
            || line.starts_with("::warning title=fh-backup verify")
            || line.starts_with("fh-backup verify: ");
        assert!(known, "{line}");
    }
}

#[test]
fn markdown_rows_have_as_many_cells_as_their_table() {
    let text = shown(&rich::report(), Format::Markdown);
    let cells = |line: &str| line.replace("\\|", "").matches('|').count() - 1;
    let mut expected = None;
    let mut fence = None;
    for line in text.lines() {
        if let Some(end) = fence {
            if line == end {
                fence = None;
            }
        } else if line.starts_with("```") {
            fence = Some(line.trim_end_matches("text"));
        } else if line.starts_with('|') {
            assert_eq!(
                *expected.get_or_insert_with(|| cells(line)),
                cells(line),
                "{line}"
            );
        } else {
            expected = None;
        }
    }
    assert_eq!(fence, None, "a code block stays open");
}

#[test]
fn only_json_lets_control_characters_through_and_it_escapes_them() {
    for format in [
        Format::Human,
        Format::Json,
        Format::Junit,
        Format::Prometheus,
        Format::Nagios,
        Format::Github,
        Format::Markdown,
    ] {
        let text = shown(&rich::report(), format);
        assert!(text.ends_with('\n'));
        let bad = text.chars().find(|char| char.is_control() && *char != '\n');
        assert_eq!(bad, None, "{format:?}");
    }
}

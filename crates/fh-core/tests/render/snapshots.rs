//! What each format looks like. A change here is a change for everybody who reads the output.

use fh_core::render::{Format, RenderOptions, render, step_summary};
use fh_core::report::{Check, Report};
use fh_core::{Error, Exit};

use crate::rich;

fn in_berlin() -> RenderOptions {
    RenderOptions {
        version: "1.2.3".into(),
        zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(1)),
        ..RenderOptions::default()
    }
}

#[test]
fn human() {
    insta::assert_snapshot!(render(&rich::report(), Format::Human, &in_berlin()));
}

#[test]
fn human_on_a_narrow_terminal() {
    let options = RenderOptions {
        width: Some(72),
        ..in_berlin()
    };
    let text = render(&rich::report(), Format::Human, &options);
    for line in text.lines().filter(|line| !line.contains("| ")) {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 72, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn human_in_colour_says_the_same() {
    let plain = render(&rich::report(), Format::Human, &in_berlin());
    let options = RenderOptions {
        color: true,
        ..in_berlin()
    };
    let painted = render(&rich::report(), Format::Human, &options);
    assert_ne!(plain, painted);
    let codes = ["0", "1", "2", "31", "32", "33", "36", "1;31", "1;35"];
    let stripped = codes
        .iter()
        .fold(painted, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
    assert_eq!(stripped, plain);
    assert!(!plain.contains('\u{1b}'));
}

#[test]
fn human_quiet_leaves_out_what_is_well() {
    let options = RenderOptions {
        quiet: true,
        ..in_berlin()
    };
    let mut report = Report::verdict_run("fh-x", "run", "Run");
    report.push(Check::pass("a", "fine"));
    assert_eq!(render(&report, Format::Human, &options), "");
    report.push(Check::fail("b", "broken"));
    report.finished = report.started;
    insta::assert_snapshot!(render(&report, Format::Human, &options), @"
    ✗ fail    b  broken

    ✗ FAIL: 1 failed, 1 passed in 0 µs
    ");
}

#[test]
fn json() {
    insta::assert_snapshot!(render(&rich::report(), Format::Json, &in_berlin()));
}

#[test]
fn junit() {
    insta::assert_snapshot!(render(&rich::report(), Format::Junit, &in_berlin()));
}

#[test]
fn prometheus() {
    insta::assert_snapshot!(render(&rich::report(), Format::Prometheus, &in_berlin()));
}

#[test]
fn nagios() {
    insta::assert_snapshot!(render(&rich::report(), Format::Nagios, &in_berlin()));
}

#[test]
fn github() {
    insta::assert_snapshot!(render(&rich::report(), Format::Github, &in_berlin()));
}

#[test]
fn markdown() {
    let text = render(&rich::report(), Format::Markdown, &in_berlin());
    assert_eq!(step_summary(&rich::report(), &in_berlin(), 1 << 20), text);
    insta::assert_snapshot!(text);
}

/// The same error in all formats, and a run that checked nothing.
#[test]
fn an_error_in_every_format() {
    let error = Error::new(Exit::Unable, "cannot connect to PostgreSQL at db:5432")
        .because(std::io::Error::other("connection refused"))
        .hint("is the server running?");
    let mut failed = Report::failed("fh-backup", "create", &error);
    let mut empty = Report::verdict_run("fh-backup", "verify", "Verify");
    let mut list = Report::listing("fh-backup", "list", "Backup sets");
    let mut out = String::new();
    for report in [&mut failed, &mut empty, &mut list] {
        report.started = "2026-11-24T02:00:00Z".parse().unwrap();
        report.finished = report.started;
        for format in [
            Format::Human,
            Format::Json,
            Format::Junit,
            Format::Prometheus,
            Format::Nagios,
            Format::Github,
            Format::Markdown,
        ] {
            out.push_str(&format!(
                "=== {} as {format:?}\n{}",
                report.command,
                render(report, format, &in_berlin())
            ));
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_stands_on_one_broken_thing_is_one_entry() {
    let mut report = Report::verdict_run("fh-x", "check", "Health");
    report.push(Check::fail("postgres.main.connect", "cannot connect"));
    for name in ["connections", "locks", "slots", "bloat", "settings"] {
        let check = Check::unknown(
            format!("postgres.main.{name}"),
            "there is no connection to ask over",
        );
        report.push(check.depends_on("postgres.main.connect"));
    }
    report.push(Check::skip(
        "redis.main.memory",
        "there is no limit to compare with",
    ));
    report.settle();
    let options = RenderOptions {
        width: Some(90),
        ..in_berlin()
    };
    let text = render(&report, Format::Human, &options);
    let found = text.split_once("\n\n").unwrap().1;
    let (found, _verdict) = found.rsplit_once("\n\n").unwrap();
    insta::assert_snapshot!(found, @r"
    ✗ fail    postgres.main.connect  cannot connect
    - skip    5 checks               not judged, because postgres.main.connect failed
              postgres.main: connections, locks, slots, bloat, settings
    - skip    redis.main.memory      there is no limit to compare with
    ");
}

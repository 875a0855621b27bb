//! A reader of the text format, written from its description ("Exposition formats", text format 0.0.4).

use std::collections::{BTreeMap, BTreeSet};

use fh_core::render::{Format, RenderOptions, render};
use fh_core::report::{Check, Measure, Report, Unit};

use crate::rich;

#[derive(Debug, Default)]
struct Scrape {
    types: BTreeMap<String, String>,
    helps: BTreeMap<String, String>,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

fn is_name(text: &str) -> bool {
    let head = |char: char| char.is_ascii_alphabetic() || char == '_' || char == ':';
    text.starts_with(head) && text.chars().all(|char| head(char) || char.is_ascii_digit())
}

fn unescape(text: &str, quotes: bool) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('\\') => out.push('\\'),
                Some('"') if quotes => out.push('"'),
                other => panic!("bad escape {other:?} in {text}"),
            },
            '"' if quotes => panic!("bare quote in {text}"),
            _ => out.push(char),
        }
    }
    out
}

fn labels(mut text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").unwrap();
        assert!(is_name(name) && !name.contains(':'), "label {name}");
        let mut escaped = false;
        let end = rest
            .find(|char| {
                let ends = char == '"' && !escaped;
                escaped = char == '\\' && !escaped;
                ends
            })
            .unwrap();
        let old = found.insert(name.to_owned(), unescape(&rest[..end], true));
        assert!(old.is_none(), "label {name} twice");
        text = &rest[end + 1..];
        text = text.strip_prefix(',').unwrap_or(text);
    }
    found
}

fn scrape(text: &str) -> Scrape {
    assert!(text.ends_with('\n'), "the last line must end with a line feed");
    let mut scrape = Scrape::default();
    let mut finished = BTreeSet::new();
    let mut current = String::new();
    for line in text.lines() {
        let name = if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (kind, name, value) = (
                words.next().unwrap(),
                words.next().unwrap(),
                words.next().unwrap(),
            );
            let place = if kind == "HELP" {
                &mut scrape.helps
            } else {
                &mut scrape.types
            };
            assert!(kind == "HELP" || (kind == "TYPE" && value == "gauge"), "{line}");
            assert!(
                place.insert(name.to_owned(), unescape(value, false)).is_none(),
                "{kind} {name} twice"
            );
            assert!(
                scrape.samples.iter().all(|(seen, _, _)| seen != name),
                "{kind} after the samples of {name}"
            );
            name
        } else {
            let (name, rest) = line.split_once('{').unwrap();
            let (inside, value) = rest.rsplit_once("} ").unwrap();
            let value = match value {
                "NaN" => f64::NAN,
                "+Inf" => f64::INFINITY,
                "-Inf" => f64::NEG_INFINITY,
                // One field only: node_exporter refuses a timestamp in a textfile.
                number => number.parse().unwrap(),
            };
            let labels = labels(inside);
            let again = scrape
                .samples
                .iter()
                .any(|(seen, set, _)| seen == name && *set == labels);
            assert!(!again, "series twice: {line}");
            scrape.samples.push((name.to_owned(), labels, value));
            name
        };
        assert!(is_name(name), "{name}");
        if name != current {
            assert!(
                finished.insert(name.to_owned()),
                "the lines of {name} are not together"
            );
            current = name.to_owned();
        }
    }
    for (name, _, _) in &scrape.samples {
        assert!(
            scrape.types.contains_key(name) && scrape.helps.contains_key(name),
            "{name} has no HELP or TYPE"
        );
    }
    scrape
}

fn scraped(report: &Report) -> Scrape {
    scrape(&render(report, Format::Prometheus, &RenderOptions::default()))
}

#[test]
fn the_rich_report_is_valid_and_complete() {
    let scrape = scraped(&rich::report());
    let value = |name: &str, check: &str| {
        let found = scrape.samples.iter().find(|(seen, labels, _)| {
            seen == name && labels.get("check").map(String::as_str).unwrap_or_default() == check
        });
        found
            .unwrap_or_else(|| panic!("{name} of {check:?} is missing"))
            .2
    };
    assert_eq!(value("fh_backup_check_status", "table.\"users\""), 2.0);
    assert_eq!(value("fh_backup_check_status", "replica.slots"), 4.0);
    assert_eq!(value("fh_backup_check_status", "db.connect#2"), 0.0);
    assert_eq!(value("fh_backup_used_ratio", "disk|space"), 0.9125);
    assert_eq!(value("fh_backup_free_bytes", "disk|space"), 9_663_676_416.0);
    assert_eq!(value("fh_backup_last_run_exit_code", ""), 1.0);
    assert_eq!(value("fh_backup_last_run_duration_seconds", ""), 75.5);
    assert_eq!(value("fh_backup_last_run_timestamp_seconds", ""), 1_795_485_675.0);
    assert!(value("fh_backup_lag_seconds", "replica.lag").is_nan());
    assert!(
        scrape
            .samples
            .iter()
            .all(|(_, labels, _)| labels["environment"] == "production")
    );
}

#[test]
fn names_that_collide_stay_apart() {
    let mut report = Report::verdict_run("fh-x", "run", "Run");
    report.push(
        Check::pass("c\"\\", "")
            .measure(Measure::new("check status", 7.0, Unit::Count))
            .measure(Measure::new("a b", 1.0, Unit::Count))
            .measure(Measure::new("a-b", 2.0, Unit::Count))
            .measure(Measure::new("", 3.0, Unit::Count))
            .measure(Measure::new("wait_seconds", f64::INFINITY, Unit::Seconds)),
    );
    let scrape = scraped(&report);
    let names: Vec<&str> = scrape.samples.iter().map(|(name, _, _)| name.as_str()).collect();
    assert!(names.contains(&"fh_x_measure_check_status"), "{names:?}");
    assert!(names.contains(&"fh_x_unnamed"), "{names:?}");
    assert!(names.contains(&"fh_x_wait_seconds"), "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "fh_x_a_b").count(), 2);
    assert!(
        scrape
            .samples
            .iter()
            .any(|(_, labels, _)| labels.get("check").is_some_and(|id| id == "c\"\\"))
    );
}

//! The Prometheus text format 0.0.4, for the textfile collector: base units, no timestamps, one block per metric.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::RenderOptions;
use super::clean::one_line;
use crate::report::{Measure, Report, Unit};

struct Family {
    help: String,
    samples: Vec<(Vec<(String, String)>, f64)>,
}

pub(super) fn render(report: &Report, options: &RenderOptions) -> String {
    let prefix = format!(
        "fh_{}",
        metric_name(report.tool.strip_prefix("fh-").unwrap_or(&report.tool))
    );
    // Only what stays the same from run to run may be a label; the environment is the one subject that does.
    let mut labels = vec![("command".to_owned(), one_line(&report.command))];
    let environment = report.subject.iter().find(|(name, _)| name == "environment");
    labels.extend(environment.map(|(name, value)| (name.clone(), one_line(value))));
    let mut families: Vec<(String, Family)> = Vec::new();

    if !report.checks.is_empty() {
        let samples = report
            .checks
            .iter()
            .map(|check| {
                (
                    with(&labels, "check", &one_line(&check.id)),
                    f64::from(status_number(check.status)),
                )
            })
            .collect();
        let help = "Result of a check: 0 pass, 1 warn, 2 fail, 3 unknown, 4 skip.";
        families.push((
            format!("{prefix}_check_status"),
            Family {
                help: help.into(),
                samples,
            },
        ));
        let timed: Vec<_> = report
            .checks
            .iter()
            .filter_map(|check| {
                Some((
                    with(&labels, "check", &one_line(&check.id)),
                    check.duration?.as_secs_f64(),
                ))
            })
            .collect();
        if !timed.is_empty() {
            let help = "How long a check took.";
            families.push((
                format!("{prefix}_check_duration_seconds"),
                Family {
                    help: help.into(),
                    samples: timed,
                },
            ));
        }
    }
    let mut single = |name: &str, help: &str, value: f64| {
        let samples = vec![(labels.clone(), value)];
        families.push((
            format!("{prefix}_{name}"),
            Family {
                help: help.into(),
                samples,
            },
        ));
    };
    single(
        "last_run_duration_seconds",
        "How long the last run took.",
        report.took().as_secs_f64(),
    );
    let code = report.exit(options.fail_on).code();
    single(
        "last_run_exit_code",
        "Exit code of the last run: 0 is good.",
        f64::from(code),
    );
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 fit a double exactly"
    )]
    let ended = report.finished.as_second() as f64;
    single(
        "last_run_timestamp_seconds",
        "When the last run ended, in seconds since 1970.",
        ended,
    );

    families.extend(measures(
        report,
        &prefix,
        &labels,
        &families.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(),
    ));
    text(&families)
}

fn measures(
    report: &Report,
    prefix: &str,
    labels: &[(String, String)],
    taken: &[String],
) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for check in &report.checks {
        for measure in &check.measures {
            let (suffix, value) = base_unit(measure);
            let name = metric_name(&measure.name);
            let mut metric = match name.strip_suffix(suffix).filter(|_| !suffix.is_empty()) {
                Some(stem) => format!("{prefix}_{}{suffix}", stem.trim_end_matches('_')),
                None => format!("{prefix}_{name}{suffix}"),
            };
            if taken.contains(&metric) {
                metric = format!("{prefix}_measure_{name}{suffix}");
            }
            let family = families.entry(metric).or_insert_with(|| Family {
                help: format!("Measured value: {}.", measure.name),
                samples: Vec::new(),
            });
            // A series may occur once; two measures of a check whose names end up equal are told apart by number.
            let mut labels = with(labels, "check", &one_line(&check.id));
            let base = labels.clone();
            let mut nth = 1;
            while family.samples.iter().any(|(seen, _)| *seen == labels) {
                nth += 1;
                labels = with(&base, "nth", &nth.to_string());
            }
            family.samples.push((labels, value));
        }
    }
    families
}

/// The unit as the end of the metric's name, and the value in it ("Metric and label naming", base units).
fn base_unit(measure: &Measure) -> (&'static str, f64) {
    match measure.unit {
        Unit::Seconds => ("_seconds", measure.value),
        Unit::Bytes => ("_bytes", measure.value),
        Unit::Count => ("", measure.value),
        Unit::Percent => ("_ratio", measure.value / 100.0),
        Unit::Ratio => ("_ratio", measure.value),
        Unit::BytesPerSecond => ("_bytes_per_second", measure.value),
        Unit::PerSecond => ("_per_second", measure.value),
    }
}

const fn status_number(status: crate::report::Status) -> u8 {
    use crate::report::Status;
    match status {
        Status::Pass => 0,
        Status::Warn => 1,
        Status::Fail => 2,
        Status::Unknown => 3,
        Status::Skip => 4,
    }
}

fn with(labels: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut labels = labels.to_vec();
    labels.push((name.to_owned(), value.to_owned()));
    labels
}

/// `[a-zA-Z0-9_]` only. The prefix in front of every name makes a leading digit harmless.
fn metric_name(text: &str) -> String {
    let name: String = text
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    if name.is_empty() { "unnamed".into() } else { name }
}

fn text(families: &[(String, Family)]) -> String {
    let mut out = String::new();
    for (name, family) in families {
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in &family.samples {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", label_value(value)))
                .collect();
            let _ = writeln!(out, "{name}{{{}}} {}", labels.join(","), number(*value));
        }
    }
    out
}

fn label_value(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".into() } else { "-Inf".into() }
    } else {
        value.to_string()
    }
}

//! One JSON document, schema `fh-report/1`. Fields are always there, in this order; new ones may be added at the end
//! of an object within the same schema version.

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::RenderOptions;
use crate::report::{Check, Measure, Report, Status, Unit};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: &'a str,
    version: &'a str,
    command: &'a str,
    title: &'a str,
    subject: Map<String, Value>,
    started: String,
    finished: String,
    status: Status,
    exit_code: u8,
    checks: Vec<OneCheck<'a>>,
    data: &'a Value,
    error: Option<OneError<'a>>,
}

#[derive(Serialize)]
struct OneCheck<'a> {
    id: &'a str,
    status: Status,
    summary: &'a str,
    measures: Vec<OneMeasure<'a>>,
    evidence: &'a [String],
    hint: Option<&'a str>,
    duration_seconds: Option<f64>,
    depends_on: &'a [String],
}

#[derive(Serialize)]
struct OneMeasure<'a> {
    name: &'a str,
    value: Option<Number>,
    unit: Unit,
    warn: Option<Number>,
    critical: Option<Number>,
}

#[derive(Serialize)]
struct OneError<'a> {
    message: &'a str,
    causes: &'a [String],
    hint: Option<&'a str>,
}

pub(super) fn render(report: &Report, options: &RenderOptions) -> String {
    let document = Document {
        schema: "fh-report/1",
        tool: &report.tool,
        version: &options.version,
        command: &report.command,
        title: &report.title,
        subject: report
            .subject
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect(),
        started: report.started.to_string(),
        finished: report.finished.to_string(),
        status: report.status(),
        exit_code: report.exit(options.fail_on).code(),
        checks: report.checks.iter().map(check).collect(),
        data: &report.data,
        error: report.failure.as_ref().map(|failure| OneError {
            message: &failure.message,
            causes: &failure.causes,
            hint: failure.hint.as_deref(),
        }),
    };
    // Every key is a string and every number finite, which leaves serialization nothing to fail at.
    let mut out = serde_json::to_string_pretty(&document).unwrap_or_default();
    out.push('\n');
    out
}

fn check(check: &Check) -> OneCheck<'_> {
    OneCheck {
        id: &check.id,
        status: check.status,
        summary: &check.summary,
        measures: check.measures.iter().map(measure).collect(),
        evidence: &check.evidence,
        hint: check.hint.as_deref(),
        duration_seconds: check.duration.map(|time| time.as_secs_f64()),
        depends_on: &check.depends_on,
    }
}

fn measure(measure: &Measure) -> OneMeasure<'_> {
    OneMeasure {
        name: &measure.name,
        value: number(measure.value),
        unit: measure.unit,
        warn: measure.warn.and_then(number),
        critical: measure.critical.and_then(number),
    }
}

/// Whole numbers without a fraction, so that a count reads as a count; `None` when it is not a number.
fn number(value: f64) -> Option<Number> {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        let whole = value as i64;
        return Some(whole.into());
    }
    Number::from_f64(value)
}

//! From what became of steps to the checks of a report.

use fh_core::render::duration;
use fh_core::report::{Check, Measure};
use fh_http::{Failure, Kind};
use fh_scenario::run::{Assertion, Exchange, StepOutcome, StepResult, difference};

/// How much is shown of a step that is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One check for the step: for people.
    Step,
    /// One check for every assertion: for CI servers and other machines.
    Assertion,
}

/// How much of a body is shown as evidence.
const EXCERPT: usize = 300;

/// A row of steps with the name they stand under.
#[derive(Debug)]
pub(crate) struct Row {
    /// The scenario, with its route.
    pub(crate) id: String,
    /// What became of its steps.
    pub(crate) steps: Vec<StepOutcome>,
}

/// What the run as a whole says about an answer that did not come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    pub(crate) detail: Detail,
    /// Whether the target answered anything at all. If not, nothing is known about it; if so, silence is a fault.
    pub(crate) reached: bool,
    pub(crate) fail_flaky: bool,
}

impl Row {
    pub(crate) fn checks(&self, circumstances: Circumstances) -> Vec<Check> {
        self.steps
            .iter()
            .flat_map(|step| {
                let id = format!("{}.{}", self.id, slug(&step.title));
                one(&id, step, circumstances)
            })
            .collect()
    }
}

/// A name as it stands in an id: lower case, with dashes for everything that is no letter or digit.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_alphanumeric() {
            out.extend(char.to_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() {
        "unnamed".into()
    } else {
        out.to_owned()
    }
}

fn one(id: &str, step: &StepOutcome, circumstances: Circumstances) -> Vec<Check> {
    let mut checks = match &step.result {
        StepResult::NotRun(why) => vec![Check::skip(id, why.as_str())],
        StepResult::Stopped(why) => {
            vec![
                Check::unknown(id, why.as_str())
                    .hint("give more time with --deadline, or find out what is slow"),
            ]
        }
        StepResult::Unusable(why) => {
            vec![Check::unknown(
                id,
                format!("the request could not be made: {why}"),
            )]
        }
        StepResult::NoAnswer(exchange, failure) => {
            vec![silence(id, exchange, failure, circumstances.reached)]
        }
        StepResult::Answered(exchange, assertions) => answered(id, step, exchange, assertions, circumstances),
    };
    if let Some(last) = checks.last_mut()
        && last.duration.is_none()
        && !step.attempts.is_empty()
    {
        last.duration = Some(step.took);
    }
    if !step.is_good() && step.attempts.len() > 1 {
        let tried = attempts(step);
        if let Some(first) = checks.first_mut() {
            first.evidence.push(tried);
        }
    }
    if step.is_flaky() {
        let summary = format!("good only at attempt {}: {}", step.attempts.len(), attempts(step));
        checks.push(if circumstances.fail_flaky {
            Check::fail(format!("{id}.flaky"), summary)
        } else {
            Check::warn(format!("{id}.flaky"), summary)
        });
    }
    checks
}

fn attempts(step: &StepOutcome) -> String {
    let all: Vec<String> = step
        .attempts
        .iter()
        .map(|attempt| format!("{} ({})", attempt.said, duration(attempt.took)))
        .collect();
    all.join(", then ")
}

fn silence(id: &str, exchange: &Exchange, failure: &Failure, reached: bool) -> Check {
    let unclear = matches!(failure.kind(), Kind::Dns | Kind::Connect | Kind::Timeout) && !reached;
    let check = if unclear {
        Check::unknown(id, failure.text())
            .hint("nothing of the target answered: is the address right, and may this host reach it?")
    } else {
        Check::fail(id, failure.text())
    };
    check
        .evidence(asked(exchange))
        .evidence(format!("failed in: {}", failure.phase()))
}

fn answered(
    id: &str,
    step: &StepOutcome,
    exchange: &Exchange,
    assertions: &[Assertion],
    circumstances: Circumstances,
) -> Vec<Check> {
    if step.is_good() && circumstances.detail == Detail::Step {
        let status = exchange.response.as_ref().map_or(0, |response| response.status);
        let count = assertions.len();
        let summary = format!(
            "{status}, {count} assertion{} hold{}",
            if count == 1 { "" } else { "s" },
            if count == 1 { "s" } else { "" }
        );
        let mut check = Check::pass(id, summary).took(step.took);
        for assertion in assertions {
            if let Ok(found) = &assertion.outcome {
                check.evidence.push(format!("{}: {found}", assertion.what));
            }
        }
        return vec![timed(check, exchange)];
    }
    let mut checks: Vec<Check> = Vec::with_capacity(assertions.len());
    let mut shown = false;
    for assertion in assertions {
        let id = format!("{id}.{}", slug(&assertion.what));
        match &assertion.outcome {
            Ok(found) if circumstances.detail == Detail::Assertion => {
                checks.push(Check::pass(id, format!("{}: {found}", assertion.what)));
            }
            Ok(_) => {}
            Err(miss) => {
                let mut check = Check::fail(
                    id,
                    format!(
                        "{}: expected {}, got {}",
                        assertion.what,
                        brief(&miss.expected),
                        brief(&miss.got)
                    ),
                );
                check.evidence = difference(&miss.expected, &miss.got);
                if !shown {
                    check.evidence.extend(context(exchange));
                    shown = true;
                }
                checks.push(check);
            }
        }
    }
    if let Some(first) = checks.first_mut() {
        *first = timed(first.clone(), exchange);
    }
    checks
}

/// One line for a summary.
fn brief(text: &str) -> String {
    let line = text.replace('\n', " ");
    match line.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The time to first byte as a value.
fn timed(check: Check, exchange: &Exchange) -> Check {
    let ttfb = exchange
        .response
        .as_ref()
        .and_then(|response| response.phases.time_to_first_byte());
    match ttfb {
        Some(ttfb) => check.measure(Measure::duration("ttfb", ttfb)),
        None => check,
    }
}

fn asked(exchange: &Exchange) -> String {
    format!("asked: {} {}", exchange.request.method, exchange.request.url)
}

/// What was asked and what came back, for people who want to see for themselves.
fn context(exchange: &Exchange) -> Vec<String> {
    let mut lines = vec![asked(exchange)];
    if let Some(response) = &exchange.response {
        let kind = response.media_type().unwrap_or_else(|| "no media type".into());
        lines.push(format!(
            "answered: {} by {} in {}, {} bytes of {kind}",
            response.status,
            response.peer,
            duration(response.phases.total),
            response.body.len()
        ));
        let text = String::from_utf8_lossy(&response.body[..response.body.len().min(EXCERPT * 4)]);
        let excerpt: String = text.chars().take(EXCERPT).collect();
        let excerpt = excerpt.split_whitespace().collect::<Vec<_>>().join(" ");
        if !excerpt.is_empty() && response.status >= 400 {
            lines.push(format!("body: {excerpt}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_plain_words() {
        for (name, id) in [
            ("GET /api/Health/", "get-api-health"),
            ("json $.a[0].b", "json-a-0-b"),
            ("Größe", "größe"),
            ("///", "unnamed"),
        ] {
            assert_eq!(super::slug(name), id);
        }
    }
}

//! Security headers, graded by the rules of MDN's HTTP Observatory, with the lists of the OWASP Secure Headers Project.

mod cookies;
mod csp;
mod grade;
mod headers;
mod integrity;
mod lists;
mod redirect;

use fh_core::report::{Check, Measure, Unit};
use fh_http::Response;
use fh_http::jsonpath::shown;
use fh_scenario::run::{Runner, difference};
use fh_scenario::{Scope, Security};
use serde_json::Value;
use url::Url;

use crate::findings::slug;
use crate::page::{self, Opened};

pub(crate) use grade::Grade;

/// The rule table that grades go by; a new one may grade the same page otherwise.
pub(crate) const RULES: &str = "mdn-observatory/5 owasp-secure-headers/2025";

/// What one rule says about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    /// What was looked at.
    pub(crate) test: &'static str,
    /// Points taken or given.
    pub(crate) points: i32,
    /// Why.
    pub(crate) says: String,
}

impl Ruling {
    pub(crate) fn new(test: &'static str, points: i32, says: impl Into<String>) -> Self {
        Self {
            test,
            points,
            says: says.into(),
        }
    }
}

/// Grades one page. Gives the checks, and whether the target answered.
pub(crate) fn check(runner: &Runner<'_>, security: &Security, scope: &Scope) -> (Vec<Check>, bool) {
    let Opened { id, url, response } = match page::open(runner, "security", &security.page, scope) {
        Ok(opened) => opened,
        Err(ended) => return ended,
    };
    if response.status >= 400 {
        let check = Check::fail(id, format!("{url} answered with status {}", response.status))
            .hint("an error page is not the page whose headers matter");
        return (vec![check], true);
    }
    let mut rulings = rulings(&url, &response);
    if security.https_redirect && url.scheme() == "https" {
        rulings.push(redirect::ruling(runner, security, &url));
    }
    let mut checks = vec![graded(&id, security, &rulings)];
    checks.extend(wanted(&id, security, &response, scope));
    checks.extend(lists::leaks(&id, &response));
    (checks, true)
}

fn rulings(url: &Url, response: &Response) -> Vec<Ruling> {
    let policy = csp::Policy::of(response);
    let hsts = headers::strict_transport(url, response);
    let cookies = cookies::ruling(response, hsts.points >= 0 && url.scheme() == "https");
    vec![
        csp::ruling(url, &policy),
        cookies,
        headers::cross_origin_sharing(response),
        headers::referrer_policy(response),
        hsts,
        integrity::ruling(url, response),
        headers::content_type_options(response),
        headers::frame_options(response, &policy),
        headers::resource_policy(response),
    ]
}

fn graded(id: &str, security: &Security, rulings: &[Ruling]) -> Check {
    let (score, grade) = grade::score(rulings);
    let wanted: Grade = match security.min_grade.parse() {
        Ok(wanted) => wanted,
        Err(why) => return Check::unknown(format!("{id}.grade"), why),
    };
    let summary = format!("grade {grade} ({score} points), expected {wanted} or better");
    let id = format!("{id}.grade");
    let check = if grade >= wanted {
        Check::pass(id, summary)
    } else {
        Check::fail(id, summary)
    };
    let mut check = check.measure(Measure::new("score", f64::from(score), Unit::Count));
    for ruling in rulings.iter().filter(|ruling| ruling.points != 0) {
        check = check.evidence(format!("{:+4} {}: {}", ruling.points, ruling.test, ruling.says));
    }
    check.evidence(format!("rules: {RULES}"))
}

/// Headers that the suite itself asks for.
fn wanted(id: &str, security: &Security, response: &Response, scope: &Scope) -> Vec<Check> {
    let required = security.require.iter().map(|name| {
        let id = format!("{id}.{}", slug(name));
        match response.header(name) {
            Some(value) => Check::pass(id, format!("{name}: {value}")),
            None => Check::fail(id, format!("the header {name} is missing")),
        }
    });
    let matched = security.headers.iter().map(|(name, matcher)| {
        let id = format!("{id}.{}", slug(name));
        let values: Vec<Value> = response.headers(name).map(Value::from).collect();
        let values: Vec<&Value> = values.iter().collect();
        match matcher.judge(&values, scope) {
            Ok(()) => {
                let found = values
                    .first()
                    .map_or_else(|| "absent".into(), |value| shown(value));
                Check::pass(id, format!("{name}: {found}"))
            }
            Err(miss) => {
                let mut check = Check::fail(
                    id,
                    format!("{name}: expected {}, got {}", miss.expected, miss.got),
                );
                check.evidence = difference(&miss.expected, &miss.got);
                check
            }
        }
    });
    required.chain(matched).collect()
}

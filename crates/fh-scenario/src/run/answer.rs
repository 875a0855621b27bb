//! Judging an answer, and taking values from it.

use std::time::Duration;

use fh_core::render::{bytes, duration};
use fh_http::jsonpath::{self, shown};
use fh_http::{Request, Response};
use serde_json::Value;

use super::Shared;
use super::cookies::Cookie;
use super::outcome::Assertion;
use crate::html::{Selector, elements};
use crate::judge::{Miss, regex};
use crate::step::{Capture, Step};

/// Every assertion of a step on its answer, the captures last; those are put into the scope.
pub(super) fn judge(
    step: &Step,
    request: &Request,
    response: &Response,
    shared: &mut Shared,
) -> Vec<Assertion> {
    let mut found = Vec::new();
    let mut add = |what: String, outcome: Result<String, Miss>| found.push(Assertion { what, outcome });
    let expect = &step.expect;
    if let Some(status) = &expect.status {
        add(
            "status".into(),
            if status.holds(response.status) {
                Ok(response.status.to_string())
            } else {
                Err(Miss::new(status.to_string(), response.status.to_string()))
            },
        );
    }
    if let Some(wanted) = &expect.content_type {
        let kind = response.media_type().unwrap_or_else(|| "none".into());
        add(
            "content type".into(),
            if kind.eq_ignore_ascii_case(wanted) {
                Ok(kind)
            } else {
                Err(Miss::new(wanted, kind))
            },
        );
    }
    for (name, matcher) in &expect.headers {
        let values: Vec<Value> = response.headers(name).map(Value::from).collect();
        let values: Vec<&Value> = values.iter().collect();
        let outcome = matcher.judge(&values, &shared.scope);
        add(format!("header {name}"), outcome.map(|()| summary(&values)));
    }
    if !expect.json.is_empty() {
        let json = response.json();
        for (path, matcher) in &expect.json {
            let outcome = match (&json, path.parse::<jsonpath::Path>()) {
                (Ok(json), Ok(path)) => {
                    let values = path.all(json);
                    matcher.judge(&values, &shared.scope).map(|()| summary(&values))
                }
                (Err(why), _) => Err(Miss::new("a JSON body", why.clone())),
                (_, Err(why)) => Err(Miss::new("a path", why)),
            };
            add(format!("json {path}"), outcome);
        }
    }
    if let Some(matcher) = &expect.body {
        let outcome = match response.text() {
            Ok(text) => matcher
                .judge(&[&Value::from(text)], &shared.scope)
                .map(|()| bytes(text.len() as u64)),
            Err(why) => Err(Miss::new("a readable body", why)),
        };
        add("body".into(), outcome);
    }
    let size = response.body.len() as u64;
    let more = if response.truncated { "more than " } else { "" };
    let size_text = || format!("{more}{}", bytes(size));
    if let Some(most) = expect.max_size {
        let fits = size <= most.bytes() && !response.truncated;
        add(
            "size".into(),
            outcome(fits, || format!("at most {}", bytes(most.bytes())), size_text),
        );
    }
    if let Some(least) = expect.min_size {
        let fits = size >= least.bytes();
        add(
            "least size".into(),
            outcome(fits, || format!("at least {}", bytes(least.bytes())), size_text),
        );
    }
    if let Some(matcher) = &expect.redirect_to {
        add("redirect".into(), redirect(matcher, request, response, shared));
    }
    if let Some(most) = expect.ttfb {
        let took = response
            .phases
            .time_to_first_byte()
            .unwrap_or(response.phases.total);
        add("ttfb".into(), within(took, most.get()));
    }
    if let Some(most) = expect.duration {
        add("duration".into(), within(response.phases.total, most.get()));
    }
    for (name, capture) in &step.capture {
        let outcome = match take(capture, request, response) {
            Ok(value) => {
                let text = if capture.secret {
                    "***".to_owned()
                } else {
                    shown(&value)
                };
                shared.scope.set(name, value, capture.secret);
                Ok(text)
            }
            Err(miss) => Err(miss),
        };
        add(format!("capture {name}"), outcome);
    }
    found
}

fn outcome(
    holds: bool,
    expected: impl FnOnce() -> String,
    got: impl FnOnce() -> String,
) -> Result<String, Miss> {
    if holds {
        Ok(got())
    } else {
        Err(Miss::new(expected(), got()))
    }
}

fn within(took: Duration, most: Duration) -> Result<String, Miss> {
    outcome(
        took <= most,
        || format!("at most {}", duration(most)),
        || duration(took),
    )
}

/// What was found, in few words.
fn summary(values: &[&Value]) -> String {
    match values {
        [] => "nothing, as it should be".into(),
        [one] => shown(one),
        [first, ..] => format!("{} values, the first {}", values.len(), shown(first)),
    }
}

/// Where an answer leads, as a path when it stays on the host.
fn redirect(
    matcher: &crate::matcher::Matcher,
    request: &Request,
    response: &Response,
    shared: &Shared,
) -> Result<String, Miss> {
    let Some(location) = response.header("location") else {
        return Err(Miss::new(
            "a redirect",
            format!("status {} without Location", response.status),
        ));
    };
    if !(300..400).contains(&response.status) {
        return Err(Miss::new("a redirect", format!("status {}", response.status)));
    }
    let whole = request
        .url
        .join(location)
        .map_or(location.to_owned(), String::from);
    let path = url::Url::parse(&whole)
        .ok()
        .filter(|url| url.origin() == request.url.origin())
        .map(|url| url[url::Position::BeforePath..].to_owned());
    // The place may be written as a path or as a whole URL; either is right.
    let candidates = [Some(whole), path, Some(location.to_owned())];
    let mut miss = None;
    for candidate in candidates.into_iter().flatten() {
        match matcher.judge(&[&Value::from(candidate.clone())], &shared.scope) {
            Ok(()) => return Ok(candidate),
            Err(found) => miss = Some(found),
        }
    }
    Err(miss.unwrap_or_else(|| Miss::new("a redirect", "none")))
}

fn take(capture: &Capture, request: &Request, response: &Response) -> Result<Value, Miss> {
    if let Some(path) = &capture.jsonpath {
        let json = response.json().map_err(|why| Miss::new("a JSON body", why))?;
        let path: jsonpath::Path = path.parse()?;
        let found = path.all(&json);
        return found
            .first()
            .map(|value| (*value).clone())
            .ok_or_else(|| Miss::new(format!("a value at {path}"), "nothing is there"));
    }
    if let Some(name) = &capture.header {
        return response
            .header(name)
            .map(Value::from)
            .ok_or_else(|| Miss::new(format!("a header {name}"), "it is not there"));
    }
    if let Some(name) = &capture.cookie {
        return response
            .headers("set-cookie")
            .filter_map(|header| Cookie::parse(header, &request.url))
            .find(|cookie| cookie.name == *name)
            .map(|cookie| Value::from(cookie.value))
            .ok_or_else(|| Miss::new(format!("a cookie {name}"), "the answer does not set it"));
    }
    let text = response.text().map_err(|why| Miss::new("a readable body", why))?;
    if let Some(expression) = &capture.regex {
        return regex(expression)?
            .captures(text)
            .and_then(|groups| {
                groups
                    .get(1)
                    .or_else(|| groups.get(0))
                    .map(|group| group.as_str())
            })
            .map(Value::from)
            .ok_or_else(|| Miss::new(format!("a text that matches {expression}"), "nothing matches"));
    }
    let selector = Selector::parse(capture.css.as_deref().unwrap_or_default())?;
    let wanted = capture.css.as_deref().unwrap_or_default();
    let all = elements(text);
    let element = all
        .iter()
        .find(|element| selector.selects(element))
        .ok_or_else(|| Miss::new(format!("an element {wanted}"), "the page has none"))?;
    match &capture.attr {
        None => Ok(Value::from(element.text(text))),
        Some(name) => element
            .attribute(&name.to_ascii_lowercase())
            .map(Value::from)
            .ok_or_else(|| Miss::new(format!("{wanted} with {name}"), "it has no such attribute")),
    }
}

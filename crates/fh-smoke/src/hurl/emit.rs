//! Entries as a suite.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use url::Url;

use super::{Assert, Body, Entry, Fault, Query};
use crate::toml_text::{key, quoted, value};

/// The suite's TOML.
pub(crate) fn suite(entries: &[Entry], name: &str, base: Option<&str>) -> Result<String, Fault> {
    let base = match base {
        Some(base) => base.trim_end_matches('/').to_owned(),
        None => first_base(entries)?,
    };
    let mut steps = String::new();
    let mut defined: BTreeSet<String> = BTreeSet::new();
    let mut free: BTreeSet<String> = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let later: String = entries[index + 1..].iter().map(everything).collect();
        let target = target(entry, &base);
        let used = format!("{} {target}", everything(entry));
        free.extend(names(&used).into_iter().filter(|name| !defined.contains(name)));
        steps += &step(entry, index, &target, &later)?;
        defined.extend(entry.captures.iter().map(|(name, ..)| name.clone()));
    }
    let mut out = format!(
        "# From a Hurl file.\n[suite]\nname = {0}\n\n[env.first]\nbase = {1}\n",
        quoted(name),
        quoted(&base)
    );
    // What sounds like a secret is one: as a variable it would be shown.
    let (secrets, vars): (Vec<&String>, Vec<&String>) = free.iter().partition(|name| sounds_secret(name));
    for (table, names) in [("vars", vars), ("secrets", secrets)] {
        if !names.is_empty() {
            out += &format!("\n# What Hurl gets from outside.\n[{table}]\n");
        }
        for name in names {
            out += &format!(
                "{} = {{ env = {} }}\n",
                key(name),
                quoted(&format!("HURL_VARIABLE_{name}"))
            );
        }
    }
    out += &format!("\n[[scenario]]\nname = {}\n{steps}", quoted(name));
    Ok(out)
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "secret", "token", "key", "credential"]
        .iter()
        .any(|word| name.contains(word))
}

/// Scheme, host and port of the first request.
fn first_base(entries: &[Entry]) -> Result<String, Fault> {
    let first = &entries[0];
    let url = Url::parse(&first.url).ok().filter(Url::has_host);
    url.map(|url| url[..url::Position::BeforePath].to_owned())
        .ok_or_else(|| {
            Fault::new(
                first.line,
                1,
                "the first URL does not say where the environment is; give --base URL",
            )
        })
}

/// The path behind the base, or the whole URL.
fn target(entry: &Entry, base: &str) -> String {
    let path = entry.url.strip_prefix(base).or_else(|| {
        // `{{host}}/path`: what the variable stands for is the base.
        let rest = entry.url.strip_prefix("${")?;
        rest.split_once('}').map(|(_, path)| path)
    });
    match path {
        Some("") => "/".into(),
        Some(path) if path.starts_with('/') => path.to_owned(),
        _ => entry.url.clone(),
    }
}

/// Every text of an entry that may hold variables, for looking for names.
fn everything(entry: &Entry) -> String {
    let pairs = entry
        .headers
        .iter()
        .chain(&entry.query)
        .chain(&entry.form)
        .chain(&entry.basic);
    let mut all: Vec<String> = pairs.map(|(name, value)| format!("{name} {value}")).collect();
    match &entry.body {
        Some(Body::Json(json)) => all.push(json.to_string()),
        Some(Body::Text(text)) => all.push(text.clone()),
        None => {}
    }
    all.extend(entry.asserts.iter().map(|assert| assert.value.to_string()));
    if !entry.url.starts_with("${") {
        all.push(entry.url.clone());
    } else if let Some((_, path)) = entry.url.split_once('}') {
        all.push(path.to_owned());
    }
    all.join("\n")
}

fn names(text: &str) -> BTreeSet<String> {
    text.match_indices("${")
        .filter(|(at, _)| !text[..*at].ends_with('$'))
        .filter_map(|(at, _)| text[at + 2..].split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn step(entry: &Entry, index: usize, target: &str, later: &str) -> Result<String, Fault> {
    let mut out = String::from("\n[[scenario.step]]\n");
    out += &format!(
        "name = {}\n",
        quoted(&format!("{} {} {target}", index + 1, entry.method))
    );
    out += &format!("{} = {}\n", entry.method.to_lowercase(), quoted(target));
    let table = |pairs: &[(String, String)], what: &str| {
        let mut members = Map::new();
        for (name, text) in pairs {
            if members.insert(name.clone(), Value::from(text.as_str())).is_some() {
                return Err(Fault::new(
                    entry.line,
                    1,
                    format!("{what} has `{name}` twice, which a suite cannot say"),
                ));
            }
        }
        Ok(value(&Value::Object(members)).unwrap_or_default())
    };
    for (name, pairs) in [
        ("query", &entry.query),
        ("headers", &entry.headers),
        ("form", &entry.form),
    ] {
        if !pairs.is_empty() {
            out += &format!("{name} = {}\n", table(pairs, name)?);
        }
    }
    if let Some((user, password)) = &entry.basic {
        out += &format!(
            "basic = {{ user = {}, password = {} }}\n",
            quoted(user),
            quoted(password)
        );
    }
    match &entry.body {
        Some(Body::Json(json)) => match value(json) {
            Some(text) => out += &format!("json = {text}\n"),
            // TOML has no null; the same body as a text has one.
            None => {
                out += &format!("body = {}\n", quoted(&json.to_string()));
                if !entry
                    .headers
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
                {
                    return Err(Fault::new(
                        entry.line,
                        1,
                        "a JSON body with null is sent as a text, and needs a Content-Type header",
                    ));
                }
            }
        },
        Some(Body::Text(text)) => out += &format!("body = {}\n", quoted(text)),
        None => {}
    }
    if entry.redirects > 0 {
        out += &format!("redirects = {}\n", entry.redirects);
    }
    if let Some(timeout) = &entry.timeout {
        out += &format!("timeout = {}\n", quoted(timeout));
    }
    let (expect, captures) = judged(entry, later)?;
    for (name, capture) in captures {
        out += &format!(
            "capture.{} = {}\n",
            key(&name),
            value(&capture).unwrap_or_default()
        );
    }
    out += "[scenario.step.expect]\n";
    for (name, wanted) in expect {
        match value(&wanted) {
            Some(text) => out += &format!("{} = {text}\n", key(&name)),
            None => return Err(Fault::new(entry.line, 1, "null cannot be written in a suite")),
        }
    }
    Ok(out)
}

type Judged = (Map<String, Value>, Vec<(String, Value)>);

fn judged(entry: &Entry, later: &str) -> Result<Judged, Fault> {
    let mut expect = Map::new();
    if let Some(status) = entry.status {
        expect.insert("status".into(), status.into());
    }
    let mut conditions: BTreeMap<(&str, String), Map<String, Value>> = BTreeMap::new();
    for assert in &entry.asserts {
        let twice = || {
            Fault::new(
                assert.line,
                1,
                "the same condition stands twice, which a suite cannot say",
            )
        };
        let (place, condition, wanted) = placed(assert);
        match place {
            Place::Plain(name) => {
                if expect.insert(name.into(), wanted).is_some() {
                    return Err(twice());
                }
            }
            Place::Under(kind, key) => {
                let members = conditions.entry((kind, key)).or_default();
                if members.insert(condition.into(), wanted).is_some() {
                    return Err(twice());
                }
            }
        }
    }
    let mut captures = Vec::new();
    let used = names(later);
    for (name, query, line) in &entry.captures {
        if used.contains(name) {
            captures.push((name.clone(), captured(query)));
            continue;
        }
        // Nobody uses it, but Hurl fails when it is not there.
        let (kind, key, condition, wanted) = match query {
            Query::JsonPath(path) => ("json", path.clone(), "exists", json!(true)),
            Query::Header(header) => ("headers", header.clone(), "exists", json!(true)),
            Query::Cookie(cookie) => (
                "headers",
                "set-cookie".into(),
                "contains",
                json!(format!("{cookie}=")),
            ),
            Query::Regex(expression) => ("body", String::new(), "matches", json!(expression)),
            _ => {
                return Err(Fault::new(
                    *line,
                    1,
                    "this capture is not used, and cannot be asserted",
                ));
            }
        };
        conditions
            .entry((kind, key))
            .or_default()
            .entry(condition)
            .or_insert(wanted);
    }
    for ((kind, key), members) in conditions {
        if kind == "body" {
            expect.insert("body".into(), Value::Object(members));
        } else {
            let table = expect.entry(kind).or_insert_with(|| json!({}));
            table[key] = Value::Object(members);
        }
    }
    Ok((expect, captures))
}

enum Place {
    Plain(&'static str),
    Under(&'static str, String),
}

/// Where an assertion stands in `expect`.
fn placed(assert: &Assert) -> (Place, &'static str, Value) {
    let (condition, wanted) = (assert.condition, assert.value.clone());
    match &assert.query {
        Query::Status => (Place::Plain("status"), condition, wanted),
        Query::Duration => {
            // Times are whole milliseconds: less than 500 is at most 499.
            let limit = wanted.as_u64().unwrap_or_default();
            let limit = if condition == "lt" {
                limit.saturating_sub(1)
            } else {
                limit
            };
            (Place::Plain("duration"), condition, format!("{limit}ms").into())
        }
        Query::Bytes => {
            let name = if condition == "le" { "max_size" } else { "min_size" };
            (
                Place::Plain(name),
                condition,
                format!("{}B", wanted.as_u64().unwrap_or_default()).into(),
            )
        }
        Query::JsonPathCount(path) => {
            let condition = match condition {
                "equals" => "count",
                "le" => "max_count",
                _ => "min_count",
            };
            (Place::Under("json", path.clone()), condition, wanted)
        }
        Query::JsonPath(path) => (Place::Under("json", path.clone()), condition, wanted),
        Query::Header(name) => (Place::Under("headers", name.clone()), condition, wanted),
        Query::Regex(expression) => (Place::Under("body", String::new()), "matches", json!(expression)),
        Query::Body | Query::Cookie(_) => (Place::Under("body", String::new()), condition, wanted),
    }
}

fn captured(query: &Query) -> Value {
    match query {
        Query::Header(name) => json!({ "header": name }),
        Query::Cookie(name) => json!({ "cookie": name }),
        Query::Regex(expression) => json!({ "regex": expression }),
        Query::JsonPath(path) | Query::JsonPathCount(path) => json!({ "jsonpath": path }),
        Query::Status | Query::Body | Query::Duration | Query::Bytes => json!({}),
    }
}

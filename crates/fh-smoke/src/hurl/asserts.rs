//! Queries and predicates.

use serde_json::{Value, json};

use super::parse::variables;
use super::{Assert, Query};

/// A header that stands in the answer's section: it must be there with this value.
pub(super) fn header_equals(line: usize, name: &str, value: String) -> Assert {
    Assert {
        line,
        query: Query::Header(name.to_owned()),
        condition: "equals",
        value: Value::String(value),
    }
}

/// The query of a capture.
pub(super) fn capture(text: &str) -> Result<Query, String> {
    let (query, rest) = query(text)?;
    if !rest.is_empty() {
        return Err(format!("the filter `{rest}` is not read here"));
    }
    match query {
        Query::Header(_) | Query::Cookie(_) | Query::JsonPath(_) | Query::Regex(_) => Ok(query),
        _ => Err(format!(
            "`{text}` cannot be captured here; jsonpath, header, cookie and regex can"
        )),
    }
}

/// One line of [Asserts].
pub(super) fn assert(text: &str, line: usize) -> Result<Assert, String> {
    let (mut query, rest) = query(text)?;
    let mut rest = rest;
    if let (Query::JsonPath(path), Some(after)) = (&query, rest.strip_prefix("count ")) {
        query = Query::JsonPathCount(path.clone());
        rest = after.trim_start();
    }
    let (negated, rest) = match rest.strip_prefix("not ") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest),
    };
    let (predicate, value) = rest.split_once(' ').unwrap_or((rest, ""));
    let value = value.trim();
    let (condition, value) = match (predicate, negated) {
        ("==", false) | ("!=", true) => ("equals", parsed(value)?),
        ("!=", false) | ("==", true) => ("not", parsed(value)?),
        ("<", false) => ("lt", parsed(value)?),
        ("<=", false) => ("le", parsed(value)?),
        (">", false) => ("gt", parsed(value)?),
        (">=", false) => ("ge", parsed(value)?),
        ("startsWith", false) => ("starts_with", parsed(value)?),
        ("endsWith", false) => ("ends_with", parsed(value)?),
        ("contains" | "includes", false) => ("contains", parsed(value)?),
        ("contains" | "includes", true) => ("not_contains", parsed(value)?),
        ("matches", _) => {
            let pattern = value
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'))
                .map_or_else(
                    || parsed(value),
                    |pattern| Ok(Value::from(pattern.replace("\\/", "/"))),
                )?;
            (if negated { "not_matches" } else { "matches" }, pattern)
        }
        ("exists", _) if value.is_empty() => ("exists", Value::Bool(!negated)),
        ("isEmpty", false) if value.is_empty() => ("count", json!(0)),
        ("isString", false) => ("type", "string".into()),
        ("isNumber", false) => ("type", "number".into()),
        ("isBoolean", false) => ("type", "boolean".into()),
        ("isCollection" | "isList", false) => ("type", "array".into()),
        ("isObject", false) => ("type", "object".into()),
        ("", _) => return Err("the assertion has no predicate".into()),
        (other, true) => return Err(format!("`not {other}` is not read here")),
        (other, false) => return Err(format!("the predicate or filter `{other}` is not read here")),
    };
    fits(&query, condition, &value)?;
    Ok(Assert {
        line,
        query,
        condition,
        value,
    })
}

/// Queries that a suite has only some conditions for.
fn fits(query: &Query, condition: &str, value: &Value) -> Result<(), String> {
    let right = match query {
        Query::Status => {
            condition == "equals" && value.as_u64().is_some_and(|status| (100..600).contains(&status))
        }
        Query::Duration => matches!(condition, "lt" | "le") && value.as_u64().is_some(),
        Query::Bytes => matches!(condition, "le" | "ge") && value.as_u64().is_some(),
        Query::JsonPathCount(_) => matches!(condition, "equals" | "le" | "ge") && value.as_u64().is_some(),
        Query::Regex(_) => condition == "exists" && *value == Value::Bool(true),
        Query::Cookie(_) => false,
        Query::Header(_) | Query::JsonPath(_) | Query::Body => true,
    };
    if right {
        Ok(())
    } else {
        Err(format!("this condition on {} is not read here", query.word()))
    }
}

impl Query {
    fn word(&self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Header(_) => "header",
            Self::Cookie(_) => "cookie",
            Self::JsonPath(_) => "jsonpath",
            Self::JsonPathCount(_) => "jsonpath count",
            Self::Body => "body",
            Self::Regex(_) => "regex",
            Self::Duration => "duration",
            Self::Bytes => "bytes count",
        }
    }
}

/// A query and what stands behind it.
fn query(text: &str) -> Result<(Query, &str), String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim_start();
    let argument = |make: fn(String) -> Query| {
        let (value, rest) = quoted(rest)?;
        Ok((make(value), rest))
    };
    match word {
        "status" => Ok((Query::Status, rest)),
        "body" => Ok((Query::Body, rest)),
        "duration" => Ok((Query::Duration, rest)),
        "bytes" => match rest.strip_prefix("count") {
            Some(rest) => Ok((Query::Bytes, rest.trim_start())),
            None => Err("of bytes only `count` is read here".into()),
        },
        "header" => argument(Query::Header),
        "cookie" => argument(Query::Cookie),
        "jsonpath" => argument(Query::JsonPath),
        "regex" => argument(Query::Regex),
        other => Err(format!("the query `{other}` is not read here")),
    }
}

/// A text in quotes and what stands behind it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match values.next() {
        Some(Ok(value)) => Ok((variables(&value), text[values.byte_offset()..].trim_start())),
        _ => Err(format!("expected a text in quotes, found `{text}`")),
    }
}

/// A value: a text in quotes, a number, true, false; a variable alone is a text.
fn parsed(text: &str) -> Result<Value, String> {
    if text.starts_with("{{") && text.ends_with("}}") {
        return Ok(Value::String(variables(text)));
    }
    if let Some(inner) = text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        return Ok(Value::String(variables(inner)));
    }
    match serde_json::from_str(text) {
        Ok(Value::String(text)) => Ok(Value::String(variables(&text))),
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value),
        _ => Err(format!("`{text}` is no value that is read here")),
    }
}

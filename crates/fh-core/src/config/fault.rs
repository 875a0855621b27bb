//! What is wrong with a value, as the typed reader sees it, and how people are told.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::origin::Origin;
use crate::error::Error;
use crate::nearest::nearest;

/// A rejected key or value. The value itself is kept only where it cannot be a secret: numbers, and names that are
/// checked against a list.
#[derive(Debug)]
pub(super) struct Fault {
    what: What,
    /// The dotted path and origin, once the reader has added them.
    place: Option<(String, Origin)>,
}

#[derive(Debug)]
enum What {
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    UnknownValue {
        value: String,
        known: &'static [&'static str],
    },
    Mismatch {
        found: String,
        expected: String,
    },
    Other(String),
}

impl Fault {
    /// Adds where the fault is; the first place given, which is the innermost, stays.
    pub(super) fn at(mut self, path: &str, origin: &Origin) -> Self {
        self.place
            .get_or_insert_with(|| (path.to_owned(), origin.clone()));
        self
    }

    /// The error people see. `prefix` is the path of the tree that was read: empty, or `env.NAME`.
    pub(super) fn into_error(self, prefix: &str) -> Error {
        let (path, origin) = self.place.unwrap_or((String::new(), Origin::Default));
        let full = match (prefix, path.as_str()) {
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}.{path}"),
        };
        let origin = match origin {
            Origin::Default => String::new(),
            origin => format!(" ({origin})"),
        };
        match self.what {
            What::UnknownKey { key, known } => unknown_key(&full, &key, known, &origin),
            What::UnknownValue { value, known } => {
                let near = nearest(&value, known.iter().copied())
                    .map_or(String::new(), |near| format!("did you mean `{near}`? "));
                Error::usage(format!("{full}: unknown value `{value}`{origin}"))
                    .hint(format!("{near}known values: {}", known.join(", ")))
            }
            What::Mismatch { found, expected } => {
                let advice = advice(&full, &found, &expected);
                Error::usage(format!("{full}: expected {expected}, found {found}{origin}")).hint(advice)
            }
            What::Other(text) => {
                // Parsers put what to do after a semicolon.
                let (what, advice) = text
                    .split_once("; ")
                    .unwrap_or((&text, "give one string, or a table such as { file = \"PATH\" }"));
                Error::usage(format!("{full}: {what}{origin}")).hint(advice)
            }
        }
    }
}

fn unknown_key(table: &str, key: &str, known: &[&str], origin: &str) -> Error {
    let root = table.is_empty();
    // `env` holds the environments and is taken out before the typed structs see the tree.
    let known: Vec<&str> = known
        .iter()
        .copied()
        .chain((root && !known.contains(&"env")).then_some("env"))
        .collect();
    let place = if root {
        String::new()
    } else {
        format!(" in [{table}]")
    };
    let near =
        nearest(key, known.iter().copied()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    Error::usage(format!("unknown key `{key}`{place}{origin}"))
        .hint(format!("{near}known keys: {}", known.join(", ")))
}

/// How to write what was expected.
fn advice(path: &str, found: &str, expected: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    match expected {
        "a secret" => format!(
            "write {name} = {{ env = \"NAME\" }}, {{ file = \"PATH\" }}, {{ secretsmanager = \"ID\" }}, {{ ssm = \"NAME\" }} or the text in quotes"
        ),
        "a table" => format!("write it as a table: [{path}]"),
        "a list" => format!("write it as a list: {name} = [\"…\"]"),
        "a string" | "a path" => "write the value in quotes".into(),
        "a length of time with its unit" => {
            format!("write it as a string with a unit, such as {name} = \"90s\"")
        }
        "a size with its unit" => format!("write it as a string with a unit, such as {name} = \"8MiB\""),
        "true or false" if found == "a string" => "write true or false, without quotes".into(),
        _ if found == "a string" => "write the value without quotes".into(),
        _ => format!("write {expected}"),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Fault {}

impl From<What> for Fault {
    fn from(what: What) -> Self {
        Self { what, place: None }
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        What::Other(text.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        What::Mismatch {
            found: kind(&found),
            expected: plain(&expected.to_string()),
        }
        .into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            other => kind(&other),
        };
        What::Mismatch {
            found,
            expected: plain(&expected.to_string()),
        }
        .into()
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        What::UnknownKey {
            key: key.to_owned(),
            known,
        }
        .into()
    }

    fn unknown_variant(value: &str, known: &'static [&'static str]) -> Self {
        What::UnknownValue {
            value: value.to_owned(),
            known,
        }
        .into()
    }
}

/// What was found, without the value: it may be a secret in the wrong place.
fn kind(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        Unexpected::Other(text) => text,
        _ => "something else",
    }
    .to_owned()
}

/// serde's words for what it expected, in plain English.
fn plain(expected: &str) -> String {
    match expected {
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "path string" => "a path",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "u64" | "usize" => "a whole number, 0 or more",
        "i64" => "a whole number",
        "f64" => "a number",
        text if text.starts_with("struct ") || text == "a map" => "a table",
        text if text.starts_with("enum ") || text == "string or map" => "a string",
        text => text,
    }
    .to_owned()
}

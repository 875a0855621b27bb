//! A part of Hurl's file format (hurl.dev, "Grammar"): what can be said in a suite without loss. Everything else is refused
//! with its place.

mod asserts;
mod emit;
mod parse;

use serde_json::Value;

pub(crate) use emit::suite;
pub(crate) use parse::parse;

/// What of a file is not read here, and where. Lines and columns from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) what: String,
}

impl Fault {
    fn new(line: usize, column: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            column,
            what: what.into(),
        }
    }
}

/// One request with what is said about its answer.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// Where it begins.
    pub(crate) line: usize,
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) basic: Option<(String, String)>,
    pub(crate) body: Option<Body>,
    pub(crate) redirects: usize,
    pub(crate) timeout: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) asserts: Vec<Assert>,
    pub(crate) captures: Vec<(String, Query, usize)>,
}

#[derive(Debug)]
pub(crate) enum Body {
    Json(Value),
    Text(String),
}

/// What of an answer is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    Status,
    Header(String),
    Cookie(String),
    JsonPath(String),
    /// The number of values at a path.
    JsonPathCount(String),
    Body,
    Regex(String),
    /// Milliseconds.
    Duration,
    Bytes,
}

/// What must be true of it: the condition's name in a suite, and its value.
#[derive(Debug)]
pub(crate) struct Assert {
    pub(crate) line: usize,
    pub(crate) query: Query,
    pub(crate) condition: &'static str,
    pub(crate) value: Value,
}

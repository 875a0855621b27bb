//! One request, what must be true of its answer, and what to take from it.

use std::collections::BTreeMap;

use fh_core::duration::Period;
use fh_core::size::Size;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::matcher::{Matcher, StatusSet};

/// One request and what must be true of its answer. Texts may hold ${variables}.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// The name, unique in its scenario; method and path when not given.
    pub name: Option<String>,
    /// Path, or whole URL, to GET.
    pub get: Option<String>,
    /// Path, or whole URL, to HEAD.
    pub head: Option<String>,
    /// Path, or whole URL, to POST to.
    pub post: Option<String>,
    /// Path, or whole URL, to PUT to.
    pub put: Option<String>,
    /// Path, or whole URL, to PATCH.
    pub patch: Option<String>,
    /// Path, or whole URL, to DELETE.
    pub delete: Option<String>,
    /// Path, or whole URL, to ask for OPTIONS.
    pub options: Option<String>,
    /// Parameters after the `?`, encoded.
    pub query: BTreeMap<String, String>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// A JSON body.
    pub json: Option<Value>,
    /// A body as HTML forms send it.
    pub form: BTreeMap<String, String>,
    /// A body of several parts, as forms with files send it.
    pub multipart: Vec<Part>,
    /// A body as it is.
    pub body: Option<String>,
    /// A token for the Authorization header.
    pub bearer: Option<String>,
    /// User and password for the Authorization header.
    pub basic: Option<Basic>,
    /// How many redirects to follow. None are, unless a number is given.
    pub redirects: usize,
    /// The time for one attempt.
    pub timeout: Option<Period>,
    /// When to try again.
    pub retry: Option<Retry>,
    /// What must be true of the answer.
    pub expect: Expect,
    /// What to keep for later steps.
    pub capture: BTreeMap<String, Capture>,
}

/// User and password.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user.
    pub user: String,
    /// The password; write it as ${name} and the name under secrets.
    pub password: String,
}

/// One part of a multipart body (RFC 7578).
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The content.
    pub value: String,
    /// The name of a file that the content pretends to be from.
    pub filename: Option<String>,
    /// The media type.
    pub content_type: Option<String>,
}

/// When to try again.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// How many times, after the first.
    pub max: u32,
    /// The pause before the first repetition.
    pub delay: Period,
    /// How the pause grows.
    pub backoff: Backoff,
    /// What to repeat after.
    pub on: Vec<Cause>,
    /// Whether to repeat methods that may change something too: POST, PUT, PATCH, DELETE.
    pub any_method: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max: 0,
            delay: Period::from(std::time::Duration::from_millis(250)),
            backoff: Backoff::Exponential,
            on: vec![
                Cause::Connect,
                Cause::Timeout,
                Cause::Status(502),
                Cause::Status(503),
                Cause::Status(504),
            ],
            any_method: false,
        }
    }
}

/// How the pause between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Backoff {
    /// Twice as long each time, at most 10 s, with up to a half added by chance.
    #[default]
    Exponential,
    /// Always the same.
    Fixed,
}

/// What an attempt is repeated after. An expectation that was missed is no cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No name, no connection.
    Connect,
    /// No answer in time.
    Timeout,
    /// The server broke off.
    Closed,
    /// An answer with this status.
    Status(u16),
}

/// What must be true of an answer. Each entry is one assertion.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The status: 200, "2xx", or a list of such.
    pub status: Option<StatusSet>,
    /// Headers, by name.
    pub headers: BTreeMap<String, Matcher>,
    /// Values in a JSON body, by JSONPath (RFC 9535). Everything that the path finds must fit.
    pub json: BTreeMap<String, Matcher>,
    /// The body as text.
    pub body: Option<Matcher>,
    /// The media type, without parameters, such as application/json.
    pub content_type: Option<String>,
    /// The largest size of the body.
    pub max_size: Option<Size>,
    /// The smallest size of the body.
    pub min_size: Option<Size>,
    /// Where the answer redirects to: path, or whole URL.
    pub redirect_to: Option<Matcher>,
    /// The longest time from the beginning to the first byte of the answer.
    pub ttfb: Option<Period>,
    /// The longest time of the whole exchange.
    pub duration: Option<Period>,
}

impl Expect {
    /// How many assertions these are.
    #[must_use]
    pub fn count(&self) -> usize {
        let single = [
            self.status.is_some(),
            self.body.is_some(),
            self.content_type.is_some(),
            self.max_size.is_some(),
            self.min_size.is_some(),
            self.redirect_to.is_some(),
            self.ttfb.is_some(),
            self.duration.is_some(),
        ];
        single.into_iter().filter(|given| *given).count() + self.headers.len() + self.json.len()
    }
}

/// What to keep of an answer. Exactly one source is given; when it finds nothing, the step fails.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// The first value that this JSONPath finds.
    pub jsonpath: Option<String>,
    /// A header.
    pub header: Option<String>,
    /// A cookie that the answer sets.
    pub cookie: Option<String>,
    /// The first group of a regular expression in the body, or the whole match when it has none.
    pub regex: Option<String>,
    /// The first element in an HTML body that a selector such as input[name=csrf] finds: its text, or an attribute.
    pub css: Option<String>,
    /// The attribute to take with css.
    pub attr: Option<String>,
    /// Whether the value is never to be shown.
    pub secret: bool,
}

impl Step {
    /// The method and what stands beside it, when exactly one is given.
    #[must_use]
    pub fn target(&self) -> Option<(&'static str, &str)> {
        let all = [
            ("GET", &self.get),
            ("HEAD", &self.head),
            ("POST", &self.post),
            ("PUT", &self.put),
            ("PATCH", &self.patch),
            ("DELETE", &self.delete),
            ("OPTIONS", &self.options),
        ];
        let mut given = all
            .into_iter()
            .filter_map(|(method, target)| target.as_deref().map(|target| (method, target)));
        let first = given.next()?;
        given.next().is_none().then_some(first)
    }

    /// The step's name, or what it asks.
    #[must_use]
    pub fn title(&self) -> String {
        match (&self.name, self.target()) {
            (Some(name), _) => name.clone(),
            (None, Some((method, target))) => format!("{method} {target}"),
            (None, None) => "step".into(),
        }
    }
}

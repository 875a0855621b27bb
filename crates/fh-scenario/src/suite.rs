//! What a suite's file holds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fh_core::config::SecretSource;
use fh_core::duration::Period;
use fh_core::size::Size;
use serde::{Deserialize, Serialize};

use crate::matcher::Matcher;
use crate::step::{Retry, Step};

/// A suite: where it runs, and what must hold there.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Suite {
    /// The suite's name and limits.
    pub suite: Settings,
    /// Variables for all environments, used as ${name}.
    pub vars: BTreeMap<String, Variable>,
    /// Secrets for all environments, used as ${name} and never shown.
    pub secrets: BTreeMap<String, SecretSource>,
    /// The environments, chosen with --env.
    pub env: BTreeMap<String, Environment>,
    /// What must be answered before anything else: the version that was deployed.
    pub version: Option<VersionGate>,
    /// Steps that run once, before the scenarios, such as a login; what they capture can be used everywhere.
    pub setup: Vec<Step>,
    /// The scenarios. They run beside each other; the steps of one run in order.
    pub scenario: Vec<Scenario>,
    /// Pages whose scripts, styles and images must be there.
    pub assets: Vec<Assets>,
    /// Pages whose security headers are graded.
    pub security: Vec<Security>,
    /// Certificates that must last.
    pub tls: Vec<Certificate>,
}

/// A suite's name and limits.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The name, as shown in titles and reports.
    pub name: String,
    /// The time for the whole run; --deadline overrides it.
    pub deadline: Option<Period>,
    /// How many scenarios run at once.
    pub concurrency: usize,
    /// The time for one exchange; a step may say otherwise.
    pub timeout: Period,
    /// How much of a body is read.
    pub max_body: Size,
    /// The User-Agent header.
    pub user_agent: Option<String>,
    /// File with certificates (PEM) of further authorities to trust. Relative to this file.
    pub ca_file: Option<PathBuf>,
    /// When a step is tried again; a step may say otherwise.
    pub retry: Retry,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "smoke".into(),
            deadline: None,
            concurrency: 8,
            timeout: Period::from_secs(10),
            max_body: Size::from_bytes(8 << 20),
            user_agent: None,
            ca_file: None,
            retry: Retry::default(),
        }
    }
}

/// A variable: its text, or the environment variable that holds it.
#[derive(Debug, Clone)]
pub enum Variable {
    /// The text itself; numbers and booleans become texts.
    Text(String),
    /// The text of an environment variable.
    Env {
        /// Its name.
        env: String,
        /// The text when it is not set; without one, that is an error.
        default: Option<String>,
    },
}

/// One place where the suite can run.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Environment {
    /// What the paths of the steps are relative to, such as `https://app.example.com`. Variables may stand in it.
    pub base: String,
    /// Variables that differ here.
    pub vars: BTreeMap<String, Variable>,
    /// Secrets that differ here.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Further ways to the same host: name, and HOST:PORT to connect to instead of what the base's host resolves to,
    /// such as the load balancer behind a CDN.
    pub routes: BTreeMap<String, String>,
}

/// The version that must answer before anything else is judged.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VersionGate {
    /// The path to ask.
    pub path: String,
    /// Where the version stands in a JSON answer.
    pub jsonpath: Option<String>,
    /// The header that holds the version, instead of jsonpath.
    pub header: Option<String>,
    /// What the version must be.
    pub equals: String,
    /// How long to wait for it.
    #[serde(default = "within")]
    pub within: Period,
    /// The pause between two rounds.
    #[serde(default = "every")]
    pub every: Period,
    /// How many answers in a row must be right, on every address.
    #[serde(default = "stable_for")]
    pub stable_for: u32,
    /// Which of the host's addresses to ask.
    #[serde(default)]
    pub addresses: Addresses,
}

fn within() -> Period {
    Period::from_secs(180)
}

fn every() -> Period {
    Period::from_secs(2)
}

fn stable_for() -> u32 {
    3
}

/// Which of a host's addresses to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// Every address that the name resolves to.
    #[default]
    All,
    /// One that answers.
    Any,
}

/// Steps that belong together and share cookies and captures.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name, unique in the suite.
    pub name: String,
    /// Words to choose scenarios by, with --tag.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The ways on which it runs: default, and names from the environment's routes. A route that the chosen environment
    /// does not have is left out there, and said to be.
    #[serde(default = "default_route")]
    pub routes: Vec<String>,
    /// The steps, in order.
    pub step: Vec<Step>,
}

fn default_route() -> Vec<String> {
    vec![DEFAULT_ROUTE.to_owned()]
}

/// The name of the way that the resolver gives.
pub const DEFAULT_ROUTE: &str = "default";

/// A page whose scripts, styles and images must be there.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Assets {
    /// The page.
    pub page: String,
    /// The elements and attributes that name assets.
    #[serde(default = "asset_elements")]
    pub select: Vec<String>,
    /// Whether to ask only for assets of the page's own origin.
    #[serde(default = "yes")]
    pub same_origin: bool,
    /// Whether the media type must fit the element.
    #[serde(default = "yes")]
    pub content_type: bool,
    /// What Cache-Control must promise; not checked when not given.
    pub cache: Option<Cache>,
    /// When an element must carry a hash of the asset (integrity). A hash that is there is always checked.
    #[serde(default)]
    pub integrity: Integrity,
    /// The fewest assets the page must name.
    #[serde(default = "one")]
    pub at_least: usize,
    /// The most assets to ask for; more are a failure, and not left out in silence.
    #[serde(default = "hundred")]
    pub at_most: usize,
}

fn asset_elements() -> Vec<String> {
    ["script[src]", "link[rel=stylesheet][href]", "img[src]"]
        .map(str::to_owned)
        .to_vec()
}

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

fn hundred() -> usize {
    100
}

/// What Cache-Control must promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Cache {
    /// `immutable`, and a max-age of a day or more (RFC 8246).
    Immutable,
    /// A max-age above zero.
    Cacheable,
}

/// When an element must carry a hash of its asset (Subresource Integrity).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Integrity {
    /// Never.
    #[default]
    Optional,
    /// For scripts and styles of another origin.
    IfExternal,
    /// For every script and style.
    Always,
}

/// A page whose security headers are graded.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// The page.
    pub page: String,
    /// The lowest grade that is good enough: A+, A, A-, B+ and so on down to F.
    #[serde(default = "grade_b")]
    pub min_grade: String,
    /// Headers that must be there, whatever the grade.
    #[serde(default)]
    pub require: Vec<String>,
    /// What these headers must be.
    #[serde(default)]
    pub headers: BTreeMap<String, Matcher>,
    /// Whether http: must lead to https: on the same host; asked only where the base is https.
    #[serde(default = "yes")]
    pub https_redirect: bool,
    /// Where http: is answered, such as `http://app.example.com:8080`, when that is not port 80 of the base's host.
    pub http_base: Option<String>,
}

fn grade_b() -> String {
    "B".into()
}

/// A certificate that must last.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Certificate {
    /// HOST or HOST:PORT; the base's when not given.
    pub host: Option<String>,
    /// Fail when less than this share of its lifetime is left, in percent. Certificates become shorter-lived, so that days
    /// would warn for ever.
    pub min_left: Option<f64>,
    /// Fail when less than this time is left.
    pub min_time: Option<Period>,
    /// The application protocol that must be agreed on, such as h2.
    pub alpn: Option<String>,
}

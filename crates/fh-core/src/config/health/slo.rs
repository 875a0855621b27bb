use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// One service level objective.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthSlo {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// Where the events come from.
    #[serde(default)]
    pub source: SloSource,
    /// With `source = "checks"`: the web check whose rounds are the events, such as "http.api".
    #[serde(default)]
    pub check: Option<String>,
    /// With `source = "alb"`: the load balancer, as CloudWatch names it, such as "app/web/0123456789abcdef". The requests are
    /// the events, and those answered with 5xx the bad ones.
    #[serde(default)]
    pub load_balancer: Option<String>,
    /// How many events in a hundred must be good.
    #[serde(default = "availability")]
    pub availability: f64,
    /// How fast the answers must be. Only with `source = "checks"`: percentiles of CloudWatch's periods cannot be joined.
    #[serde(default)]
    pub latency: SloLatency,
    /// Over which time the objective is kept.
    #[serde(default = "window")]
    pub window: Period,
    /// Events that a window needs before it is judged.
    #[serde(default = "events")]
    pub min_events: u64,
}

fn availability() -> f64 {
    99.9
}

fn window() -> Period {
    Period::from_secs(30 * 24 * 3600)
}

fn events() -> u64 {
    20
}

/// Where the events of an objective come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SloSource {
    /// fh-health's own rounds, kept in a bounded file beside its memory.
    #[default]
    Checks,
    /// Requests to an Application Load Balancer, from CloudWatch.
    Alb,
}

/// How fast answers must be, in the window of the objective.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SloLatency {
    /// Half of the answers are faster.
    pub p50: Option<Period>,
    /// 95 in a hundred are faster.
    pub p95: Option<Period>,
    /// 99 in a hundred are faster.
    pub p99: Option<Period>,
}

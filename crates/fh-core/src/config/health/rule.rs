//! What can be said of every check by its id.

use serde::{Deserialize, Serialize};

use super::threshold::Threshold;

/// What is different for the checks whose id fits.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HealthRule {
    /// Whether it is checked at all.
    pub enabled: Option<bool>,
    /// From where on the check warns, in the check's own unit: "80%", "500ms", "10GiB", 5. "off" for never.
    pub warn: Option<Threshold>,
    /// From where on the check fails. "off" for never.
    pub crit: Option<Threshold>,
    /// How many runs in a row it must be bad before that is believed. 1 when not given. Needs the memory between runs.
    #[serde(rename = "for")]
    pub for_runs: Option<u32>,
    /// How many runs in a row it must be good again before that is believed. 1 when not given.
    pub recover: Option<u32>,
    /// Ids of checks without which this one says nothing.
    pub depends_on: Option<Vec<String>>,
    /// What to do about it, instead of the built-in advice.
    pub hint: Option<String>,
}

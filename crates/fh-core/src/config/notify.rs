use serde::{Deserialize, Serialize};

use super::secret_source::SecretSource;
use crate::duration::Period;

/// Who is told how a run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Slack incoming webhook. Environment variable: SLACK_WEBHOOK.
    pub slack_webhook: Option<SecretSource>,
    /// Address pinged at the start and end of each run, as healthchecks.io and its kin understand it, so that a run
    /// that never happened is noticed too. Environment variable: PING_URL.
    pub ping_url: Option<SecretSource>,
    /// Which runs Slack is told of. The ping address hears of all.
    pub on: NotifyOn,
    /// With `on = "change"`: while things stay bad, say so again after this time.
    pub remind_after: Period,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            slack_webhook: None,
            ping_url: None,
            on: NotifyOn::default(),
            // A little less than a day, so that a nightly run that starts a minute early still reminds.
            remind_after: Period::from_secs(20 * 3600),
        }
    }
}

/// Which runs people are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NotifyOn {
    /// Those that did not end well.
    Failure,
    /// Those that ended differently from the one before, and now and then while things stay bad.
    #[default]
    Change,
    /// All.
    Always,
}

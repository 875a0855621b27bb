use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// Which sets `fh-backup prune` keeps. Without any rule it removes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupRetention {
    /// How many of the newest sets to keep. 0 means that this rule keeps none.
    pub keep_last: u32,
    /// Of how many hours that have a set to keep the newest one.
    pub keep_hourly: u32,
    /// Of how many days that have a set to keep the newest one.
    pub keep_daily: u32,
    /// Of how many weeks (ISO 8601, from Monday) that have a set to keep the newest one.
    pub keep_weekly: u32,
    /// Of how many months that have a set to keep the newest one.
    pub keep_monthly: u32,
    /// Of how many years that have a set to keep the newest one.
    pub keep_yearly: u32,
    /// Keep every set that is at most this much older than the newest proven one.
    pub keep_within: Option<Period>,
    /// How many proven sets of each database to keep whatever the rules say, at least 1.
    pub min: u32,
    /// What proves a set, so that it counts for the rules above.
    pub require: RetentionRequire,
    /// The time zone in which hours, days, weeks, months and years begin, such as Europe/Berlin.
    pub time_zone: String,
    /// Whose time of a set is believed.
    pub times: RetentionTimes,
}

impl Default for BackupRetention {
    fn default() -> Self {
        Self {
            keep_last: 0,
            keep_hourly: 0,
            keep_daily: 0,
            keep_weekly: 0,
            keep_monthly: 0,
            keep_yearly: 0,
            keep_within: None,
            min: 2,
            require: RetentionRequire::default(),
            time_zone: "UTC".into(),
            times: RetentionTimes::default(),
        }
    }
}

/// What proves a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RetentionRequire {
    /// That it is there, with the right seal.
    Present,
    /// That a verification or a drill found it whole.
    #[default]
    Verified,
    /// That a drill restored it.
    Drilled,
}

/// Whose time of a set is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RetentionTimes {
    /// The set's own, unless the store says that it was written more than a day before or after; then the store's.
    #[default]
    Checked,
    /// The set's own. For a repository that was copied, where the store knows the time of the copy only.
    Own,
}

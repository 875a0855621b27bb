use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// What `fh-backup status` calls too old.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupStatus {
    /// How old the newest set may be.
    pub max_age: Period,
    /// How long ago a set may last have been verified. Not judged when not given.
    pub max_verify_age: Option<Period>,
    /// How long ago a set may last have been restored by a drill. Not judged when not given.
    pub max_drill_age: Option<Period>,
}

impl Default for BackupStatus {
    fn default() -> Self {
        Self {
            // Two hours more than a day, for a nightly backup.
            max_age: Period::from_secs(26 * 3600),
            max_verify_age: None,
            max_drill_age: None,
        }
    }
}

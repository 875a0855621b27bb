use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// How old backups and drills may be, in the repository of `[backup]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HealthBackup {
    /// How old the newest good set may be.
    pub max_age: Period,
    /// How long ago the newest drill may have been.
    pub max_drill_age: Period,
    /// Databases of which there must be a set. Every group of sets is looked at when not given.
    pub databases: Vec<String>,
}

impl Default for HealthBackup {
    fn default() -> Self {
        Self {
            max_age: Period::from_secs(26 * 3600),
            max_drill_age: Period::from_secs(8 * 24 * 3600),
            databases: Vec::new(),
        }
    }
}

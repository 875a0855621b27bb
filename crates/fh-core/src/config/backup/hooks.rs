use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// Commands that `fh-backup create` runs with `sh -c` before and after its work.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupHooks {
    /// Before the backup begins. When one fails, there is no backup, and the exit code is 3.
    pub before: Vec<String>,
    /// After a backup that ended well. When one fails, that is a warning.
    pub after: Vec<String>,
    /// After a backup that did not end well: an error, or a set that holds suspiciously little.
    pub failed: Vec<String>,
    /// At the end of each backup, after those above.
    pub finally: Vec<String>,
    /// How long one command may take.
    pub timeout: Period,
}

impl Default for BackupHooks {
    fn default() -> Self {
        Self {
            before: Vec::new(),
            after: Vec::new(),
            failed: Vec::new(),
            finally: Vec::new(),
            timeout: Period::from_secs(600),
        }
    }
}

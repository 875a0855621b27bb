use serde::{Deserialize, Serialize};

use crate::config::SecretSource;

/// Addresses that are pinged by other commands than `fh-backup create`, which uses `notify.ping_url`. Each needs its own:
/// a clean-up that pings in place of the backup would hide that there was none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupPing {
    /// Pinged by `fh-backup prune`.
    pub prune: Option<SecretSource>,
    /// Pinged by `fh-backup drill`.
    pub drill: Option<SecretSource>,
    /// Pinged by `fh-backup status`.
    pub status: Option<SecretSource>,
}

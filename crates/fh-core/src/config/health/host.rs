use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// This host or container.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HealthHost {
    /// File systems to look at, by a path on each.
    pub disks: Vec<PathBuf>,
}

impl Default for HealthHost {
    fn default() -> Self {
        Self {
            disks: vec![PathBuf::from("/")],
        }
    }
}

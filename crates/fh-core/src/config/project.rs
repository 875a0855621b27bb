use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the tools are used on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Project {
    /// The project's name, as shown in titles and messages.
    pub name: String,
    /// Folder for what the tools remember between runs, and for their locks. Relative to this file. Environment
    /// variable: FH_STATE_DIR. When not given: systemd's STATE_DIRECTORY, else `fh` in XDG_STATE_HOME, else
    /// ~/.local/state/fh.
    pub state_dir: Option<PathBuf>,
}

impl Default for Project {
    fn default() -> Self {
        Self {
            name: "project".into(),
            state_dir: None,
        }
    }
}

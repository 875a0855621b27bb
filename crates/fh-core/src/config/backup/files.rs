use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A folder that goes into every set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BackupFiles {
    /// What the tree is called in the set and on the command line.
    pub name: String,
    /// The folder. Relative to this file.
    pub path: PathBuf,
    /// What to leave out: names such as `*.tmp`, or with a slash paths below the folder such as `cache/**`. `*` and `?` do
    /// not match a slash, `**` does.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What becomes of the backup when a file cannot be read.
    #[serde(default)]
    pub on_unreadable: OnUnreadable,
}

/// What becomes of the backup when a file cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnUnreadable {
    /// There is no set.
    #[default]
    Fail,
    /// The file is left out, and the report warns.
    Warn,
}

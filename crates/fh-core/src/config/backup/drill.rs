use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::secret_source::SecretSource;
use crate::duration::Period;

/// Restore drills: where, how fast, and what the restored database must answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupDrill {
    /// Which database of the set to restore, when it holds several.
    pub database: Option<String>,
    /// Connection URL of the server for drills, whose role may create databases. Without it a throw-away server is
    /// started on this machine.
    pub server_url: Option<SecretSource>,
    /// Folder for the throw-away server. The system's folder for temporary files when not given. Relative to this file.
    pub folder: Option<PathBuf>,
    /// How long the restore may take, from opening the set until the database can be used. A longer one fails the drill.
    pub max_rto: Option<Period>,
    /// How long one assertion may take.
    pub statement_timeout: Period,
    /// Questions to the restored database.
    pub assertions: Vec<BackupAssertion>,
}

impl Default for BackupDrill {
    fn default() -> Self {
        Self {
            database: None,
            server_url: None,
            folder: None,
            max_rto: None,
            statement_timeout: Period::from_secs(60),
            assertions: Vec::new(),
        }
    }
}

/// One question to a restored database, asked in a read-only transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BackupAssertion {
    /// What it is about, for reports.
    pub name: String,
    /// One query that gives one value.
    pub sql: String,
    /// What the value must be: a text or number, or `=`, `!=`, `<`, `<=`, `>` or `>=` before it. `true` when not given.
    #[serde(default = "yes")]
    pub expect: String,
}

fn yes() -> String {
    "true".to_owned()
}

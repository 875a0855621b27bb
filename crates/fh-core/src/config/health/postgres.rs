use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::secret_source::SecretSource;
use crate::duration::Period;

/// One PostgreSQL database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthPostgres {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// Connection URL. `database.url` when not given.
    #[serde(default)]
    pub url: Option<SecretSource>,
    /// Whether the password is a token of AWS IAM instead of the URL's own. The region is that of `[aws]`.
    #[serde(default)]
    pub iam: bool,
    /// How long one statement of a check may run.
    #[serde(default = "statement_timeout")]
    pub statement_timeout: Period,
    /// How long one statement of a check may wait for a lock.
    #[serde(default = "lock_timeout")]
    pub lock_timeout: Period,
    /// Whether statements of other sessions are shown: their first 120 characters, without the constants in them.
    #[serde(default = "yes")]
    pub show_queries: bool,
    /// How old the statistics must be to tell which indexes nobody uses: a week has its Monday reports.
    #[serde(default = "a_week")]
    pub unused_after: Period,
    /// How many standbys must follow this server. Any number when not given.
    #[serde(default)]
    pub standbys: Option<u64>,
    /// Settings that the server must have, such as { shared_buffers = "4GB", wal_level = "replica" }.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Migrations of Django that must be applied.
    #[serde(default)]
    pub migrations: HealthMigrations,
}

/// Which migrations of Django must be applied. Without folders and names they are not looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HealthMigrations {
    /// The table in which Django keeps what is applied.
    pub table: String,
    /// Folders with the code: every `APP/migrations/NAME.py` below them must be applied. Relative to this file.
    pub folders: Vec<PathBuf>,
    /// Names of migrations that must be applied, such as "accounts.0003_user_phone".
    pub expected: Vec<String>,
}

impl Default for HealthMigrations {
    fn default() -> Self {
        Self {
            table: "django_migrations".to_owned(),
            folders: Vec::new(),
            expected: Vec::new(),
        }
    }
}

impl HealthPostgres {
    /// The server of `database.url`, when nothing else is said about it.
    #[must_use]
    pub fn of_the_environment() -> Self {
        Self {
            name: "main".to_owned(),
            url: None,
            iam: false,
            statement_timeout: statement_timeout(),
            lock_timeout: lock_timeout(),
            show_queries: true,
            unused_after: a_week(),
            standbys: None,
            settings: BTreeMap::new(),
            migrations: HealthMigrations::default(),
        }
    }
}

fn statement_timeout() -> Period {
    Period::from_secs(5)
}

fn lock_timeout() -> Period {
    Period::from_secs(1)
}

fn a_week() -> Period {
    Period::from_secs(7 * 24 * 3600)
}

fn yes() -> bool {
    true
}

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret_source::SecretSource;
use crate::duration::Period;

/// The PostgreSQL database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// Connection URL or keyword string as libpq reads it. Environment variable: DATABASE_URL.
    pub url: Option<SecretSource>,
    /// Folder with pg_dump and pg_restore, when the ones found are not the right ones. Relative to this file.
    /// Environment variable: FH_PG_BINDIR.
    pub bin_dir: Option<PathBuf>,
    /// How long to wait for a connection.
    pub connect_timeout: Period,
    /// How long to wait for a lock on a table before giving up.
    pub lock_timeout: Period,
    /// PEM file with the certificate authorities to trust, besides the built-in ones of Amazon RDS. Relative to this file.
    pub ssl_root_cert: Option<PathBuf>,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            bin_dir: None,
            connect_timeout: Period::from_secs(10),
            lock_timeout: Period::from_secs(30),
            ssl_root_cert: None,
        }
    }
}

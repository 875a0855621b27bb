use serde::{Deserialize, Serialize};

use crate::config::secret_source::SecretSource;

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
}

use serde::{Deserialize, Serialize};

use crate::config::secret_source::SecretSource;

/// One Redis or Valkey server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthRedis {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// Connection URL. `redis.url` when not given.
    #[serde(default)]
    pub url: Option<SecretSource>,
}

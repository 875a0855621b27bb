use serde::{Deserialize, Serialize};

use crate::config::secret_source::SecretSource;
use crate::duration::Period;

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
    /// How many replicas must follow this server. Any number when not given.
    #[serde(default)]
    pub replicas: Option<u64>,
    /// How long one answer may take. `health.timeout` when not given.
    #[serde(default)]
    pub timeout: Option<Period>,
}

impl HealthRedis {
    /// The server of `redis.url`, when nothing else is said about it.
    #[must_use]
    pub fn of_the_environment() -> Self {
        Self {
            name: "main".to_owned(),
            url: None,
            replicas: None,
            timeout: None,
        }
    }
}

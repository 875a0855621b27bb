use serde::{Deserialize, Serialize};

use super::secret_source::SecretSource;

/// The Redis server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Redis {
    /// Connection URL, `redis://` or `rediss://`. Environment variable: REDIS_URL.
    pub url: Option<SecretSource>,
}

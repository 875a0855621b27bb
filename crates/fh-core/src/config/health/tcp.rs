use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// One TCP port.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthTcp {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The host. Every address of it must accept a connection.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How long it may take. `health.timeout` when not given.
    #[serde(default)]
    pub timeout: Option<Period>,
}

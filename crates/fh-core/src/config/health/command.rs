use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// One command, judged by its exit code.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthCommand {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The program and its arguments. No shell reads them.
    pub command: Vec<String>,
    /// Whether the exit codes are those of Nagios plugins: 0 good, 1 warning, 2 bad, 3 unknown. Otherwise 0 is good and
    /// everything else bad.
    #[serde(default)]
    pub nagios: bool,
    /// How long it may take before it and its children are killed. `health.timeout` when not given.
    #[serde(default)]
    pub timeout: Option<Period>,
}

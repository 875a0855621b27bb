use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// One TLS server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthTls {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The host, which must be in the certificate.
    pub host: String,
    /// The port. 443, or 5432 with `starttls = "postgres"`.
    #[serde(default)]
    pub port: Option<u16>,
    /// What is said before TLS begins.
    #[serde(default)]
    pub starttls: Starttls,
    /// The name to ask for and to look for in the certificate, when it is not the host.
    #[serde(default)]
    pub server_name: Option<String>,
    /// PEM file with certificate authorities to trust besides the system's. Relative to this file.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Whether to try the old protocols TLS 1.0 and 1.1, which costs two more connections.
    #[serde(default = "yes")]
    pub old_protocols: bool,
    /// How long it may take. `health.timeout` when not given.
    #[serde(default)]
    pub timeout: Option<Period>,
}

fn yes() -> bool {
    true
}

/// What is said before TLS begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Starttls {
    /// Nothing.
    #[default]
    None,
    /// PostgreSQL's SSLRequest.
    Postgres,
}

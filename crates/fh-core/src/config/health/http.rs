use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::secret_source::SecretSource;
use crate::duration::Period;
use crate::size::Size;

/// One web address.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthHttp {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The address, `http://` or `https://`.
    pub url: String,
    /// Which of the host's addresses are asked.
    #[serde(default)]
    pub addresses: Addresses,
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// Headers of the request. Their values are secrets: name a variable or file for those that are.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
    /// Status codes that are good: "200", "2xx", "200-299". 2xx when not given.
    #[serde(default)]
    pub status: Vec<String>,
    /// Headers that the answer must have, with a text that the value must contain.
    #[serde(default)]
    pub expect_headers: BTreeMap<String, String>,
    /// Conditions on a JSON body: a path of RFC 9535 and a comparison, such as `$.database == "connected"`.
    #[serde(default)]
    pub json: Vec<String>,
    /// A text that the body must contain.
    #[serde(default)]
    pub contains: Option<String>,
    /// How large the body may be.
    #[serde(default)]
    pub max_size: Option<Size>,
    /// How many redirects are followed. None when not given, so that a redirect is an answer like any other.
    #[serde(default)]
    pub redirects: u32,
    /// How long one exchange may take. `health.timeout` when not given.
    #[serde(default)]
    pub timeout: Option<Period>,
    /// PEM file with certificate authorities to trust besides the system's. Relative to this file.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn get() -> String {
    "GET".to_owned()
}

/// Which addresses of a name are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// Every one, so that a dead node behind a name is seen.
    #[default]
    All,
    /// The first that accepts a connection, as a browser does.
    First,
}

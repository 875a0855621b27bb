use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// One name in the DNS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthDns {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The domain name to ask for.
    pub domain: String,
    /// The kind of record.
    #[serde(default)]
    pub record: DnsRecord,
    /// What the answer must hold, all of it. Any answer will do when not given.
    #[serde(default)]
    pub expect: Vec<String>,
    /// Name server to ask, as ADDRESS or ADDRESS:PORT. The first of /etc/resolv.conf when not given.
    #[serde(default)]
    pub server: Option<String>,
    /// How long it may take. `health.timeout` when not given.
    #[serde(default)]
    pub timeout: Option<Period>,
}

/// The kind of a DNS record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum DnsRecord {
    /// IPv4 addresses.
    #[default]
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The name that this one stands for.
    Cname,
    /// Mail servers.
    Mx,
    /// Name servers.
    Ns,
    /// Texts.
    Txt,
    /// Certificate authorities that may issue for this name.
    Caa,
}

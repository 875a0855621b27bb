//! The section of fh-health.

mod aws;
mod backup;
mod command;
mod dns;
mod host;
mod http;
mod postgres;
mod redis;
mod rule;
mod slo;
mod tcp;
mod threshold;
mod tls;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use aws::{
    HealthAlarms, HealthAws, HealthEcs, HealthElastiCache, HealthMetric, HealthRds, HealthTargets, NoData,
};
pub use backup::HealthBackup;
pub use command::HealthCommand;
pub use dns::{DnsRecord, HealthDns};
pub use host::HealthHost;
pub use http::{Addresses, HealthHttp};
pub use postgres::{HealthMigrations, HealthPostgres};
pub use redis::HealthRedis;
pub use rule::HealthRule;
pub use slo::{HealthSlo, SloLatency, SloSource};
pub use tcp::HealthTcp;
pub use threshold::Threshold;
pub use tls::{HealthTls, Starttls};

use super::secret_source::SecretSource;
use crate::duration::Period;

/// What fh-health looks at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// How long one round of all checks may take, unless `--deadline` says otherwise. A check that has not ended by then is
    /// unknown.
    pub deadline: Period,
    /// How long one attempt of a check may take.
    pub timeout: Period,
    /// Whether people are told of warnings too, and not only of what fails or is unknown.
    pub alert_warnings: bool,
    /// Address pinged after each round, so that a monitor that no longer runs is noticed. It belongs to fh-health alone.
    pub ping_url: Option<SecretSource>,
    /// Where the runbook for incidents is: hints link to its chapters.
    pub runbook: String,
    /// Web addresses.
    pub http: Vec<HealthHttp>,
    /// Certificates and protocols of TLS servers.
    pub tls: Vec<HealthTls>,
    /// DNS records.
    pub dns: Vec<HealthDns>,
    /// TCP ports.
    pub tcp: Vec<HealthTcp>,
    /// Commands, judged by their exit code.
    pub command: Vec<HealthCommand>,
    /// This host or container.
    pub host: Option<HealthHost>,
    /// PostgreSQL databases. Without any, the one of `database.url`.
    pub postgres: Vec<HealthPostgres>,
    /// Redis or Valkey servers. Without any, the one of `redis.url`.
    pub redis: Vec<HealthRedis>,
    /// AWS.
    pub aws: HealthAws,
    /// Backups made by fh-backup.
    pub backup: Option<HealthBackup>,
    /// Service level objectives.
    pub slo: Vec<HealthSlo>,
    /// Thresholds, dependencies, hints and patience, by id of a check. `*` stands for any text: "http.*.total". The
    /// longer pattern wins, and an id without a star wins over all.
    pub checks: BTreeMap<String, HealthRule>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            deadline: Period::from_secs(30),
            timeout: Period::from_secs(10),
            alert_warnings: false,
            ping_url: None,
            runbook: "runbooks/INCIDENT.md".to_owned(),
            http: Vec::new(),
            tls: Vec::new(),
            dns: Vec::new(),
            tcp: Vec::new(),
            command: Vec::new(),
            host: None,
            postgres: Vec::new(),
            redis: Vec::new(),
            aws: HealthAws::default(),
            backup: None,
            slo: Vec::new(),
            checks: BTreeMap::new(),
        }
    }
}

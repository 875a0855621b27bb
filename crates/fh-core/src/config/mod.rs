//! One file for all tools, one type for all its sections, and the origin of every value.
//!
//! ```
//! use fh_core::config::{Config, ConfigSource};
//!
//! let vars = |name: &str| (name == "DATABASE_URL").then(|| "postgres://app@localhost/app".to_owned());
//! let loaded = Config::load(&ConfigSource::default(), &vars, std::path::Path::new("/")).unwrap();
//! assert!(loaded.config.database.url.is_some());
//! assert_eq!(loaded.origins.of("database.url").to_string(), "environment variable DATABASE_URL");
//! assert_eq!(loaded.origins.of("backup.jobs").to_string(), "default");
//! ```
//!
//! The file is `financehub.toml` here or above, or what `--config` or `FH_CONFIG` names. Relative paths in it start at
//! its folder. `[env.NAME]` tables hold what differs in one environment; `-e NAME` or `FH_ENV` chooses it.

mod aws;
mod backup;
mod database;
mod document;
mod fault;
mod file;
mod health;
mod load;
mod notify;
mod origin;
mod parse;
mod paths;
mod project;
mod reader;
mod redis;
mod resolve;
mod secret_source;
mod tree;
mod variables;

#[cfg(feature = "schema")]
mod schema;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use aws::Aws;
pub use backup::{
    Anonymize, AnonymizeTable, Backup, BackupAssertion, BackupCollapse, BackupCopy, BackupDrill, BackupFiles,
    BackupHooks, BackupPing, BackupRedis, BackupRetention, BackupS3, BackupStatus, LargeObjects, MaskRule,
    ObjectLock, ObjectLockMode, OnUnreadable, RetentionRequire, RetentionTimes, S3Checksums, Unlisted,
};
pub use database::Database;
pub use document::{Places, read_document};
pub use file::FILE_NAME;
pub use health::{
    Addresses, DnsRecord, Health, HealthAlarms, HealthAws, HealthBackup, HealthCommand, HealthDns, HealthEcs,
    HealthElastiCache, HealthHost, HealthHttp, HealthMetric, HealthMigrations, HealthPostgres, HealthRds,
    HealthRedis, HealthRule, HealthSlo, HealthTargets, HealthTcp, HealthTls, NoData, SloLatency, SloSource,
    Starttls, Threshold,
};
pub use load::{ConfigSource, Entry, Loaded};
pub use notify::{Notify, NotifyOn};
pub use origin::{Origin, Origins};
pub use project::Project;
pub use redis::Redis;
pub use resolve::{LocalSecrets, SecretResolver};
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub use secret_source::SecretSource;
pub use variables::{VARIABLES, Variable};

/// The whole configuration. Every tool reads all of it and uses its part.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether anything destructive needs the environment's name typed, or `--confirm NAME`. Meant for [env.NAME].
    pub protected: bool,
    /// What the tools are used on.
    pub project: Project,
    /// The PostgreSQL database.
    pub database: Database,
    /// The Redis server.
    pub redis: Redis,
    /// How to reach AWS.
    pub aws: Aws,
    /// Where backups go and how they are made.
    pub backup: Backup,
    /// What is looked at in operation.
    pub health: Health,
    /// Who is told how a run ended.
    pub notify: Notify,
}

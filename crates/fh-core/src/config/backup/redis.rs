use serde::{Deserialize, Serialize};

/// Redis in every set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupRedis {
    /// Whether the keys of `redis.url` go into the set. They are read one after the other, not at one moment.
    pub enabled: bool,
    /// Replication group of ElastiCache that is told to take a snapshot of its own instead. The set then holds the
    /// snapshot's name and no keys.
    pub elasticache: Option<String>,
}

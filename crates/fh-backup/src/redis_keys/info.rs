//! What a Redis server says about itself, and what a value says about its format.

use std::collections::BTreeMap;

/// The parts of `INFO` that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// `redis_version`, which Valkey gives too; with `valkey_version` behind it when there is one.
    pub version: String,
    /// Whether this is one node of a cluster.
    pub cluster: bool,
    /// Databases with keys, and how many.
    pub databases: BTreeMap<u32, u64>,
}

impl Info {
    /// Reads the answers of `INFO server` and `INFO keyspace`, one after the other.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut info = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.trim().split_once(':')) {
            match key {
                "redis_version" => value.clone_into(&mut info.version),
                "valkey_version" => info.version.push_str(&format!(" (Valkey {value})")),
                "redis_mode" => info.cluster = value == "cluster",
                _ => {
                    let index = key.strip_prefix("db").and_then(|index| index.parse().ok());
                    let keys = value
                        .split(',')
                        .find_map(|part| part.strip_prefix("keys=")?.parse().ok());
                    if let (Some(index), Some(keys)) = (index, keys) {
                        info.databases.insert(index, keys);
                    }
                }
            }
        }
        info
    }
}

/// The RDB version of a value: a `DUMP` ends with two bytes of it, little-endian, and eight of checksum (Redis
/// documentation, "DUMP"; `createDumpPayload` in Redis's `cluster.c`).
#[must_use]
pub fn rdb_version_of(payload: &[u8]) -> Option<u16> {
    let at = payload.len().checked_sub(10)?;
    Some(u16::from_le_bytes([*payload.get(at)?, *payload.get(at + 1)?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_read() {
        let info = Info::parse(
            "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n# Keyspace\r\n\
             db0:keys=12,expires=3,avg_ttl=0\r\ndb15:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n",
        );
        assert_eq!(info.version, "7.0.15");
        assert!(!info.cluster);
        assert_eq!(info.databases, BTreeMap::from([(0, 12), (15, 1)]));
        assert!(Info::parse("redis_mode:cluster\n").cluster);
    }

    #[test]
    fn the_version_stands_before_the_checksum() {
        let payload = b"\x00\x01x\x0a\x00\x01\x02\x03\x04\x05\x06\x07\x08";
        assert_eq!(rdb_version_of(payload), Some(10));
        assert_eq!(rdb_version_of(&payload[..9]), None);
    }
}

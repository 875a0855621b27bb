use serde::{Deserialize, Serialize};

/// When a new set holds suspiciously less than the one before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupCollapse {
    /// How much of its rows or bytes a table may lose from one set to the next, in percent.
    pub max_drop: u32,
    /// How much all tables together may lose, in percent.
    pub max_total_drop: u32,
    /// Tables that had fewer rows than this may shrink as they like.
    pub min_rows: u64,
    /// Tables that come and go: schema.name, where * stands for any text, such as public.events_*.
    pub ignore: Vec<String>,
}

impl Default for BackupCollapse {
    fn default() -> Self {
        Self {
            max_drop: 50,
            max_total_drop: 20,
            min_rows: 1000,
            ignore: Vec::new(),
        }
    }
}

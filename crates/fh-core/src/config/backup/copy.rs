use serde::{Deserialize, Serialize};

use super::BackupS3;

/// The second repository, which `fh-backup copy` fills.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupCopy {
    /// Where it is: a folder (relative to this file) or s3://bucket/prefix.
    pub to: Option<String>,
    /// How to reach it when it is in S3. Nothing of `backup.s3` counts here.
    pub s3: BackupS3,
}

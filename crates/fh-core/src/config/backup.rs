use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret_source::SecretSource;

/// Where backups go and how they are made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// The repository: a folder (relative to this file) or s3://bucket/prefix. Environment variable:
    /// FH_BACKUP_REPOSITORY.
    pub repository: Option<String>,
    /// The folder of a local repository, when `repository` is not given. Relative to this file. Environment variable:
    /// BACKUP_DIR.
    pub directory: Option<PathBuf>,
    /// Public keys (age1…) that backups are encrypted to. Without any, backups are in clear.
    pub recipients: Vec<String>,
    /// The repository key, which names and authenticates what is stored. Environment variable with the path of a file:
    /// FH_BACKUP_KEY_FILE.
    pub key: Option<SecretSource>,
    /// The private key (AGE-SECRET-KEY-1…) that restores need. Environment variable with the path of a file:
    /// FH_BACKUP_IDENTITY_FILE.
    pub identity: Option<SecretSource>,
    /// Level of zstd. Higher levels take far more time and save little.
    pub compression_level: i32,
    /// How many segments are read, compressed and written at once.
    pub jobs: u32,
    /// A repository in S3.
    pub s3: BackupS3,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            repository: None,
            directory: None,
            recipients: Vec::new(),
            key: None,
            identity: None,
            compression_level: 1,
            jobs: 2,
            s3: BackupS3::default(),
        }
    }
}

/// A backup repository in S3, or in a store that speaks its protocol.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupS3 {
    /// The bucket, when `backup.repository` is not given. Environment variable: S3_BUCKET.
    pub bucket: Option<String>,
    /// What the keys of all objects begin with.
    pub prefix: Option<String>,
    /// The bucket's region, when it is not that of `aws.region`.
    pub region: Option<String>,
    /// Address of the store, when it is not Amazon's own or that of `aws.endpoint_url`.
    pub endpoint_url: Option<String>,
    /// Whether the bucket is named in the path and not in the host name. Chosen by the endpoint when not given.
    pub path_style: Option<bool>,
    /// Storage class of new objects, such as STANDARD_IA.
    pub storage_class: Option<String>,
    /// KMS key for the encryption on Amazon's side.
    pub sse_kms_key_id: Option<String>,
}

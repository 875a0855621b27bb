//! The section of fh-backup.

mod anonymize;
mod collapse;
mod copy;
mod drill;
mod files;
mod hooks;
mod ping;
mod redis;
mod retention;
mod s3;
mod status;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use anonymize::{Anonymize, AnonymizeTable, LargeObjects, MaskRule, Unlisted};
pub use collapse::BackupCollapse;
pub use copy::BackupCopy;
pub use drill::{BackupAssertion, BackupDrill};
pub use files::{BackupFiles, OnUnreadable};
pub use hooks::BackupHooks;
pub use ping::BackupPing;
pub use redis::BackupRedis;
pub use retention::{BackupRetention, RetentionRequire, RetentionTimes};
pub use s3::{BackupS3, ObjectLock, ObjectLockMode, S3Checksums};
pub use status::BackupStatus;

use super::secret_source::SecretSource;
use crate::duration::Period;
use crate::size::Size;

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
    /// Bytes sent to the repository each second at most, such as 10MiB, so that others can use the line too. No limit
    /// when not given.
    pub limit_upload: Option<Size>,
    /// How long another session may wait for a lock of the backup before the backup gives way and ends with exit code 3:
    /// behind a migration that waits, everybody waits. 0s never gives way.
    pub yield_after: Period,
    /// Databases to back up, on the server of `database.url`. Without any, the one that the URL names.
    pub databases: Vec<String>,
    /// Whether every database of the server is backed up, templates left out.
    pub all_databases: bool,
    /// Folders to back up, such as uploaded media.
    pub files: Vec<BackupFiles>,
    /// Configuration files such as `.env`, stored complete. Relative to this file. Only in an encrypted repository.
    pub config_files: Vec<PathBuf>,
    /// Redis.
    pub redis: BackupRedis,
    /// A repository in S3.
    pub s3: BackupS3,
    /// A second repository.
    pub copy: BackupCopy,
    /// How old data must be that no set needs before it may be removed, and how long it is announced first. Longer than
    /// any backup takes; at least 1h.
    pub gc_grace: Period,
    /// When a new set holds suspiciously less than the one before it.
    pub collapse: BackupCollapse,
    /// Which sets are kept.
    pub retention: BackupRetention,
    /// What is too old.
    pub status: BackupStatus,
    /// Commands around a backup.
    pub hooks: BackupHooks,
    /// Addresses that other commands ping.
    pub ping: BackupPing,
    /// Restore drills.
    pub drill: BackupDrill,
    /// Rules for a restore without personal data.
    pub anonymize: Anonymize,
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
            limit_upload: None,
            yield_after: Period::from_secs(20),
            databases: Vec::new(),
            all_databases: false,
            files: Vec::new(),
            config_files: Vec::new(),
            redis: BackupRedis::default(),
            s3: BackupS3::default(),
            copy: BackupCopy::default(),
            gc_grace: Period::from_secs(24 * 3600),
            collapse: BackupCollapse::default(),
            retention: BackupRetention::default(),
            status: BackupStatus::default(),
            hooks: BackupHooks::default(),
            ping: BackupPing::default(),
            drill: BackupDrill::default(),
            anonymize: Anonymize::default(),
        }
    }
}

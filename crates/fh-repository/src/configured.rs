//! Where the repository of the configuration is, and how to reach it.

use std::num::NonZeroU32;

use fh_core::config::{Aws, Backup, BackupS3};
use fh_core::size::Size;
use fh_core::{Error, Result};

use crate::location::{Location, S3Options};

impl Location {
    /// Where the repository is.
    ///
    /// # Errors
    /// Exit code 2 when no place, or more than one, is configured.
    pub fn configured(backup: &Backup) -> Result<Self> {
        if let Some(place) = &backup.repository {
            return Self::parse(place);
        }
        match (&backup.directory, &backup.s3.bucket) {
            (Some(folder), None) => Ok(Self::Directory(folder.clone())),
            (None, Some(bucket)) => {
                Self::parse(&format!("s3://{bucket}/{}", backup.s3.prefix.as_deref().unwrap_or_default()))
            }
            (Some(folder), Some(bucket)) => Err(Error::usage(format!(
                "two repositories are configured: the folder {} and the bucket {bucket}",
                folder.display()
            ))
            .hint("say which one with --repository or FH_BACKUP_REPOSITORY")),
            (None, None) => Err(Error::usage("no repository is configured").hint(
                "give --repository (a folder or s3://BUCKET/PREFIX), FH_BACKUP_REPOSITORY, or backup.repository in financehub.toml",
            )),
        }
    }
}

impl S3Options {
    /// How to reach the bucket that a section of the configuration describes.
    #[must_use]
    pub fn configured(aws: &Aws, s3: &BackupS3) -> Self {
        Self {
            region: s3.region.clone().or_else(|| aws.region.clone()),
            profile: aws.profile.clone(),
            only_profile: s3.profile.clone(),
            endpoint_url: s3.endpoint_url.clone().or_else(|| aws.endpoint_url.clone()),
            path_style: s3.path_style,
            storage_class: s3.storage_class.clone(),
            sse_kms_key_id: s3.sse_kms_key_id.clone(),
            object_lock: s3.object_lock,
            checksums: s3.checksums,
            part_size: s3.part_size.map(Size::bytes),
            attempts: s3.attempts.map(NonZeroU32::get),
        }
    }
}

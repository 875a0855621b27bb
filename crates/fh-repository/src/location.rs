//! Where a repository is, from the text an operator gives.

use std::path::PathBuf;
use std::sync::Arc;

use fh_core::config::{ObjectLock, S3Checksums};
use fh_core::{Deadline, Error, Result};

use crate::store::{DirStore, S3Store, Store};

/// A folder or a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder on this machine.
    Directory(PathBuf),
    /// A bucket and the prefix of every key in it, without slashes at its ends.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix; empty for none.
        prefix: String,
    },
}

/// How to reach S3, or a store that speaks its protocol.
#[derive(Debug, Clone, Default)]
pub struct S3Options {
    /// Region; the environment's when not given.
    pub region: Option<String>,
    /// Profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Profile whose credentials are taken even where the environment has some.
    pub only_profile: Option<String>,
    /// Endpoint of an S3-compatible store.
    pub endpoint_url: Option<String>,
    /// `https://endpoint/bucket/key` instead of `https://bucket.endpoint/key`. The default is true with an endpoint.
    pub path_style: Option<bool>,
    /// Storage class of what is written.
    pub storage_class: Option<String>,
    /// KMS key for encryption by the store.
    pub sse_kms_key_id: Option<String>,
    /// Object Lock of what is written.
    pub object_lock: Option<ObjectLock>,
    /// When checksums are sent; chosen by the endpoint when not given.
    pub checksums: Option<S3Checksums>,
    /// Bytes of one part of a multipart upload; 16 MiB when not given. Objects larger than four parts are sent in parts.
    pub part_size: Option<u64>,
    /// How often a call is tried; 8 when not given.
    pub attempts: Option<u32>,
}

impl std::fmt::Display for Location {
    /// As [`Location::parse`] reads it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(folder) => write!(f, "{}", folder.display()),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl Location {
    /// Reads `s3://bucket/prefix`, `dir:/path` or a path.
    ///
    /// # Errors
    /// Exit code 2 when the text is empty, names no bucket, or has another scheme.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(
                    Error::usage(format!("{text:?} names no bucket")).hint("write s3://BUCKET/PREFIX")
                );
            }
            return Ok(Self::S3 {
                bucket: bucket.to_owned(),
                prefix: prefix.trim_matches('/').to_owned(),
            });
        }
        // Otherwise a backup would quietly go to a local folder of that name.
        if text
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case("s3:"))
        {
            return Err(Error::usage(format!("{text:?} is not a bucket")).hint("write s3://BUCKET/PREFIX"));
        }
        let path = text
            .strip_prefix("dir:")
            .or_else(|| text.strip_prefix("file://"))
            .unwrap_or(text);
        if path.is_empty() {
            return Err(
                Error::usage("the repository's place is empty").hint("give a folder or s3://BUCKET/PREFIX")
            );
        }
        if let Some((scheme, _)) = path.split_once("://") {
            return Err(Error::usage(format!("a repository cannot be at {scheme}://"))
                .hint("give a folder or s3://BUCKET/PREFIX; S3-compatible stores take an endpoint besides"));
        }
        Ok(Self::Directory(PathBuf::from(path)))
    }
}

/// Opens the store at a location. A folder need not exist yet; a bucket must. A folder with an Object Lock can be read
/// and not written.
///
/// # Errors
/// Exit code 2 or 3 when the AWS configuration does not suffice.
pub async fn open_store(
    location: &Location,
    options: &S3Options,
    deadline: Deadline,
) -> Result<Arc<dyn Store>> {
    Ok(match location {
        Location::Directory(path) if options.object_lock.is_some() => {
            Arc::new(DirStore::new(path).without_locks())
        }
        Location::Directory(path) => Arc::new(DirStore::new(path)),
        Location::S3 { bucket, prefix } => Arc::new(S3Store::open(bucket, prefix, options, deadline).await?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let s3 = |bucket: &str, prefix: &str| Location::S3 {
            bucket: bucket.into(),
            prefix: prefix.into(),
        };
        assert_eq!(Location::parse("s3://b").unwrap(), s3("b", ""));
        assert_eq!(Location::parse("s3://b/x/y/").unwrap(), s3("b", "x/y"));
        assert_eq!(
            Location::parse("/var/b").unwrap(),
            Location::Directory("/var/b".into())
        );
        assert_eq!(
            Location::parse("dir:relative").unwrap(),
            Location::Directory("relative".into())
        );
        for wrong in [
            "",
            " ",
            "dir:",
            "s3://",
            "s3:///x",
            "s3:/b/x",
            "s3:b",
            "S3://b",
            "gs://b/x",
            "https://x",
        ] {
            assert_eq!(
                Location::parse(wrong).unwrap_err().exit(),
                fh_core::Exit::Usage,
                "{wrong}"
            );
        }
    }
}

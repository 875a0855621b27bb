//! Creating an object: the headers it gets, and one request or many parts by its size.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use bytes::Bytes;
use fh_core::{Error, Result};
use md5::{Digest as _, Md5};

use super::s3::S3Store;
use super::s3_error::{explain, is_conflict, is_refused, is_taken};
use super::s3_lock::Locking;
use super::{Put, s3_limits};
use crate::location::S3Options;

/// How often a write is tried that met another write of the same name in progress.
const CONFLICTS: u32 = 4;

/// What every object is written with.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) storage_class: Option<StorageClass>,
    pub(super) sse_kms_key_id: Option<String>,
    /// Whether the SDK sends no checksum of its own.
    plain: bool,
}

impl Written {
    pub(super) fn new(options: &S3Options, plain: bool) -> Self {
        Self {
            storage_class: options.storage_class.as_deref().map(StorageClass::from),
            sse_kms_key_id: options.sse_kms_key_id.clone(),
            plain,
        }
    }

    /// `aws:kms` when there is a key.
    pub(super) fn encryption(&self) -> Option<ServerSideEncryption> {
        self.sse_kms_key_id.as_ref().map(|_| ServerSideEncryption::AwsKms)
    }

    /// One data key of KMS for many objects, instead of a call to KMS for each (Amazon S3 User Guide, "Reducing the cost of
    /// SSE-KMS with Amazon S3 Bucket Keys").
    pub(super) fn bucket_key(&self) -> Option<bool> {
        self.sse_kms_key_id.as_ref().map(|_| true)
    }
}

impl S3Store {
    /// Creates an object, unless there is one of that name.
    pub(super) async fn create(&self, key: &str, body: &Bytes) -> Result<Put> {
        self.ready_to_lock().await?;
        let what = format!("cannot write {}", self.name(key));
        // Stores that do not know If-None-Match would overwrite; asking first keeps them from it, except in a race.
        if self.exists(key).await? {
            return Ok(Put::Exists);
        }
        for attempt in 0..CONFLICTS {
            let put = if self.parts.are_for(body.len() as u64) {
                self.write_parts(key, body, &what).await?
            } else {
                self.write(key, body, &what).await?
            };
            if let Some(put) = put {
                return Ok(put);
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
        Err(Error::unable(what)
            .hint("another run keeps writing the same object: is a backup stuck in a loop?"))
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool> {
        let what = format!("cannot look for {}", self.name(key));
        let limits = s3_limits::of_call(self.deadline, 0, &what)?;
        let head = self.client.head_object().bucket(&self.bucket).key(self.key(key));
        match head.customize().config_override(limits).send().await {
            Ok(_) => Ok(true),
            // A refusal has no body here to say why; the write that follows will have one. A host that may create but
            // not read is refused, too, and writes nevertheless.
            Err(error) if is_refused(&error) => Ok(false),
            Err(error) => Err(explain(what, &self.bucket, &error)),
        }
    }

    /// One conditional write; `None` when another write of the same name was in progress.
    async fn write(&self, key: &str, body: &Bytes, what: &str) -> Result<Option<Put>> {
        let size = body.len() as u64;
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(key))
            .if_none_match("*")
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .set_content_md5(self.content_md5(body))
            .set_storage_class(self.written.storage_class.clone())
            .set_server_side_encryption(self.written.encryption())
            .set_ssekms_key_id(self.written.sse_kms_key_id.clone())
            .set_bucket_key_enabled(self.written.bucket_key())
            .set_object_lock_mode(self.locking.as_ref().map(|locking| locking.mode.clone()))
            .set_object_lock_retain_until_date(self.locking.as_ref().map(Locking::date))
            .body(ByteStream::from(body.clone()));
        let limits = s3_limits::of_call(self.deadline, size, what)?;
        match request.customize().config_override(limits).send().await {
            Ok(_) => Ok(Some(Put::Created)),
            Err(error) if is_taken(&error) => Ok(Some(Put::Exists)),
            Err(error) if is_conflict(&error) => Ok(None),
            Err(error) => Err(explain(what.to_owned(), &self.bucket, &error)),
        }
    }

    /// A write with a lock must carry a checksum or this (Amazon S3 API Reference, PutObject, Content-MD5).
    pub(super) fn content_md5(&self, body: &[u8]) -> Option<String> {
        (self.written.plain && self.locking.is_some())
            .then(|| aws_smithy_types::base64::encode(Md5::digest(body)))
    }
}

//! Objects in an S3 bucket, or in a store that speaks its protocol.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use bytes::{Bytes, BytesMut};
use fh_aws::{AwsOptions, SdkConfig};
use fh_core::{Deadline, Error, Result};

use super::s3_error::{explain, is_conflict, is_forbidden, is_missing, is_refused, is_taken};
use super::{Deleted, Entry, Put, Store, s3_limits};
use crate::location::S3Options;

/// How often an object is fetched when its body breaks off. The SDK tries again only until the body begins.
const FETCHES: u32 = 3;
/// How often a write is tried that met another write of the same name in progress.
const CONFLICTS: u32 = 4;

/// A bucket and a prefix in it.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    bucket: String,
    /// Ends with a slash unless empty.
    prefix: String,
    storage_class: Option<StorageClass>,
    sse_kms_key_id: Option<String>,
    deadline: Deadline,
}

/// Why a fetch gave no object.
enum Broken {
    /// Another fetch may do better.
    Passing(Error),
    Final(Error),
}

impl S3Store {
    /// A client of the bucket, with region and credentials from the usual places. Nothing is sent yet.
    ///
    /// # Errors
    /// Exit code 2 when no region is known.
    pub async fn open(bucket: &str, prefix: &str, options: &S3Options, deadline: Deadline) -> Result<Self> {
        let shared = fh_aws::sdk_config(&AwsOptions {
            region: options.region.clone(),
            profile: options.profile.clone(),
            endpoint_url: options.endpoint_url.clone(),
        })
        .await?;
        Ok(Self::with_config(&shared, bucket, prefix, options, deadline))
    }

    /// A client of the bucket. Region, credentials and endpoint are those of `shared`.
    #[must_use]
    pub fn with_config(
        shared: &SdkConfig,
        bucket: &str,
        prefix: &str,
        options: &S3Options,
        deadline: Deadline,
    ) -> Self {
        // The endpoint may also come from the environment.
        let foreign = shared.endpoint_url().is_some();
        let mut config = aws_sdk_s3::config::Builder::from(shared)
            .stalled_stream_protection(s3_limits::stalls())
            .force_path_style(options.path_style.unwrap_or(foreign));
        if foreign {
            // Compatible stores may refuse the checksum headers that AWS has taken since 2025
            // (awslabs/aws-sdk-rust#1240).
            config = config
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        let prefix = prefix.trim_matches('/');
        Self {
            client: Client::from_conf(config.build()),
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            storage_class: options.storage_class.as_deref().map(StorageClass::from),
            sse_kms_key_id: options.sse_kms_key_id.clone(),
            deadline,
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn name(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(key))
    }

    async fn exists(&self, key: &str) -> Result<bool> {
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

    async fn fetch(&self, key: &str, limit: u64) -> Result<Option<Bytes>, Broken> {
        let what = format!("cannot read {}", self.name(key));
        let limits = s3_limits::of_call(self.deadline, 0, &what).map_err(Broken::Final)?;
        let request = self.client.get_object().bucket(&self.bucket).key(self.key(key));
        let answer = match request.customize().config_override(limits).send().await {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(Broken::Final(explain(what, &self.bucket, &error))),
        };
        let too_large = || Error::bad(format!("{} is larger than {limit} bytes", self.name(key)));
        let announced = answer
            .content_length()
            .and_then(|length| u64::try_from(length).ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Broken::Final(too_large()));
        }
        let time = s3_limits::attempt(announced.unwrap_or(limit));
        let time = self.deadline.bound(time, &what).map_err(Broken::Final)?;
        let broke = |how: String| {
            Broken::Passing(
                Error::unable(&what)
                    .because(std::io::Error::other(how))
                    .hint("the connection broke in the middle: check the network, and try again"),
            )
        };
        let body = tokio::time::timeout(time, read_body(answer.body, announced, limit))
            .await
            .map_err(|_| {
                broke(format!(
                    "the object did not come within {} seconds",
                    time.as_secs()
                ))
            })?
            .map_err(broke)?
            .ok_or_else(|| Broken::Final(too_large()))?;
        match announced {
            // A proxy that cuts an answer and closes politely must not pass for a short object.
            Some(length) if length != body.len() as u64 => {
                Err(broke(format!("{} bytes came of {length}", body.len())))
            }
            _ => Ok(Some(body)),
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
            .set_storage_class(self.storage_class.clone())
            .set_server_side_encryption(self.sse_kms_key_id.as_ref().map(|_| ServerSideEncryption::AwsKms))
            .set_ssekms_key_id(self.sse_kms_key_id.clone())
            .body(ByteStream::from(body.clone()));
        let limits = s3_limits::of_call(self.deadline, size, what)?;
        match request.customize().config_override(limits).send().await {
            Ok(_) => Ok(Some(Put::Created)),
            Err(error) if is_taken(&error) => Ok(Some(Put::Exists)),
            Err(error) if is_conflict(&error) => Ok(None),
            Err(error) => Err(explain(what.to_owned(), &self.bucket, &error)),
        }
    }
}

/// The whole body, or `None` when it is larger than `limit`.
async fn read_body(
    mut body: ByteStream,
    announced: Option<u64>,
    limit: u64,
) -> Result<Option<Bytes>, String> {
    let capacity = announced
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    let mut bytes = BytesMut::with_capacity(capacity);
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| super::s3_error::deepest(&error))?);
        if bytes.len() as u64 > limit {
            return Ok(None);
        }
    }
    Ok(Some(bytes.freeze()))
}

#[async_trait]
impl Store for S3Store {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        let mut fetched = 1;
        loop {
            match self.fetch(key, limit).await {
                Ok(found) => return Ok(found),
                Err(Broken::Passing(error)) if fetched < FETCHES => {
                    tracing::debug!(key, fetched, "fetching again: {}", error.render());
                    fetched += 1;
                }
                Err(Broken::Passing(error) | Broken::Final(error)) => return Err(error),
            }
        }
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        let what = format!("cannot write {}", self.name(key));
        // Stores that do not know If-None-Match would overwrite; asking first keeps them from it, except in a race.
        if self.exists(key).await? {
            return Ok(Put::Exists);
        }
        for attempt in 0..CONFLICTS {
            if let Some(put) = self.write(key, &body, &what).await? {
                return Ok(put);
            }
            tokio::time::sleep(std::time::Duration::from_millis(100 << attempt)).await;
        }
        Err(Error::unable(what)
            .hint("another run keeps writing the same object: is a backup stuck in a loop?"))
    }

    async fn delete(&self, key: &str) -> Result<Deleted> {
        let what = format!("cannot remove {}", self.name(key));
        let limits = s3_limits::of_call(self.deadline, 0, &what)?;
        let request = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(self.key(key));
        match request.customize().config_override(limits).send().await {
            Ok(_) => Ok(Deleted::Gone),
            Err(error) if is_forbidden(&error) => Ok(Deleted::Kept),
            Err(error) => Err(explain(what, &self.bucket, &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let what = format!("cannot list {}", self.name(prefix));
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let limits = s3_limits::of_call(self.deadline, 0, &what)?;
            let request = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(self.key(prefix))
                .set_continuation_token(next.take());
            let page = request
                .customize()
                .config_override(limits)
                .send()
                .await
                .map_err(|error| explain(what.clone(), &self.bucket, &error))?;
            for object in page.contents() {
                let Some(key) = object.key().and_then(|key| key.strip_prefix(&self.prefix)) else {
                    continue;
                };
                found.push(Entry {
                    key: key.to_owned(),
                    size: object
                        .size()
                        .and_then(|size| u64::try_from(size).ok())
                        .unwrap_or_default(),
                    modified: object
                        .last_modified()
                        .and_then(|at| jiff::Timestamp::from_second(at.secs()).ok()),
                });
            }
            match (page.is_truncated(), page.next_continuation_token()) {
                (Some(true), Some(token)) => next = Some(token.to_owned()),
                (Some(true), None) => {
                    return Err(Error::unable(format!(
                        "{what}: the store says there is more, but not where"
                    ))
                    .hint(
                        "this store does not page as ListObjectsV2 should; its listing cannot be trusted",
                    ));
                }
                _ => break,
            }
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    fn describe(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix.trim_end_matches('/'))
            .trim_end_matches('/')
            .to_owned()
    }
}

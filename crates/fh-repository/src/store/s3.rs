//! Objects in an S3 bucket, or in a store that speaks its protocol.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use fh_aws::{AwsOptions, SdkConfig};
use fh_core::config::S3Checksums;
use fh_core::{Deadline, Error, Result};
use jiff::Timestamp;

use super::s3_error::{explain, is_forbidden, is_missing};
use super::s3_lock::Locking;
use super::s3_multipart::Parts;
use super::s3_write::Written;
use super::{Deleted, Entry, Lock, Put, Store, s3_limits};
use crate::location::S3Options;

/// How often an object is fetched when its body breaks off. The SDK tries again only until the body begins.
const FETCHES: u32 = 3;
/// How often a call is tried. Ten minutes of a partition that S3 splits under load are usual; with pauses of up to 20
/// seconds, which the SDK draws at random between nothing and that ("full jitter"), this waits half a minute on average
/// and a minute at most.
const ATTEMPTS: u32 = 8;
/// S3 takes no smaller part, but for the last one (Amazon S3 User Guide, "Amazon S3 multipart upload limits").
const SMALLEST_PART: u64 = 5 << 20;

/// A bucket and a prefix in it.
#[derive(Debug, Clone)]
pub struct S3Store {
    pub(super) client: Client,
    pub(super) bucket: String,
    /// Ends with a slash unless empty.
    pub(super) prefix: String,
    pub(super) written: Written,
    pub(super) locking: Option<Locking>,
    pub(super) parts: Parts,
    pub(super) deadline: Deadline,
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
    /// Exit code 2 when no region is known, or an option is out of range.
    pub async fn open(bucket: &str, prefix: &str, options: &S3Options, deadline: Deadline) -> Result<Self> {
        if options.part_size.is_some_and(|size| size < SMALLEST_PART) {
            return Err(Error::usage("backup.s3.part_size is too small")
                .hint("S3 takes no part below 5 MiB: leave it away, or write 5MiB or more"));
        }
        let mut shared = fh_aws::sdk_config(&AwsOptions {
            region: options.region.clone(),
            profile: options.profile.clone(),
            endpoint_url: options.endpoint_url.clone(),
        })
        .await?;
        if let Some(profile) = &options.only_profile {
            shared = fh_aws::only_profile(&shared, profile);
        }
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
        // Compatible stores may refuse the checksum headers that AWS has taken since 2025
        // (awslabs/aws-sdk-rust#1240).
        let required = match options.checksums {
            Some(checksums) => checksums == S3Checksums::WhenRequired,
            None => foreign,
        };
        let (request, response) = if required {
            (
                RequestChecksumCalculation::WhenRequired,
                ResponseChecksumValidation::WhenRequired,
            )
        } else {
            (
                RequestChecksumCalculation::WhenSupported,
                ResponseChecksumValidation::WhenSupported,
            )
        };
        let retry = shared
            .retry_config()
            .cloned()
            .unwrap_or_else(RetryConfig::standard);
        let config = aws_sdk_s3::config::Builder::from(shared)
            .stalled_stream_protection(s3_limits::stalls())
            .force_path_style(options.path_style.unwrap_or(foreign))
            .retry_config(retry.with_max_attempts(options.attempts.unwrap_or(ATTEMPTS)))
            .request_checksum_calculation(request)
            .response_checksum_validation(response);
        let prefix = prefix.trim_matches('/');
        Self {
            client: Client::from_conf(config.build()),
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            written: Written::new(options, required),
            locking: options.object_lock.map(Locking::new),
            parts: Parts::of(options.part_size),
            deadline,
        }
    }

    pub(super) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(super) fn name(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(key))
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
        self.create(key, &body).await
    }

    async fn delete(&self, key: &str) -> Result<Deleted> {
        let what = format!("cannot remove {}", self.name(key));
        // Where versions are kept, a deletion only hides an object and always succeeds: the lock must be asked for.
        if self.is_locked(key).await? {
            return Ok(Deleted::Kept);
        }
        let limits = s3_limits::of_call(self.deadline, 0, &what)?;
        let request = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(self.key(key));
        match request.customize().config_override(limits).send().await {
            Ok(answer) if answer.delete_marker() == Some(true) => Ok(Deleted::Hidden),
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
                        .and_then(|at| Timestamp::from_second(at.secs()).ok()),
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

    fn lock(&self) -> Option<Lock> {
        self.locking.as_ref().map(|locking| locking.lock)
    }

    async fn lock_until(&self, key: &str, until: Timestamp) -> Result<()> {
        self.extend_lock(key, until).await
    }

    async fn sweep_uploads(&self, older_than: std::time::Duration) -> Result<u64> {
        self.sweep(older_than).await
    }

    fn describe(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix.trim_end_matches('/'))
            .trim_end_matches('/')
            .to_owned()
    }
}

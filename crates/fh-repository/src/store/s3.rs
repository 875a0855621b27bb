//! Objects in an S3 bucket, or in a store that speaks its protocol.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    RequestChecksumCalculation, ResponseChecksumValidation, StalledStreamProtectionConfig,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use bytes::Bytes;
use fh_aws::AwsOptions;
use fh_core::{Deadline, Error, Result};

use super::s3_error::{explain, is_missing, is_taken};
use super::{Entry, Put, Store};
use crate::location::S3Options;

/// One operation with all its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(600);

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

impl S3Store {
    /// A client of the bucket. Nothing is sent yet.
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
        let mut config = aws_sdk_s3::config::Builder::from(&shared)
            // Uploads stall for good reasons (throttled links); the attempt's own time-out bounds them
            // (awslabs/aws-sdk-rust#1146).
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .force_path_style(options.path_style.unwrap_or(options.endpoint_url.is_some()));
        if options.endpoint_url.is_some() {
            // Compatible stores may refuse the checksum headers that AWS has taken since 2025
            // (awslabs/aws-sdk-rust#1240).
            config = config
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        Ok(Self {
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
        })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The time-outs of one call: never beyond the run's deadline.
    fn limits(&self, what: &str) -> Result<aws_sdk_s3::config::Builder> {
        let timeout = self.deadline.bound(OPERATION_TIMEOUT, what)?;
        Ok(aws_sdk_s3::config::Builder::new()
            .timeout_config(TimeoutConfig::builder().operation_timeout(timeout).build()))
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        let what = format!("cannot look for {}", self.name(key));
        let limits = self.limits(&what)?;
        let head = self.client.head_object().bucket(&self.bucket).key(self.key(key));
        match head.customize().config_override(limits).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(explain(what, &self.bucket, &error)),
        }
    }

    fn name(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(key))
    }
}

#[async_trait]
impl Store for S3Store {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        let what = format!("cannot read {}", self.name(key));
        let limits = self.limits(&what)?;
        let request = self.client.get_object().bucket(&self.bucket).key(self.key(key));
        let answer = match request.customize().config_override(limits).send().await {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(explain(what, &self.bucket, &error)),
        };
        let announced = answer
            .content_length()
            .and_then(|length| u64::try_from(length).ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Error::bad(format!(
                "{} is larger than {limit} bytes",
                self.name(key)
            )));
        }
        let timeout = self.deadline.bound(OPERATION_TIMEOUT, &what)?;
        let body = tokio::time::timeout(timeout, answer.body.collect())
            .await
            .map_err(|_| Error::unable(&what).because(std::io::Error::from(std::io::ErrorKind::TimedOut)))?
            .map_err(|error| {
                Error::unable(&what)
                    .because(error)
                    .hint("the connection broke in the middle: try again")
            })?
            .into_bytes();
        // A proxy that cuts an answer and closes politely must not pass for a short object.
        if announced.is_some_and(|length| length != body.len() as u64) {
            return Err(Error::unable(format!(
                "{what}: {} bytes came of {}",
                body.len(),
                announced.unwrap_or_default()
            ))
            .hint("the connection broke in the middle: try again"));
        }
        Ok(Some(body))
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        let what = format!("cannot write {}", self.name(key));
        // Stores that do not know If-None-Match would overwrite; asking first keeps them from it, except in a race.
        if self.exists(key).await? {
            return Ok(Put::Exists);
        }
        let length = i64::try_from(body.len()).unwrap_or(i64::MAX);
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(key))
            .if_none_match("*")
            .content_length(length)
            .set_storage_class(self.storage_class.clone())
            .set_server_side_encryption(self.sse_kms_key_id.as_ref().map(|_| ServerSideEncryption::AwsKms))
            .set_ssekms_key_id(self.sse_kms_key_id.clone())
            .body(ByteStream::from(body));
        let limits = self.limits(&what)?;
        match request.customize().config_override(limits).send().await {
            Ok(_) => Ok(Put::Created),
            Err(error) if is_taken(&error) => Ok(Put::Exists),
            Err(error) => Err(explain(what, &self.bucket, &error)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let what = format!("cannot list {}", self.name(prefix));
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let limits = self.limits(&what)?;
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

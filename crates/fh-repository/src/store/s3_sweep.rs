//! Multipart uploads that nobody will finish: invisible in listings, and paid for until they are aborted.

use std::time::Duration;

use fh_core::{Error, Result};
use jiff::{SignedDuration, Timestamp};

use super::s3::S3Store;
use super::s3_error::{code, explain_right};
use super::s3_limits;

impl S3Store {
    /// Aborts every upload below the prefix that was begun longer ago than `older_than`.
    pub(super) async fn sweep(&self, older_than: Duration) -> Result<u64> {
        let age = SignedDuration::try_from(older_than).unwrap_or(SignedDuration::MAX);
        let before = Timestamp::now().saturating_sub(age).unwrap_or(Timestamp::MIN);
        let mut removed = 0;
        for (key, id, begun) in self.uploads().await? {
            if begun < before && self.end(&key, &id).await? {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Whole key, id and beginning of every upload below the prefix.
    async fn uploads(&self) -> Result<Vec<(String, String, Timestamp)>> {
        let what = format!("cannot list the unfinished uploads of {}", self.name(""));
        let mut found = Vec::new();
        let mut next = (None, None);
        loop {
            let limits = s3_limits::of_call(self.deadline, 0, &what)?;
            let request = self
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .prefix(&self.prefix)
                .set_key_marker(next.0.take())
                .set_upload_id_marker(next.1.take());
            let page = request
                .customize()
                .config_override(limits)
                .send()
                .await
                .map_err(|error| {
                    let right = format!("s3:ListBucketMultipartUploads on {}", self.bucket);
                    explain_right(what.clone(), &self.bucket, &right, &error)
                })?;
            for upload in page.uploads() {
                let begun = upload
                    .initiated()
                    .and_then(|at| Timestamp::from_second(at.secs()).ok());
                if let (Some(key), Some(id), Some(begun)) = (upload.key(), upload.upload_id(), begun)
                    && key.starts_with(&self.prefix)
                {
                    found.push((key.to_owned(), id.to_owned(), begun));
                }
            }
            if page.is_truncated() != Some(true) {
                return Ok(found);
            }
            let Some(marker) = page.next_key_marker() else {
                return Err(Error::unable(format!(
                    "{what}: the store says there is more, but not where"
                )));
            };
            next = (
                Some(marker.to_owned()),
                page.next_upload_id_marker().map(ToOwned::to_owned),
            );
        }
    }

    /// Aborts one upload; false when it ended by itself in the meantime.
    async fn end(&self, key: &str, id: &str) -> Result<bool> {
        let what = format!("cannot abort the upload of s3://{}/{key}", self.bucket);
        let limits = s3_limits::of_call(self.deadline, 0, &what)?;
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(id);
        match request.customize().config_override(limits).send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("NoSuchUpload") => Ok(false),
            Err(error) => {
                let right = "s3:AbortMultipartUpload on the bucket's objects";
                Err(explain_right(what, &self.bucket, right, &error))
            }
        }
    }
}

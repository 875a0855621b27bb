//! Large objects in parts: begun, sent, and completed create-only, or aborted.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use fh_core::{Error, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::s3::S3Store;
use super::s3_abort::Open;
use super::s3_error::{code, explain, is_conflict, is_taken};
use super::s3_lock::Locking;
use super::{Put, s3_abort, s3_limits};

/// One part, unless configured.
const PART: u64 = 16 << 20;
/// S3 takes 10,000 parts, some compatible stores 1,000.
const MOST_PARTS: u64 = 1_000;
/// Parts sent at the same time. The object is in memory anyway.
const AT_ONCE: usize = 4;

/// When and how an object is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    size: u64,
}

impl Parts {
    /// Parts of `size` bytes.
    pub(super) fn of(size: Option<u64>) -> Self {
        Self {
            size: size.unwrap_or(PART).max(1),
        }
    }

    /// Whether an object of this size is sent in parts.
    pub(super) fn are_for(self, bytes: u64) -> bool {
        bytes > self.size.saturating_mul(4)
    }

    /// The size of each part but the last.
    fn of_object(self, bytes: u64) -> usize {
        usize::try_from(self.size.max(bytes.div_ceil(MOST_PARTS))).unwrap_or(usize::MAX)
    }
}

/// An upload that was begun. Dropped before it is over, it is aborted.
struct Upload<'a> {
    store: &'a S3Store,
    key: &'a str,
    what: &'a str,
    id: String,
    over: bool,
    /// Dropped last, when an abort is under way.
    _open: Open,
}

impl S3Store {
    /// A conditional write in parts; `None` when another write of the same name was in progress.
    pub(super) async fn write_parts(&self, key: &str, body: &Bytes, what: &str) -> Result<Option<Put>> {
        let mut upload = self.begin(key, what).await?;
        let sent = upload.send(body).await;
        let put = match sent {
            Ok(parts) => upload.complete(parts).await,
            Err(error) => Err(error),
        };
        if !matches!(put, Ok(Some(Put::Created))) {
            upload.over = true;
            self.abort(key, &upload.id).await;
        }
        put
    }

    async fn begin<'a>(&'a self, key: &'a str, what: &'a str) -> Result<Upload<'a>> {
        let limits = s3_limits::of_call(self.deadline, 0, what)?;
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(self.key(key))
            .set_storage_class(self.written.storage_class.clone())
            .set_server_side_encryption(self.written.encryption())
            .set_ssekms_key_id(self.written.sse_kms_key_id.clone())
            .set_bucket_key_enabled(self.written.bucket_key())
            .set_object_lock_mode(self.locking.as_ref().map(|locking| locking.mode.clone()))
            .set_object_lock_retain_until_date(self.locking.as_ref().map(Locking::date));
        let open = Open::new();
        let begun = request
            .customize()
            .config_override(limits)
            .send()
            .await
            .map_err(|error| explain(what.to_owned(), &self.bucket, &error))?;
        let id = begun
            .upload_id()
            .ok_or_else(|| Error::unable(format!("{what}: the store began an upload without an id")))?;
        Ok(Upload {
            store: self,
            key,
            what,
            id: id.to_owned(),
            over: false,
            _open: open,
        })
    }

    /// Ends an upload and frees its parts. What fails here is left to the sweep.
    async fn abort(&self, key: &str, id: &str) {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(self.key(key))
            .upload_id(id);
        let call = request.customize().config_override(s3_limits::of_abort());
        if let Err(error) = call.send().await
            && code(&error) != Some("NoSuchUpload")
        {
            let error = explain(
                format!("an unfinished upload of {} stays behind", self.name(key)),
                &self.bucket,
                &error,
            );
            tracing::warn!("{}; a later sweep removes it", error.render());
        }
    }
}

impl Upload<'_> {
    async fn send(&self, body: &Bytes) -> Result<Vec<CompletedPart>> {
        let size = self.store.parts.of_object(body.len() as u64);
        let starts = (0..body.len()).step_by(size).enumerate();
        futures_util::stream::iter(starts)
            .map(|(index, start)| {
                let piece = body.slice(start..body.len().min(start.saturating_add(size)));
                self.send_part(index, piece)
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn send_part(&self, index: usize, piece: Bytes) -> Result<CompletedPart> {
        let store = self.store;
        let number = i32::try_from(index + 1)
            .map_err(|_| Error::unable(format!("{}: it has too many parts", self.what)))?;
        let limits = s3_limits::of_call(store.deadline, piece.len() as u64, self.what)?;
        let request = store
            .client
            .upload_part()
            .bucket(&store.bucket)
            .key(store.key(self.key))
            .upload_id(&self.id)
            .part_number(number)
            .content_length(i64::try_from(piece.len()).unwrap_or(i64::MAX))
            .set_content_md5(store.content_md5(&piece))
            .body(ByteStream::from(piece));
        let sent = request
            .customize()
            .config_override(limits)
            .send()
            .await
            .map_err(|error| explain(self.what.to_owned(), &store.bucket, &error))?;
        // CRC-32 is what the SDK sends where it sends one; the end of the upload has to name it again.
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag().map(ToOwned::to_owned))
            .set_checksum_crc32(sent.checksum_crc32().map(ToOwned::to_owned))
            .build())
    }

    /// Puts the parts together. S3 may answer 200 and then say that it failed; the SDK reads that as the error it is.
    async fn complete(&mut self, parts: Vec<CompletedPart>) -> Result<Option<Put>> {
        let store = self.store;
        let limits = s3_limits::of_call(store.deadline, 0, self.what)?;
        let request = store
            .client
            .complete_multipart_upload()
            .bucket(&store.bucket)
            .key(store.key(self.key))
            .upload_id(&self.id)
            .if_none_match("*")
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build());
        let unknown =
            match request.customize().config_override(limits).send().await {
                Ok(done) if done.e_tag().is_some() => {
                    self.over = true;
                    return Ok(Some(Put::Created));
                }
                Ok(_) => return Err(Error::unable(self.what).hint(
                    "the store ended the upload without naming what it made: its answer cannot be trusted",
                )),
                Err(error) if is_taken(&error) => return Ok(Some(Put::Exists)),
                Err(error) if is_conflict(&error) => return Ok(None),
                Err(error) if code(&error) == Some("NoSuchUpload") => {
                    explain(self.what.to_owned(), &store.bucket, &error)
                }
                Err(error) => return Err(explain(self.what.to_owned(), &store.bucket, &error)),
            };
        // The first attempt took effect and its answer was lost: the caller will look whose object it is.
        if store.exists(self.key).await? {
            return Ok(Some(Put::Exists));
        }
        Err(unknown)
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if !self.over {
            let (store, key, id) = (self.store.clone(), self.key.to_owned(), self.id.clone());
            s3_abort::in_background(async move { store.abort(&key, &id).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_than_a_thousand_parts() {
        let parts = Parts::of(None);
        assert!(!parts.are_for(64 << 20));
        assert!(parts.are_for((64 << 20) + 1));
        for bytes in [(64 << 20) + 1, 2 << 30, 16_000 << 20, 5 << 40] {
            let size = parts.of_object(bytes) as u64;
            assert!(size >= PART && bytes.div_ceil(size) <= MOST_PARTS, "{bytes}");
        }
    }
}

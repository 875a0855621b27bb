//! What a failed S3 call means, and what to do about it.

use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId as _;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fh_core::Error;

type Failure<E> = SdkError<E, HttpResponse>;

/// Whether the object is not there. A missing bucket is another thing.
pub(super) fn is_missing<E: ProvideErrorMetadata>(error: &Failure<E>) -> bool {
    let SdkError::ServiceError(service) = error else {
        return false;
    };
    match service.err().code() {
        Some("NoSuchKey" | "NotFound") => true,
        // HEAD has no body, so no code: 404 says the key, or the bucket; the next call tells a missing bucket.
        None => service.raw().status().as_u16() == 404,
        Some(_) => false,
    }
}

/// Whether a create-only write met an object.
pub(super) fn is_taken<E>(error: &Failure<E>) -> bool {
    status(error) == Some(412)
}

/// Whether a create-only write met another write of the same name that was not over. Who wins is not known yet, and S3
/// asks to try again (Amazon S3 API Reference, PutObject, If-None-Match).
pub(super) fn is_conflict<E>(error: &Failure<E>) -> bool {
    status(error) == Some(409)
}

/// Whether the store answered, and what it said will not change by asking again.
pub(super) fn is_refused<E>(error: &Failure<E>) -> bool {
    status(error).is_some_and(|status| status < 500 && status != 429)
}

/// Whether the store understood and will not do it: an Object Lock, or a missing right.
pub(super) fn is_forbidden<E>(error: &Failure<E>) -> bool {
    status(error) == Some(403)
}

fn status<E>(error: &Failure<E>) -> Option<u16> {
    match error {
        SdkError::ServiceError(service) => Some(service.raw().status().as_u16()),
        _ => None,
    }
}

/// The store's short name for what went wrong.
pub(super) fn code<E: ProvideErrorMetadata>(error: &Failure<E>) -> Option<&str> {
    match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    }
}

/// The error for an operator, of a call that needs a right which most calls do not: `right` names it.
pub(super) fn explain_right<E>(what: String, bucket: &str, right: &str, error: &Failure<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let explained = explain(what, bucket, error);
    if code(error) != Some("AccessDenied") {
        return explained;
    }
    let cause = explained.causes().join(": ");
    Error::unable(explained.message())
        .because(std::io::Error::other(cause))
        .hint(format!("the credentials need {right}"))
}

/// The error for an operator.
pub(super) fn explain<E>(what: String, bucket: &str, error: &Failure<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("no error code").to_owned();
            let status = service.raw().status().as_u16();
            let said = service
                .err()
                .message()
                .unwrap_or("the store gave no reason")
                .to_owned();
            let request = service.raw().headers().get("x-amz-request-id").map_or_else(
                || error.request_id().unwrap_or("unknown").to_owned(),
                ToOwned::to_owned,
            );
            Error::unable(what)
                .because(std::io::Error::other(format!(
                    "{code}: {said} (HTTP {status}, request {request})"
                )))
                .hint(advice(
                    &code,
                    &said,
                    status,
                    bucket,
                    service.raw().headers().get("x-amz-bucket-region"),
                ))
        }
        SdkError::TimeoutError(_) => Error::unable(what)
            .because(std::io::Error::from(std::io::ErrorKind::TimedOut))
            .hint("the store did not answer in time: check the network, or give more time with --deadline"),
        SdkError::DispatchFailure(failure) => {
            let connector = failure.as_connector_error();
            let reason = connector.map_or_else(String::new, |error| deepest(error));
            if is_credentials(&reason) {
                return Error::unable(what)
                    .because(std::io::Error::other(reason))
                    .hint(fh_aws::CREDENTIALS_HINT);
            }
            Error::unable(what).because(std::io::Error::other(reason)).hint(
                "check the endpoint and the network; a private subnet needs a NAT gateway or an S3 gateway endpoint",
            )
        }
        other => {
            let reason = deepest(other);
            let hint = if is_credentials(&reason) {
                fh_aws::CREDENTIALS_HINT
            } else {
                "see the cause; -v shows more"
            };
            Error::unable(what)
                .because(std::io::Error::other(reason))
                .hint(hint)
        }
    }
}

fn is_credentials(reason: &str) -> bool {
    reason.contains("credential") || reason.contains("identity")
}

fn advice(code: &str, said: &str, status: u16, bucket: &str, region: Option<&str>) -> String {
    let elsewhere = || {
        let name = region.map(|region| format!(", in {region}")).unwrap_or_default();
        format!("the bucket {bucket} is in another region{name}: set backup.s3.region or AWS_REGION")
    };
    match code {
        // Cloudflare R2, Backblaze B2 and others say it in words of their own (awslabs/aws-sdk-rust#1240).
        _ if said.to_ascii_lowercase().contains("checksum") => {
            "this store refuses the checksums: set backup.s3.checksums to \"when-required\", or to \"when-supported\" if it \
             asks for one"
                .to_owned()
        }
        "InvalidRequest" if said.contains("ObjectLock") || said.contains("Object Lock") => {
            format!("switch on versioning and Object Lock on the bucket {bucket}, or remove backup.s3.object_lock")
        }
        "NoSuchBucket" => format!("make the bucket {bucket} first, or correct its name"),
        "AccessDenied" | "Forbidden" => format!(
            "the credentials need s3:ListBucket on {bucket}, s3:GetObject and s3:PutObject on its objects, and for locks \
             s3:PutObjectRetention"
        ),
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp" => {
            "the access key or its secret is wrong for this store; check the system's clock too".to_owned()
        }
        "ExpiredToken" | "TokenRefreshRequired" => {
            "the session token has expired: renew the credentials".to_owned()
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            elsewhere()
        }
        "RequestTimeTooSkewed" => "this machine's clock is wrong: set it with NTP".to_owned(),
        "SlowDown" | "ServiceUnavailable" | "Throttling" => {
            "the store asks to slow down and did so at every attempt: try again later, with fewer --jobs, or give it more \
             attempts with backup.s3.attempts"
                .to_owned()
        }
        "InternalError" => "the store has a fault of its own: try again later".to_owned(),
        "NoSuchUpload" => {
            "somebody ended the upload while it was going on, perhaps a lifecycle rule that is too short: run this again"
                .to_owned()
        }
        "NotImplemented" => {
            "this store does not know a header that S3 does, probably If-None-Match: without it, backups cannot be kept \
             from overwriting each other; use another store"
                .to_owned()
        }
        "InvalidStorageClass" => "this store does not have that class: correct backup.s3.storage_class".to_owned(),
        _ if code.starts_with("KMS.") => {
            "correct backup.s3.sse_kms_key_id, and allow kms:GenerateDataKey and kms:Decrypt on that key".to_owned()
        }
        _ if status == 301 => elsewhere(),
        _ if status == 403 => "the credentials are not allowed to do this, or are wrong".to_owned(),
        _ if status == 404 => format!("make the bucket {bucket} first, or correct its name"),
        _ if status >= 500 => "the store has a fault of its own: try again later".to_owned(),
        _ => "see the store's documentation for that code".to_owned(),
    }
}

/// The innermost cause: the outer ones of the SDK only say "dispatch failure".
pub(super) fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

use std::num::{NonZeroU16, NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::size::Size;

/// A backup repository in S3, or in a store that speaks its protocol.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackupS3 {
    /// The bucket, when `backup.repository` is not given. Environment variable: S3_BUCKET.
    pub bucket: Option<String>,
    /// What the keys of all objects begin with.
    pub prefix: Option<String>,
    /// The bucket's region, when it is not that of `aws.region`.
    pub region: Option<String>,
    /// Profile whose credentials this bucket needs, and no others. Not given: those that the rest of AWS is called with.
    pub profile: Option<String>,
    /// Address of the store, when it is not Amazon's own or that of `aws.endpoint_url`.
    pub endpoint_url: Option<String>,
    /// Whether the bucket is named in the path and not in the host name. Chosen by the endpoint when not given.
    pub path_style: Option<bool>,
    /// Storage class of new objects, such as STANDARD_IA.
    pub storage_class: Option<String>,
    /// KMS key for the encryption on Amazon's side. S3 Bucket Keys are used with it, so that not every object is a call to
    /// KMS.
    pub sse_kms_key_id: Option<String>,
    /// Object Lock of everything that is written. The bucket must have been made with Object Lock.
    pub object_lock: Option<ObjectLock>,
    /// When requests and answers carry checksums. Not given: `when-supported` at Amazon, `when-required` at other
    /// endpoints, because some of those refuse the headers.
    pub checksums: Option<S3Checksums>,
    /// Size of one part of a multipart upload, at least 5 MiB; default 16 MiB. Objects larger than four parts are sent in
    /// parts.
    pub part_size: Option<Size>,
    /// How often a call is tried before it is given up; default 8. The pauses between attempts grow, with full jitter, to
    /// 20 seconds.
    pub attempts: Option<NonZeroU32>,
}

/// How long nobody may remove what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ObjectLock {
    /// Who may shorten it.
    pub mode: ObjectLockMode,
    /// Days that everything a new set needs stays locked, at least. Locks are set a quarter longer, so that not every
    /// backup has to extend all of them.
    pub days: NonZeroU16,
}

/// The two modes of S3 Object Lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ObjectLockMode {
    /// Who has s3:BypassGovernanceRetention may.
    Governance,
    /// Nobody may, not even the account's owner.
    Compliance,
}

/// When S3 requests and answers carry checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum S3Checksums {
    /// Wherever S3 knows them.
    WhenSupported,
    /// Only where S3 demands them. With Object Lock that is a Content-MD5.
    WhenRequired,
}

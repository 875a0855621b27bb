use serde::{Deserialize, Serialize};

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
    /// Address of the store, when it is not Amazon's own or that of `aws.endpoint_url`.
    pub endpoint_url: Option<String>,
    /// Whether the bucket is named in the path and not in the host name. Chosen by the endpoint when not given.
    pub path_style: Option<bool>,
    /// Storage class of new objects, such as STANDARD_IA.
    pub storage_class: Option<String>,
    /// KMS key for the encryption on Amazon's side.
    pub sse_kms_key_id: Option<String>,
}

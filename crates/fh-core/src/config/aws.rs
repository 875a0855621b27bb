use serde::{Deserialize, Serialize};

/// How to reach AWS. Credentials come from where the AWS command line takes them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Aws {
    /// Region, such as eu-central-1. Environment variables: AWS_REGION, AWS_DEFAULT_REGION.
    pub region: Option<String>,
    /// Profile of the shared AWS configuration. Environment variable: AWS_PROFILE.
    pub profile: Option<String>,
    /// Address to call instead of Amazon's own. Environment variable: AWS_ENDPOINT_URL.
    pub endpoint_url: Option<String>,
}

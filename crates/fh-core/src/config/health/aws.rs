use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::duration::Period;

/// What is looked at in AWS, with the region and credentials of `[aws]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HealthAws {
    /// Services of ECS.
    pub ecs: Vec<HealthEcs>,
    /// Target groups of load balancers.
    pub targets: Vec<HealthTargets>,
    /// Alarms of CloudWatch.
    pub alarms: Vec<HealthAlarms>,
    /// Metrics of CloudWatch.
    pub metrics: Vec<HealthMetric>,
    /// Database instances of RDS.
    pub rds: Vec<HealthRds>,
    /// Caches of ElastiCache.
    pub elasticache: Vec<HealthElastiCache>,
}

/// A service of ECS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthEcs {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The cluster, by name or ARN.
    pub cluster: String,
    /// The service, by name or ARN.
    pub service: String,
    /// The task definition that must have won, such as "web:42". Without it, a deployment that was rolled back is only a
    /// warning.
    #[serde(default)]
    pub task_definition: Option<String>,
    /// Id of the deployment that must have won, such as "ecs-svc/1234567890".
    #[serde(default)]
    pub deployment: Option<String>,
    /// Digest of the image that must run in every task, "sha256:…".
    #[serde(default)]
    pub image_digest: Option<String>,
    /// The container whose image that is. Needed where a task has several.
    #[serde(default)]
    pub container: Option<String>,
}

/// A target group of a load balancer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthTargets {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The target group, by name or ARN.
    pub target_group: String,
}

/// Alarms of CloudWatch, by name, by the beginning of their names, or both.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthAlarms {
    /// Their name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// Names of alarms. Each must exist.
    #[serde(default)]
    pub names: Vec<String>,
    /// How names begin. At least one alarm must.
    #[serde(default)]
    pub prefix: Option<String>,
}

/// A metric of CloudWatch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthMetric {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// Such as "AWS/ApplicationELB".
    pub namespace: String,
    /// Such as "HTTPCode_Target_5XX_Count".
    pub metric: String,
    /// What it is of, such as { LoadBalancer = "app/web/0123456789abcdef" }.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p99.
    #[serde(default = "average")]
    pub statistic: String,
    /// Length of one data point: whole minutes. The newest one that has data is judged.
    #[serde(default = "five_minutes")]
    pub period: Period,
    /// How old the newest data point may be. CloudWatch is some minutes behind.
    #[serde(default = "half_an_hour")]
    pub max_age: Period,
    /// What no data means: "unknown", or "zero" for a metric that is only written when something happens.
    #[serde(default)]
    pub no_data: NoData,
    /// Whether small values are the bad ones.
    #[serde(default)]
    pub below: bool,
    /// From where on the check warns.
    #[serde(default)]
    pub warn: Option<f64>,
    /// From where on the check fails.
    #[serde(default)]
    pub crit: Option<f64>,
}

/// What it means that a metric has no data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NoData {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Nothing happened: the value is 0.
    Zero,
}

/// A database instance of RDS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthRds {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The instance.
    pub instance: String,
}

/// A cache of ElastiCache: a replication group, or a single cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HealthElastiCache {
    /// Its name in the ids of the checks: small letters, digits, `-` and `_`.
    pub name: String,
    /// The replication group.
    #[serde(default)]
    pub replication_group: Option<String>,
    /// The cluster, where there is no replication group.
    #[serde(default)]
    pub cluster: Option<String>,
}

fn average() -> String {
    "Average".to_owned()
}

fn five_minutes() -> Period {
    Period::from_secs(300)
}

fn half_an_hour() -> Period {
    Period::from_secs(1800)
}

//! ElastiCache: replication groups and single clusters (Amazon ElastiCache API Reference, version 2015-02-02).

use aws_types::SdkConfig;
use fh_core::{Deadline, Error, Result};

use crate::query::QueryClient;
use crate::xml::Xml;

/// A replication group of Redis or Valkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicationGroup {
    /// Its name.
    pub id: String,
    /// `available`, `creating`, `modifying`, `snapshotting`, `create-failed`, …
    pub status: String,
    /// `enabled`, `disabled`, or on the way to either.
    pub automatic_failover: String,
    /// Its shards.
    pub shards: Vec<Shard>,
    /// Names of the clusters it is made of.
    pub members: Vec<String>,
}

/// A shard: a primary and its replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its number, as text.
    pub id: String,
    /// `available`, `creating`, `modifying`, …
    pub status: String,
    /// Its nodes.
    pub nodes: usize,
}

/// A cluster, which for Redis and Valkey is one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub id: String,
    /// `available`, `rebooting cluster nodes`, `incompatible-network`, …
    pub status: String,
    /// Engine and version, for example `redis 7.1.0`.
    pub engine: String,
    /// Its nodes and their status.
    pub nodes: Vec<(String, String)>,
}

/// A client of ElastiCache.
#[derive(Debug, Clone)]
pub struct ElastiCache(QueryClient);

impl ElastiCache {
    /// A client.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig, deadline: Deadline) -> Result<Self> {
        let client = QueryClient::new(config, "elasticache", "2015-02-02")?;
        Ok(Self(client.until(deadline)))
    }

    /// A replication group (`DescribeReplicationGroups`).
    ///
    /// # Errors
    /// Exit code 1 when there is none of this name, 3 when it cannot be asked for.
    pub async fn replication_group(&self, id: &str) -> Result<ReplicationGroup> {
        let parameters = [("ReplicationGroupId", id)];
        let answer = self.0.call("DescribeReplicationGroups", &parameters).await;
        let none = || missing("replication group", id, "describe-replication-groups");
        let answer = found(answer, "ReplicationGroupNotFound", none)?;
        let path = ["DescribeReplicationGroupsResult", "ReplicationGroups", "*"];
        answer.all(&path).first().map(|it| group(it)).ok_or_else(none)
    }

    /// A cluster with its nodes (`DescribeCacheClusters`).
    ///
    /// # Errors
    /// Exit code 1 when there is none of this name, 3 when it cannot be asked for.
    pub async fn cluster(&self, id: &str) -> Result<Cluster> {
        let parameters = [("CacheClusterId", id), ("ShowCacheNodeInfo", "true")];
        let answer = self.0.call("DescribeCacheClusters", &parameters).await;
        let none = || missing("cluster", id, "describe-cache-clusters");
        let answer = found(answer, "CacheClusterNotFound", none)?;
        let path = ["DescribeCacheClustersResult", "CacheClusters", "*"];
        answer.all(&path).first().map(|it| cluster(it)).ok_or_else(none)
    }
}

/// What was answered; a refusal that says "there is none" is a bad answer and not an unable one.
fn found(answer: Result<Xml>, code: &str, none: impl Fn() -> Error) -> Result<Xml> {
    answer.map_err(|error| match crate::refusal(&error) {
        Some(refusal) if refusal.code.starts_with(code) => none(),
        _ => error,
    })
}

fn missing(what: &str, id: &str, command: &str) -> Error {
    Error::bad(format!("there is no ElastiCache {what} {id}")).hint(format!(
        "check name, region and account; `aws elasticache {command}` shows what is there"
    ))
}

fn group(element: &Xml) -> ReplicationGroup {
    let shards = element.all(&["NodeGroups", "*"]).into_iter().map(|shard| Shard {
        id: shard.word(&["NodeGroupId"]),
        status: shard.word(&["Status"]),
        nodes: shard.all(&["NodeGroupMembers", "*"]).len(),
    });
    let members = element.all(&["MemberClusters", "*"]).into_iter();
    ReplicationGroup {
        id: element.word(&["ReplicationGroupId"]),
        status: element.word(&["Status"]),
        automatic_failover: element.word(&["AutomaticFailover"]),
        shards: shards.collect(),
        members: members.map(|member| member.word(&[])).collect(),
    }
}

fn cluster(element: &Xml) -> Cluster {
    let nodes = element.all(&["CacheNodes", "*"]).into_iter();
    Cluster {
        id: element.word(&["CacheClusterId"]),
        status: element.word(&["CacheClusterStatus"]),
        engine: format!(
            "{} {}",
            element.word(&["Engine"]),
            element.word(&["EngineVersion"])
        ),
        nodes: nodes
            .map(|node| (node.word(&["CacheNodeId"]), node.word(&["CacheNodeStatus"])))
            .collect(),
    }
}

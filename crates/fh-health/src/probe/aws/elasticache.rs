//! A cache of ElastiCache: its status and that of its nodes.

use async_trait::async_trait;
use fh_aws::service::elasticache::{Cluster, ElastiCache, ReplicationGroup};
use fh_core::Result;
use fh_core::config::HealthElastiCache;
use fh_core::report::{Check, Measure, Status};

use super::Look;
use super::account::Account;
use crate::probe::Planned;

/// States in which the cache works (Amazon ElastiCache API Reference, "ReplicationGroup" and "CacheCluster").
const WORKING: [&str; 2] = ["available", "snapshotting"];

/// One cache.
pub(super) struct Cache(pub(super) HealthElastiCache);

#[async_trait]
impl Look for Cache {
    fn plans(&self, id: &str) -> Vec<(Planned, &'static [&'static str])> {
        let plan = Planned::new(id, "the cache and its nodes are available");
        vec![(plan, self.actions())]
    }

    async fn look(&self, account: &Account<'_>) -> Vec<Check> {
        let id = account.id.to_owned();
        vec![match self.ask(account, id.clone()).await {
            Ok(check) => check,
            Err(error) => account.failed(id, &error, self.actions()[0]),
        }]
    }
}

impl Cache {
    fn actions(&self) -> &'static [&'static str] {
        if self.0.replication_group.is_some() {
            &["elasticache:DescribeReplicationGroups"]
        } else {
            &["elasticache:DescribeCacheClusters"]
        }
    }

    async fn ask(&self, account: &Account<'_>, id: String) -> Result<Check> {
        let client = ElastiCache::new(&account.config, account.deadline())?;
        Ok(match (&self.0.replication_group, &self.0.cluster) {
            (Some(group), _) => of_group(id, &client.replication_group(group).await?),
            (None, Some(cluster)) => of_cluster(id, &client.cluster(cluster).await?),
            (None, None) => Check::unknown(id, "neither a replication group nor a cluster is named"),
        })
    }
}

fn of_group(id: String, group: &ReplicationGroup) -> Check {
    let nodes: usize = group.shards.iter().map(|shard| shard.nodes).sum();
    let ill: Vec<String> = group
        .shards
        .iter()
        .filter(|shard| !WORKING.contains(&shard.status.as_str()))
        .map(|shard| format!("shard {} is {}", shard.id, shard.status))
        .collect();
    let summary = format!(
        "{} is {}: {} shard(s), {} node(s)",
        group.id,
        group.status,
        group.shards.len(),
        nodes.max(group.members.len())
    );
    let check = judged(id, &group.status, summary, ill);
    if group.automatic_failover == "enabled" {
        check
    } else {
        check.evidence("no replica takes over by itself: automatic failover is not enabled")
    }
    .measure(Measure::count("nodes", nodes.max(group.members.len()) as u64))
}

fn of_cluster(id: String, cluster: &Cluster) -> Check {
    let ill: Vec<String> = cluster
        .nodes
        .iter()
        .filter(|(_, status)| !WORKING.contains(&status.as_str()))
        .map(|(node, status)| format!("node {node} is {status}"))
        .collect();
    let summary = format!(
        "{} ({}) is {}: {} node(s)",
        cluster.id,
        cluster.engine,
        cluster.status,
        cluster.nodes.len()
    );
    judged(id, &cluster.status, summary, ill).measure(Measure::count("nodes", cluster.nodes.len() as u64))
}

fn judged(id: String, status: &str, summary: String, ill: Vec<String>) -> Check {
    let judgement = match status {
        _ if !ill.is_empty() => Status::Fail,
        status if WORKING.contains(&status) => Status::Pass,
        "creating" | "modifying" | "rebooting cluster nodes" => Status::Warn,
        _ => Status::Fail,
    };
    let check = Check::new(id, judgement, summary).hint("see the events in the ElastiCache console");
    ill.into_iter().fold(check, Check::evidence)
}

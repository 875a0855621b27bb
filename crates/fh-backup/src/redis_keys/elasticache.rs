//! ElastiCache takes a snapshot of its own: `BGSAVE` is closed there, and the service does it better.

use std::time::Duration;

use fh_aws::{QueryClient, SdkConfig};
use fh_core::{Deadline, Error, Result};
use serde::{Deserialize, Serialize};

/// Version of the service's interface (Amazon ElastiCache API Reference, "Query API").
const VERSION: &str = "2015-02-02";
/// Longest wait without a deadline.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// Pause between two looks at a snapshot in the making, which takes minutes.
const PAUSE: Duration = Duration::from_secs(10);

/// A snapshot that ElastiCache keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// The replication group it is of.
    pub replication_group: String,
    /// Region of both.
    pub region: String,
    /// Engine and version, for example `redis 7.1.0`, as far as the service tells.
    pub engine: String,
}

/// Starts a snapshot of the replication group and waits until it is there.
///
/// # Errors
/// Exit code 3 when the service refuses, the snapshot fails, or the deadline comes first.
pub async fn snapshot(config: &SdkConfig, group: &str, deadline: Deadline) -> Result<Snapshot> {
    let client = QueryClient::new(config, "elasticache", VERSION)?.until(deadline);
    // Letters, digits and hyphens, of which none at the end and no two together (API Reference, "CreateSnapshot").
    let name = format!("fh-backup-{}", jiff::Timestamp::now().strftime("%Y%m%dt%H%M%Sz"));
    client
        .call(
            "CreateSnapshot",
            &[("ReplicationGroupId", group), ("SnapshotName", &name)],
        )
        .await?;
    for _ in 0..LONGEST.as_secs() / PAUSE.as_secs() {
        let answer = client
            .call("DescribeSnapshots", &[("SnapshotName", &name)])
            .await?;
        let told = |what: &str| {
            answer
                .text(&["DescribeSnapshotsResult", "Snapshots", "*", what])
                .unwrap_or_default()
        };
        match told("SnapshotStatus").as_str() {
            "available" => {
                return Ok(Snapshot {
                    replication_group: group.to_owned(),
                    region: config.region().map(ToString::to_string).unwrap_or_default(),
                    engine: format!("{} {}", told("Engine"), told("EngineVersion"))
                        .trim()
                        .to_owned(),
                    name,
                });
            }
            "creating" | "" => {}
            other => {
                return Err(Error::unable(format!(
                    "the ElastiCache snapshot {name} of {group} is {other} and not available"
                ))
                .hint("see the events of the replication group in the ElastiCache console"));
            }
        }
        deadline.bound(PAUSE, &format!("the ElastiCache snapshot {name}"))?;
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::unable(format!(
        "the ElastiCache snapshot {name} of {group} is not there after {LONGEST:?}"
    ))
    .hint("see the events of the replication group in the ElastiCache console"))
}

//! Relational Database Service: instances, their snapshots, and maintenance to come (Amazon RDS API Reference, version
//! 2014-10-31).

use aws_types::SdkConfig;
use fh_core::{Deadline, Error, Result};
use jiff::Timestamp;

use super::moment;
use crate::query::QueryClient;
use crate::xml::Xml;

/// A database instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// `available`, `backing-up`, `modifying`, `storage-full`, `failed`, …
    pub status: String,
    /// Engine and version, for example `postgres 15.8`.
    pub engine: String,
    /// GiB; zero for Aurora, whose storage grows by itself.
    pub allocated_gib: u64,
    /// GiB up to which the storage may grow by itself.
    pub max_allocated_gib: Option<u64>,
    /// Days that automated backups are kept; 0 means that there are none.
    pub backup_retention_days: u64,
    /// The latest moment to which a point-in-time restore can go.
    pub latest_restorable: Option<Timestamp>,
    /// Whether there is a standby in another zone.
    pub multi_az: bool,
    /// Whether it can be deleted by mistake.
    pub deletion_protection: bool,
    /// Name of the Aurora cluster that it is of.
    pub cluster: Option<String>,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub id: String,
    /// `available`, `creating` or `failed`.
    pub status: String,
    /// When it was taken; absent while it is being taken.
    pub created: Option<Timestamp>,
}

/// Maintenance that is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// `system-update`, `db-upgrade`, `ca-certificate-rotation`, …
    pub action: String,
    /// In words.
    pub description: String,
    /// When it is applied in the next window after this moment.
    pub auto_applied_after: Option<Timestamp>,
    /// When it is applied in any case.
    pub forced: Option<Timestamp>,
}

/// A client of RDS.
#[derive(Debug, Clone)]
pub struct Rds(QueryClient);

impl Rds {
    /// A client.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig, deadline: Deadline) -> Result<Self> {
        let client = QueryClient::new(config, "rds", "2014-10-31")?;
        Ok(Self(client.until(deadline)))
    }

    /// An instance (`DescribeDBInstances`).
    ///
    /// # Errors
    /// Exit code 1 when there is none of this name, 3 when it cannot be asked for.
    pub async fn instance(&self, id: &str) -> Result<Instance> {
        let none = || {
            Error::bad(format!("there is no RDS instance {id}"))
                .hint("check name, region and account; `aws rds describe-db-instances` shows what is there")
        };
        let answer = self
            .0
            .call("DescribeDBInstances", &[("DBInstanceIdentifier", id)])
            .await;
        let answer = match answer {
            // The API reference calls it DBInstanceNotFoundFault, the wire DBInstanceNotFound.
            Err(error)
                if crate::refusal(&error).is_some_and(|it| it.code.starts_with("DBInstanceNotFound")) =>
            {
                return Err(none());
            }
            other => other?,
        };
        let found = answer.all(&["DescribeDBInstancesResult", "DBInstances", "DBInstance"]);
        found.first().map(|element| instance(element)).ok_or_else(none)
    }

    /// The automated snapshots of an instance, in no order (`DescribeDBSnapshots`).
    ///
    /// # Errors
    /// Exit code 3 when they cannot be asked for.
    pub async fn automated_snapshots(&self, id: &str) -> Result<Vec<Snapshot>> {
        let parameters = [("DBInstanceIdentifier", id), ("SnapshotType", "automated")];
        let pages = self
            .0
            .pages("DescribeDBSnapshots", &parameters, "Marker", "Marker")
            .await?;
        let found = pages
            .iter()
            .flat_map(|page| page.all(&["DBSnapshots", "DBSnapshot"]));
        Ok(found.map(snapshot).collect())
    }

    /// Maintenance that is to come for an instance (`DescribePendingMaintenanceActions`).
    ///
    /// # Errors
    /// Exit code 3 when it cannot be asked for.
    pub async fn pending(&self, arn: &str) -> Result<Vec<Pending>> {
        let pages = self
            .0
            .pages(
                "DescribePendingMaintenanceActions",
                &[("ResourceIdentifier", arn)],
                "Marker",
                "Marker",
            )
            .await?;
        let path = [
            "PendingMaintenanceActions",
            "ResourcePendingMaintenanceActions",
            "PendingMaintenanceActionDetails",
            "PendingMaintenanceAction",
        ];
        Ok(pages
            .iter()
            .flat_map(|page| page.all(&path))
            .map(pending)
            .collect())
    }
}

fn instance(element: &Xml) -> Instance {
    let number = |name: &str| element.word(&[name]).parse().ok();
    Instance {
        id: element.word(&["DBInstanceIdentifier"]),
        arn: element.word(&["DBInstanceArn"]),
        status: element.word(&["DBInstanceStatus"]),
        engine: format!(
            "{} {}",
            element.word(&["Engine"]),
            element.word(&["EngineVersion"])
        ),
        allocated_gib: number("AllocatedStorage").unwrap_or_default(),
        max_allocated_gib: number("MaxAllocatedStorage"),
        backup_retention_days: number("BackupRetentionPeriod").unwrap_or_default(),
        latest_restorable: moment::of_xml(element, "LatestRestorableTime"),
        multi_az: element.word(&["MultiAZ"]) == "true",
        deletion_protection: element.word(&["DeletionProtection"]) == "true",
        cluster: Some(element.word(&["DBClusterIdentifier"])).filter(|name| !name.is_empty()),
    }
}

fn snapshot(element: &Xml) -> Snapshot {
    Snapshot {
        id: element.word(&["DBSnapshotIdentifier"]),
        status: element.word(&["Status"]),
        created: moment::of_xml(element, "SnapshotCreateTime"),
    }
}

fn pending(element: &Xml) -> Pending {
    Pending {
        action: element.word(&["Action"]),
        description: element.word(&["Description"]),
        auto_applied_after: moment::of_xml(element, "AutoAppliedAfterDate"),
        forced: moment::of_xml(element, "ForcedApplyDate"),
    }
}

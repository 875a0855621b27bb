//! Elastic Load Balancing version 2: target groups and the health of their targets (Elastic Load Balancing API
//! Reference, version 2015-12-01).

use aws_types::SdkConfig;
use fh_core::{Deadline, Error, Result};

use crate::query::QueryClient;
use crate::xml::Xml;

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// ARNs of the load balancers that send to it.
    pub load_balancers: Vec<String>,
}

/// A target and what the load balancer thinks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Address or instance.
    pub id: String,
    /// Port, as text.
    pub port: String,
    /// `healthy`, `unhealthy`, `initial`, `draining`, `unused` or `unavailable`.
    pub state: String,
    /// `Target.ResponseCodeMismatch`, `Target.Timeout`, `Elb.InternalError`, …; empty for a healthy one.
    pub reason: String,
    /// The reason in words.
    pub description: String,
}

/// A client of Elastic Load Balancing.
#[derive(Debug, Clone)]
pub struct LoadBalancing(QueryClient);

impl LoadBalancing {
    /// A client.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig, deadline: Deadline) -> Result<Self> {
        let client = QueryClient::new(config, "elasticloadbalancing", "2015-12-01")?;
        Ok(Self(client.until(deadline)))
    }

    /// A target group by name or ARN (`DescribeTargetGroups`).
    ///
    /// # Errors
    /// Exit code 1 when there is none, 3 when it cannot be asked for.
    pub async fn target_group(&self, name: &str) -> Result<TargetGroup> {
        let parameter = if name.starts_with("arn:") {
            "TargetGroupArns.member.1"
        } else {
            "Names.member.1"
        };
        let none = || {
            Error::bad(format!("there is no target group {name}")).hint(
                "check name, region and account; `aws elbv2 describe-target-groups` shows what is there",
            )
        };
        let pages = self
            .0
            .pages(
                "DescribeTargetGroups",
                &[(parameter, name)],
                "NextMarker",
                "Marker",
            )
            .await;
        let pages = match pages {
            Err(error) if crate::refusal(&error).is_some_and(|it| it.code == "TargetGroupNotFound") => {
                return Err(none());
            }
            other => other?,
        };
        let found = pages
            .iter()
            .flat_map(|page| page.all(&["TargetGroups", "member"]));
        found.map(group).next().ok_or_else(none)
    }

    /// The health of every target (`DescribeTargetHealth`).
    ///
    /// # Errors
    /// Exit code 3 when it cannot be asked for.
    pub async fn target_health(&self, arn: &str) -> Result<Vec<Target>> {
        let answer = self
            .0
            .call("DescribeTargetHealth", &[("TargetGroupArn", arn)])
            .await?;
        let found = answer.all(&["DescribeTargetHealthResult", "TargetHealthDescriptions", "member"]);
        Ok(found.into_iter().map(target).collect())
    }
}

fn group(element: &Xml) -> TargetGroup {
    TargetGroup {
        arn: element.word(&["TargetGroupArn"]),
        name: element.word(&["TargetGroupName"]),
        load_balancers: element
            .all(&["LoadBalancerArns", "member"])
            .into_iter()
            .map(|arn| arn.word(&[]))
            .collect(),
    }
}

fn target(element: &Xml) -> Target {
    Target {
        id: element.word(&["Target", "Id"]),
        port: element.word(&["Target", "Port"]),
        state: element.word(&["TargetHealth", "State"]),
        reason: element.word(&["TargetHealth", "Reason"]),
        description: element.word(&["TargetHealth", "Description"]),
    }
}

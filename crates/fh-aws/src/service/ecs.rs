//! Elastic Container Service: what runs, which deployment won, and why tasks stopped (Amazon ECS API Reference).

use aws_types::SdkConfig;
use fh_core::{Deadline, Error, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{PAGES, endless, moment};
use crate::json::JsonClient;

/// Tasks that one `DescribeTasks` may name.
const TASKS_AT_ONCE: usize = 100;

/// A service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its name.
    pub service_name: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// Tasks that should run.
    pub desired_count: u64,
    /// Tasks that run.
    pub running_count: u64,
    /// Tasks that are being started.
    pub pending_count: u64,
    /// Deployments; the one whose status is `PRIMARY` is the newest that was asked for, or the one that was rolled back to.
    #[serde(default)]
    pub deployments: Vec<Deployment>,
    /// What ECS noted, newest first, at most the hundred newest.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// A deployment of a service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// `ecs-svc/…`
    pub id: String,
    /// `PRIMARY`, `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// ARN with family and revision.
    pub task_definition: String,
    /// Tasks that should run.
    #[serde(default)]
    pub desired_count: u64,
    /// Tasks that run.
    #[serde(default)]
    pub running_count: u64,
    /// Tasks that did not come up, counted since the deployment began or since one last came up.
    #[serde(default)]
    pub failed_tasks: u64,
    /// When it began.
    #[serde(default, deserialize_with = "moment::epoch")]
    pub created_at: Option<Timestamp>,
    /// `COMPLETED`, `IN_PROGRESS` or `FAILED`; absent for deployment controllers other than ECS.
    pub rollout_state: Option<String>,
    /// Why, in words.
    pub rollout_state_reason: Option<String>,
}

/// Something that ECS noted about a service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When.
    #[serde(default, deserialize_with = "moment::epoch")]
    pub created_at: Option<Timestamp>,
    /// In words.
    #[serde(default)]
    pub message: String,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its ARN.
    pub task_arn: String,
    /// ARN with family and revision.
    #[serde(default)]
    pub task_definition_arn: String,
    /// `RUNNING`, `STOPPED`, and what comes between.
    #[serde(default)]
    pub last_status: String,
    /// Id of the deployment that started it.
    pub started_by: Option<String>,
    /// When it stopped.
    #[serde(default, deserialize_with = "moment::epoch")]
    pub stopped_at: Option<Timestamp>,
    /// `TaskFailedToStart`, `EssentialContainerExited`, `ServiceSchedulerInitiated`, …
    pub stop_code: Option<String>,
    /// Why it stopped, in words.
    pub stopped_reason: Option<String>,
    /// Its containers.
    #[serde(default)]
    pub containers: Vec<Container>,
}

/// A container of a task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name in the task definition.
    #[serde(default)]
    pub name: String,
    /// The image as the task definition names it.
    pub image: Option<String>,
    /// `sha256:…` of the image that really runs; absent when it is not known.
    pub image_digest: Option<String>,
    /// Exit code of a container that ended.
    pub exit_code: Option<i64>,
    /// Why it ended or did not start, in words, such as `OutOfMemoryError`.
    pub reason: Option<String>,
}

/// A revision of a task definition.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinition {
    /// Name without the revision.
    pub family: String,
    /// Number of the revision.
    pub revision: u64,
    /// Its containers.
    #[serde(default)]
    pub container_definitions: Vec<ContainerDefinition>,
}

/// A container in a task definition.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerDefinition {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The image.
    #[serde(default)]
    pub image: String,
}

/// Which tasks are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those that run or should.
    Running,
    /// Those that stopped within about the last hour; ECS forgets them then.
    Stopped,
}

impl Service {
    /// The deployment that counts. None in a service of another deployment controller.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments
            .iter()
            .find(|deployment| deployment.status == "PRIMARY")
    }
}

/// `web:42` of `arn:aws:ecs:…:task-definition/web:42`.
#[must_use]
pub fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A client of ECS.
#[derive(Debug, Clone)]
pub struct Ecs(JsonClient);

impl Ecs {
    /// A client.
    ///
    /// # Errors
    /// Exit code 2 without a region.
    pub fn new(config: &SdkConfig, deadline: Deadline) -> Result<Self> {
        let client = JsonClient::new(config, "ecs", "AmazonEC2ContainerServiceV20141113")?;
        Ok(Self(client.until(deadline)))
    }

    /// A service (`DescribeServices`).
    ///
    /// # Errors
    /// Exit code 1 when there is none of this name, 3 when it cannot be asked for.
    pub async fn service(&self, cluster: &str, name: &str) -> Result<Service> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            services: Vec<Service>,
        }
        let input = json!({ "cluster": cluster, "services": [name] });
        let answer: Answer = self.0.call("DescribeServices", &input).await?;
        // One that is not there stands in a list of failures, with the reason MISSING.
        answer.services.into_iter().next().ok_or_else(|| {
            Error::bad(format!("there is no ECS service {name} in the cluster {cluster}"))
                .hint("check name, cluster, region and account; `aws ecs list-services` shows what is there")
        })
    }

    /// The tasks of a service, in no order (`ListTasks`, then `DescribeTasks`).
    ///
    /// # Errors
    /// Exit code 3 when they cannot be asked for.
    pub async fn tasks(&self, cluster: &str, service: &str, wanted: Wanted) -> Result<Vec<Task>> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            tasks: Vec<Task>,
        }
        let arns = self.task_arns(cluster, service, wanted).await?;
        let mut tasks = Vec::with_capacity(arns.len());
        for some in arns.chunks(TASKS_AT_ONCE) {
            let input = json!({ "cluster": cluster, "tasks": some });
            let answer: Answer = self.0.call("DescribeTasks", &input).await?;
            tasks.extend(answer.tasks);
        }
        Ok(tasks)
    }

    async fn task_arns(&self, cluster: &str, service: &str, wanted: Wanted) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default)]
            task_arns: Vec<String>,
            next_token: Option<String>,
        }
        let status = match wanted {
            Wanted::Running => "RUNNING",
            Wanted::Stopped => "STOPPED",
        };
        let mut input = json!({ "cluster": cluster, "serviceName": service, "desiredStatus": status });
        let mut arns = Vec::new();
        for _ in 0..PAGES {
            let answer: Answer = self.0.call("ListTasks", &input).await?;
            arns.extend(answer.task_arns);
            match answer.next_token.filter(|token| !token.is_empty()) {
                Some(token) => input["nextToken"] = token.into(),
                None => return Ok(arns),
            }
        }
        Err(endless("ListTasks"))
    }

    /// A task definition, by ARN or `family:revision` (`DescribeTaskDefinition`).
    ///
    /// # Errors
    /// Exit code 3 when it cannot be asked for.
    pub async fn task_definition(&self, name: &str) -> Result<TaskDefinition> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            task_definition: TaskDefinition,
        }
        let input = json!({ "taskDefinition": name });
        let answer: Answer = self.0.call("DescribeTaskDefinition", &input).await?;
        Ok(answer.task_definition)
    }
}

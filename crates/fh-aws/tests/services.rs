//! The small services: typed answers of the emulator, and of a scripted server where no emulator plays the case.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixed;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_types::SdkConfig;
use fh_aws::service::cloudwatch::{Alarms, CloudWatch, Metric};
use fh_aws::service::ecs::{Ecs, Wanted, short};
use fh_aws::service::elasticache::ElastiCache;
use fh_aws::service::elbv2::LoadBalancing;
use fh_aws::service::rds::Rds;
use fh_aws::{JsonClient, QueryClient};
use fh_core::{Deadline, Exit};
use fh_testkit::aws::ScriptedAws;
use fh_testkit::{Moto, require};
use fixed::config;
use jiff::Timestamp;
use serde_json::{Value, json};

const NEVER: Deadline = Deadline::never();

/// A container service with one running task, made in the emulator.
async fn make_service(config: &SdkConfig) {
    let ecs = JsonClient::new(config, "ecs", "AmazonEC2ContainerServiceV20141113").unwrap();
    for (operation, input) in [
        ("CreateCluster", json!({ "clusterName": "prod" })),
        (
            "RegisterTaskDefinition",
            json!({ "family": "web", "containerDefinitions": [
                { "name": "app", "image": "repo/web:7", "memory": 128, "cpu": 1, "essential": true }
            ]}),
        ),
        (
            "CreateService",
            json!({ "cluster": "prod", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2 }),
        ),
    ] {
        let _: Value = ecs.call(operation, &input).await.unwrap();
    }
}

#[tokio::test]
async fn the_emulators_answers_are_understood() {
    let moto = require!(Moto::try_start());
    let config = config(&moto.endpoint()).await;
    make_service(&config).await;
    let ecs = Ecs::new(&config, NEVER).unwrap();
    let service = ecs.service("prod", "web").await.unwrap();
    assert_eq!((service.status.as_str(), service.desired_count), ("ACTIVE", 2));
    let primary = service.primary().unwrap();
    assert_eq!(short(&primary.task_definition), "web:1");
    assert!(primary.created_at.is_some(), "{primary:?}");
    let definition = ecs.task_definition(&primary.task_definition).await.unwrap();
    assert_eq!((definition.family.as_str(), definition.revision), ("web", 1));
    assert_eq!(definition.container_definitions[0].image, "repo/web:7");
    ecs.tasks("prod", "web", Wanted::Running).await.unwrap();
    let error = ecs.service("prod", "nothing").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad, "{}", error.render());

    let elastic = LoadBalancing::new(&config, NEVER).unwrap();
    let ec2 = QueryClient::new(&config, "ec2", "2016-11-15").unwrap();
    let vpcs = ec2.call("DescribeVpcs", &[]).await.unwrap();
    let vpc = vpcs.word(&["vpcSet", "item", "vpcId"]);
    let making = QueryClient::new(&config, "elasticloadbalancing", "2015-12-01").unwrap();
    let made = making
        .call(
            "CreateTargetGroup",
            &[
                ("Name", "web"),
                ("Protocol", "HTTP"),
                ("Port", "80"),
                ("VpcId", &vpc),
                ("TargetType", "ip"),
            ],
        )
        .await
        .unwrap();
    let arn = made.word(&[
        "CreateTargetGroupResult",
        "TargetGroups",
        "member",
        "TargetGroupArn",
    ]);
    for name in ["web", arn.as_str()] {
        let group = elastic.target_group(name).await.unwrap();
        assert_eq!((group.arn.as_str(), group.name.as_str()), (arn.as_str(), "web"));
    }
    making
        .call(
            "RegisterTargets",
            &[
                ("TargetGroupArn", arn.as_str()),
                ("Targets.member.1.Id", "10.0.0.7"),
                ("Targets.member.1.Port", "8000"),
            ],
        )
        .await
        .unwrap();
    let targets = elastic.target_health(&arn).await.unwrap();
    assert_eq!(
        (targets[0].id.as_str(), targets[0].port.as_str()),
        ("10.0.0.7", "8000")
    );
    assert!(!targets[0].state.is_empty(), "{targets:?}");
    let error = elastic.target_group("nothing").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad, "{}", error.render());

    alarms_and_metrics(&config).await;
    databases_and_caches(&config).await;
}

async fn alarms_and_metrics(config: &SdkConfig) {
    let making = QueryClient::new(config, "monitoring", "2010-08-01").unwrap();
    let now = Timestamp::now();
    for (value, minutes) in [("5", 2), ("9", 1)] {
        let at = now - jiff::SignedDuration::from_mins(minutes);
        making
            .call(
                "PutMetricData",
                &[
                    ("Namespace", "AWS/RDS"),
                    ("MetricData.member.1.MetricName", "FreeStorageSpace"),
                    ("MetricData.member.1.Value", value),
                    (
                        "MetricData.member.1.Timestamp",
                        &at.strftime("%FT%TZ").to_string(),
                    ),
                    (
                        "MetricData.member.1.Dimensions.member.1.Name",
                        "DBInstanceIdentifier",
                    ),
                    ("MetricData.member.1.Dimensions.member.1.Value", "main"),
                ],
            )
            .await
            .unwrap();
    }
    for name in ["prod-errors", "prod-latency", "other"] {
        making
            .call(
                "PutMetricAlarm",
                &[
                    ("AlarmName", name),
                    ("Namespace", "AWS/RDS"),
                    ("MetricName", "FreeStorageSpace"),
                    ("ComparisonOperator", "LessThanThreshold"),
                    ("EvaluationPeriods", "1"),
                    ("Period", "60"),
                    ("Statistic", "Average"),
                    ("Threshold", "1"),
                ],
            )
            .await
            .unwrap();
    }
    making
        .call(
            "SetAlarmState",
            &[
                ("AlarmName", "prod-errors"),
                ("StateValue", "ALARM"),
                ("StateReason", "too many"),
            ],
        )
        .await
        .unwrap();
    let watch = CloudWatch::new(config, NEVER).unwrap();
    let metric = |dimension: &str| Metric {
        namespace: "AWS/RDS".into(),
        name: "FreeStorageSpace".into(),
        dimensions: BTreeMap::from([("DBInstanceIdentifier".into(), dimension.into())]),
        statistic: "Average".into(),
        period: Duration::from_mins(1),
    };
    let start = now - jiff::SignedDuration::from_mins(30);
    let data = watch
        .data(&[metric("nothing"), metric("main")], start, now)
        .await
        .unwrap();
    assert!(data[0].points.is_empty(), "{data:?}");
    let values: Vec<f64> = data[1].points.iter().map(|(_, value)| *value).collect();
    assert_eq!(values, [9.0, 5.0], "newest first");
    let prefixed = watch.alarms(Alarms::Prefixed("prod-")).await.unwrap();
    assert_eq!(prefixed.len(), 2, "{prefixed:?}");
    let names = ["prod-errors".to_owned(), "gone".to_owned()];
    let named = watch.alarms(Alarms::Named(&names)).await.unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (named[0].state.as_str(), named[0].reason.as_str()),
        ("ALARM", "too many")
    );
    assert!(named[0].since.is_some() && named[0].actions_enabled, "{named:?}");
}

async fn databases_and_caches(config: &SdkConfig) {
    let making = QueryClient::new(config, "rds", "2014-10-31").unwrap();
    making
        .call(
            "CreateDBInstance",
            &[
                ("DBInstanceIdentifier", "main"),
                ("DBInstanceClass", "db.t3.micro"),
                ("Engine", "postgres"),
                ("EngineVersion", "15.8"),
                ("AllocatedStorage", "20"),
                ("MasterUsername", "app"),
                ("MasterUserPassword", "password-of-a-test"),
                ("BackupRetentionPeriod", "7"),
            ],
        )
        .await
        .unwrap();
    let rds = Rds::new(config, NEVER).unwrap();
    let main = rds.instance("main").await.unwrap();
    assert_eq!(
        (
            main.status.as_str(),
            main.allocated_gib,
            main.backup_retention_days
        ),
        ("available", 20, 7)
    );
    assert!(main.engine.starts_with("postgres "), "{main:?}");
    let snapshots = rds.automated_snapshots("main").await.unwrap();
    assert!(
        snapshots
            .iter()
            .all(|it| it.created.is_some() && it.status == "available"),
        "{snapshots:?}"
    );
    let error = rds.instance("nothing").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad, "{}", error.render());

    let making = QueryClient::new(config, "elasticache", "2015-02-02").unwrap();
    making
        .call(
            "CreateReplicationGroup",
            &[
                ("ReplicationGroupId", "cache"),
                ("ReplicationGroupDescription", "x"),
                ("Engine", "redis"),
                ("CacheNodeType", "cache.t3.micro"),
                ("NumCacheClusters", "2"),
            ],
        )
        .await
        .unwrap();
    let caches = ElastiCache::new(config, NEVER).unwrap();
    let group = caches.replication_group("cache").await.unwrap();
    assert_eq!((group.id.as_str(), group.status.as_str()), ("cache", "available"));
    let error = caches.replication_group("nothing").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad, "{}", error.render());
    let error = caches.cluster("nothing").await.unwrap_err();
    assert_eq!(error.exit(), Exit::Bad, "{}", error.render());
}

#[tokio::test]
async fn pages_are_followed_and_do_not_go_on_for_ever() {
    let page = |name: &str, next: &str| {
        format!(
            "<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><DBSnapshots><DBSnapshot>\
             <DBSnapshotIdentifier>{name}</DBSnapshotIdentifier><Status>available</Status>\
             <SnapshotCreateTime>2026-11-23T02:00:00.123Z</SnapshotCreateTime></DBSnapshot></DBSnapshots>{next}\
             </DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>"
        )
    };
    let server = ScriptedAws::start([
        ("DescribeDBSnapshots", page("one", "<Marker>a+b</Marker>")),
        ("DescribeDBSnapshots", page("two", "")),
        (
            "ListTasks",
            json!({ "taskArns": ["x"], "nextToken": "more" }).to_string(),
        ),
    ]);
    let config = config(&server.endpoint()).await;
    let rds = Rds::new(&config, NEVER).unwrap();
    let found = rds.automated_snapshots("main").await.unwrap();
    let names: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(
        found[0].created,
        Some("2026-11-23T02:00:00.123Z".parse().unwrap())
    );
    let second = server.requests()[1].text();
    assert!(second.contains("&Marker=a%2Bb"), "{second}");
    let ecs = Ecs::new(&config, NEVER).unwrap();
    let error = ecs.tasks("prod", "web", Wanted::Running).await.unwrap_err();
    assert!(error.message().contains("more than 200 pages"), "{error}");
}

#[tokio::test]
async fn a_missing_right_can_be_told_from_other_refusals() {
    let server = ScriptedAws::start([]);
    let config = config(&server.endpoint()).await;
    let json = Ecs::new(&config, NEVER).unwrap().service("prod", "web").await;
    let xml = Rds::new(&config, NEVER).unwrap().instance("main").await;
    for error in [json.unwrap_err(), xml.unwrap_err()] {
        assert!(fh_aws::denied(&error), "{}", error.render());
        assert_eq!(error.exit(), Exit::Unable);
    }
    assert_eq!(server.called(), ["DescribeServices", "DescribeDBInstances"]);
}

/// As ECS shows a service after its circuit breaker took a deployment back: the failed one is gone, the old revision is
/// primary, and its rollout is completed.
#[tokio::test]
async fn a_rolled_back_service_and_its_stopped_tasks_are_read() {
    let service = json!({ "services": [{
        "serviceName": "web", "status": "ACTIVE", "desiredCount": 2, "runningCount": 2, "pendingCount": 0,
        "deployments": [{
            "id": "ecs-svc/1", "status": "PRIMARY", "desiredCount": 2, "runningCount": 2, "failedTasks": 0,
            "taskDefinition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:41",
            "createdAt": 1_795_399_200.123, "rolloutState": "COMPLETED",
            "rolloutStateReason": "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1."
        }],
        "events": [{ "id": "e", "createdAt": 1_795_399_300.0,
            "message": "(service web) rolling back to deployment ecs-svc/1." }]
    }], "failures": [] });
    let tasks = json!({ "tasks": [{
        "taskArn": "arn:aws:ecs:eu-central-1:123456789012:task/prod/abc", "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "stoppedAt": 1_795_399_250.0, "startedBy": "ecs-svc/2",
        "containers": [{ "name": "app", "exitCode": 137, "reason": "OutOfMemoryError: Container killed",
            "imageDigest": "sha256:aa" }]
    }]});
    let server = ScriptedAws::start([
        ("DescribeServices", service.to_string()),
        ("ListTasks", json!({ "taskArns": ["abc"] }).to_string()),
        ("DescribeTasks", tasks.to_string()),
    ]);
    let config = config(&server.endpoint()).await;
    let ecs = Ecs::new(&config, NEVER).unwrap();
    let service = ecs.service("prod", "web").await.unwrap();
    let primary = service.primary().unwrap();
    assert_eq!(short(&primary.task_definition), "web:41");
    assert_eq!(primary.rollout_state.as_deref(), Some("COMPLETED"));
    assert_eq!(
        primary.created_at,
        Some("2026-11-23T02:00:00.123Z".parse().unwrap())
    );
    assert!(service.events[0].message.contains("rolling back"));
    let tasks = ecs.tasks("prod", "web", Wanted::Stopped).await.unwrap();
    assert_eq!(tasks[0].stop_code.as_deref(), Some("EssentialContainerExited"));
    assert_eq!(tasks[0].containers[0].exit_code, Some(137));
    let listed = server.requests()[1].text();
    assert!(listed.contains(r#""desiredStatus":"STOPPED""#), "{listed}");
}

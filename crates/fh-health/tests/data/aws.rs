//! AWS, from the emulator where it plays the case, and from a script where it does not.

use std::process::Command;

use fh_core::report::Status;
use fh_testkit::aws::ScriptedAws;
use fh_testkit::{Moto, require};
use serde_json::{Value, json};

use super::round::{Found, Round, said};

/// Credentials come from the environment, which belongs to the whole process: the test runs itself again in one that has
/// them.
fn with_credentials(name: &str) -> bool {
    const INNER: &str = "FH_TEST_INNER";
    if std::env::var_os(INNER).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture"])
        .env(INNER, "1")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "canary-of-aws")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE");
    let output = command.output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

fn config(endpoint: &str, entries: &str) -> String {
    format!("[aws]\nregion = 'eu-central-1'\nendpoint_url = '{endpoint}'\n{entries}")
}

fn look(endpoint: &str, entries: &str) -> Found {
    Round::of(&config(endpoint, entries)).run()
}

const ECS: &str = "[[health.aws.ecs]]\nname = 'web'\ncluster = 'prod'\nservice = 'web'\n";

/// A service as ECS shows it; `rollout` is state and reason of the primary deployment.
fn service(running: u64, revision: &str, rollout: (&str, &str), events: &[&str]) -> Value {
    let events: Vec<Value> = events
        .iter()
        .map(|message| json!({ "id": "e", "createdAt": 1_795_399_300.0, "message": message }))
        .collect();
    json!({ "services": [{
        "serviceName": "web", "status": "ACTIVE", "desiredCount": 2, "runningCount": running, "pendingCount": 0,
        "deployments": [{
            "id": "ecs-svc/1", "status": "PRIMARY", "desiredCount": 2, "runningCount": running, "failedTasks": 0,
            "taskDefinition": format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/{revision}"),
            "createdAt": 1_700_000_000.5, "rolloutState": rollout.0, "rolloutStateReason": rollout.1
        }],
        "events": events
    }], "failures": [] })
}

fn stopped() -> [(&'static str, String); 2] {
    let tasks = json!({ "tasks": [{
        "taskArn": "arn:aws:ecs:eu-central-1:123456789012:task/prod/abc", "lastStatus": "STOPPED",
        "taskDefinitionArn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:42",
        "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "stoppedAt": 1_700_000_100.0,
        "containers": [{ "name": "app", "exitCode": 137, "reason": "OutOfMemoryError: Container killed" }]
    }]});
    [
        ("ListTasks", json!({ "taskArns": ["abc"] }).to_string()),
        ("DescribeTasks", tasks.to_string()),
    ]
}

fn scripted(service: &Value, more: impl IntoIterator<Item = (&'static str, String)>) -> ScriptedAws {
    let answers = [("DescribeServices", service.to_string())];
    ScriptedAws::start(answers.into_iter().chain(more))
}

#[test]
fn a_deployment_that_was_rolled_back_is_no_success() {
    if !with_credentials("aws::a_deployment_that_was_rolled_back_is_no_success") {
        return;
    }
    // Everything looks stable: two of two tasks, rollout completed. Only the revision is the old one.
    let reason = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
    let back = service(
        2,
        "web:41",
        ("COMPLETED", reason),
        &["(service web) has reached a steady state."],
    );
    let server = scripted(&back, stopped());
    let found = look(&server.endpoint(), &format!("{ECS}task_definition = 'web:42'\n"));
    found.expect("aws.ecs.web.tasks", Status::Pass);
    let check = found.expect("aws.ecs.web.deployment", Status::Fail);
    assert_eq!(check.summary, "web:41 won, where web:42 was expected");
    let text = said(check);
    assert!(text.contains(reason), "{text}");
    assert!(text.contains("a task of web:42 stopped"), "{text}");
    assert!(text.contains("app: exit code 137 OutOfMemoryError"), "{text}");

    // Without an expectation it is a warning, also when only an event tells it.
    let event = "(service web) rolling back to deployment ecs-svc/1.";
    let back = service(
        2,
        "web:41",
        ("COMPLETED", "ECS deployment ecs-svc/1 completed."),
        &[event],
    );
    let server = scripted(&back, stopped());
    let found = look(&server.endpoint(), ECS);
    let check = found.expect("aws.ecs.web.deployment", Status::Warn);
    assert!(
        check
            .summary
            .starts_with("the last deployment was rolled back: web:41 runs again"),
        "{check:#?}"
    );
    // The one that follows is as it should be.
    let good = service(
        2,
        "web:43",
        ("COMPLETED", "ECS deployment ecs-svc/1 completed."),
        &["(service web) rolling back to deployment ecs-svc/12."],
    );
    let server = scripted(&good, []);
    let found = look(
        &server.endpoint(),
        &format!("{ECS}task_definition = 'web:43'\ndeployment = 'ecs-svc/1'\n"),
    );
    found.expect("aws.ecs.web.deployment", Status::Pass);
    assert_eq!(
        server.called(),
        ["DescribeServices"],
        "nobody needs the stopped tasks of a good service"
    );
    let found = look(&server.endpoint(), &format!("{ECS}deployment = 'ecs-svc/2'\n"));
    found.expect("aws.ecs.web.deployment", Status::Fail);
}

#[test]
fn failed_rollouts_missing_tasks_and_wrong_images_are_found() {
    if !with_credentials("aws::failed_rollouts_missing_tasks_and_wrong_images_are_found") {
        return;
    }
    let failed = service(1, "web:42", ("FAILED", "tasks failed to start"), &[]);
    let server = scripted(&failed, stopped());
    let found = look(&server.endpoint(), ECS);
    let tasks = found.expect("aws.ecs.web.tasks", Status::Fail);
    assert!(said(tasks).contains("1 of 2 task(s) of web run"), "{tasks:#?}");
    let check = found.expect("aws.ecs.web.deployment", Status::Fail);
    assert!(
        check.summary.ends_with("failed: tasks failed to start"),
        "{check:#?}"
    );

    let running = |digest: Value| {
        let container = |digest: Value| json!({ "name": "app", "imageDigest": digest });
        json!({ "tasks": [
            { "taskArn": "t/1", "lastStatus": "RUNNING", "containers": [container("sha256:aa".into())] },
            { "taskArn": "t/2", "lastStatus": "RUNNING", "containers": [container(digest)] }
        ]})
        .to_string()
    };
    let listed = ("ListTasks", json!({ "taskArns": ["1", "2"] }).to_string());
    let good = service(2, "web:42", ("COMPLETED", ""), &[]);
    for (digest, status) in [
        (json!("sha256:aa"), Status::Pass),
        (json!("sha256:bb"), Status::Fail),
        (Value::Null, Status::Unknown),
    ] {
        let server = scripted(&good, [listed.clone(), ("DescribeTasks", running(digest))]);
        let found = look(&server.endpoint(), &format!("{ECS}image_digest = 'sha256:aa'\n"));
        found.expect("aws.ecs.web.image", status);
        found.expect("aws.ecs.web.deployment", Status::Pass);
    }
}

fn target(id: &str, state: &str, reason: &str) -> String {
    format!(
        "<member><Target><Id>{id}</Id><Port>8000</Port></Target><TargetHealth><State>{state}</State>\
         <Reason>{reason}</Reason><Description>Health checks failed</Description></TargetHealth></member>"
    )
}

#[test]
fn unhealthy_targets_have_their_reasons() {
    if !with_credentials("aws::unhealthy_targets_have_their_reasons") {
        return;
    }
    let group = "<DescribeTargetGroupsResponse><DescribeTargetGroupsResult><TargetGroups><member>\
                 <TargetGroupArn>arn:x</TargetGroupArn><TargetGroupName>web</TargetGroupName><LoadBalancerArns>\
                 <member>arn:lb</member></LoadBalancerArns></member></TargetGroups></DescribeTargetGroupsResult>\
                 </DescribeTargetGroupsResponse>";
    let answer = |targets: &[String]| {
        let health = format!(
            "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>{}\
             </TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>",
            targets.concat()
        );
        ScriptedAws::start([
            ("DescribeTargetGroups", group.to_owned()),
            ("DescribeTargetHealth", health),
        ])
    };
    let entry = "[[health.aws.targets]]\nname = 'web'\ntarget_group = 'web'\n";
    let (good, bad) = (
        target("10.0.0.1", "healthy", ""),
        target("10.0.0.2", "unhealthy", "Target.ResponseCodeMismatch"),
    );
    let leaving = target("10.0.0.3", "draining", "Target.DeregistrationInProgress");
    for (targets, status) in [
        (vec![good.clone(), leaving.clone()], Status::Pass),
        (vec![good.clone(), good.clone(), bad.clone()], Status::Warn),
        (vec![good.clone(), bad.clone()], Status::Fail),
        (vec![leaving], Status::Fail),
        (vec![], Status::Fail),
    ] {
        let server = answer(&targets);
        let found = look(&server.endpoint(), entry);
        let check = found.expect("aws.targets.web", status);
        let text = said(check);
        if targets.contains(&bad) {
            assert!(
                text.contains("10.0.0.2:8000 is unhealthy: Target.ResponseCodeMismatch"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_missing_right_is_skipped_with_the_action_to_allow() {
    if !with_credentials("aws::a_missing_right_is_skipped_with_the_action_to_allow") {
        return;
    }
    let server = ScriptedAws::start([]);
    let entries = format!(
        "{ECS}image_digest = 'sha256:aa'\n\
         [[health.aws.targets]]\nname = 'web'\ntarget_group = 'web'\n\
         [[health.aws.alarms]]\nname = 'all'\nprefix = 'prod-'\n\
         [[health.aws.metrics]]\nname = 'errors'\nnamespace = 'AWS/X'\nmetric = 'Errors'\nwarn = 1\n\
         [[health.aws.rds]]\nname = 'main'\ninstance = 'main'\n\
         [[health.aws.elasticache]]\nname = 'cache'\nreplication_group = 'cache'\n"
    );
    let found = look(&server.endpoint(), &entries);
    for (id, action) in [
        ("aws.ecs.web.tasks", "ecs:DescribeServices"),
        ("aws.ecs.web.deployment", "ecs:DescribeServices"),
        ("aws.ecs.web.image", "ecs:DescribeServices"),
        ("aws.targets.web", "elasticloadbalancing:DescribeTargetHealth"),
        ("aws.alarms.all", "cloudwatch:DescribeAlarms"),
        ("aws.metrics.errors", "cloudwatch:GetMetricData"),
        ("aws.rds.main.status", "rds:DescribeDBInstances"),
        ("aws.rds.main.storage", "rds:DescribeDBInstances"),
        ("aws.elasticache.cache", "elasticache:DescribeReplicationGroups"),
    ] {
        let check = found.expect(id, Status::Skip);
        let hint = check.hint.as_deref().unwrap_or_default();
        assert!(hint.starts_with("allow ") && hint.contains(action), "{check:#?}");
        assert!(!said(check).contains("canary"), "{check:#?}");
    }
    // Nobody there is no answer.
    let found = Round::of(&config(
        "http://127.0.0.1:1",
        "[[health.aws.rds]]\nname = 'main'\ninstance = 'main'\n",
    ))
    .within(std::time::Duration::from_secs(2))
    .run();
    found.expect("aws.rds.main.status", Status::Unknown);
}

/// Asks the emulator, which looks at the service in the signature and not at the signature itself.
fn ask(moto: &Moto, service: &str, form: &str) {
    let address = moto.endpoint().strip_prefix("http://").unwrap().parse().unwrap();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", authorization.as_str()),
    ];
    let answer = fh_testkit::http::request(address, "POST", "/", &headers, form.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

#[test]
fn alarms_metrics_and_caches_of_the_emulator() {
    if !with_credentials("aws::alarms_metrics_and_caches_of_the_emulator") {
        return;
    }
    let moto = require!(Moto::try_start());
    for name in ["prod-errors", "prod-latency"] {
        let alarm = format!(
            "Action=PutMetricAlarm&Version=2010-08-01&AlarmName={name}&Namespace=AWS/X&MetricName=E&Period=60&Threshold=1\
             &ComparisonOperator=LessThanThreshold&EvaluationPeriods=1&Statistic=Average"
        );
        ask(&moto, "monitoring", &alarm);
        let state =
            format!("Action=SetAlarmState&Version=2010-08-01&AlarmName={name}&StateValue=OK&StateReason=x");
        ask(&moto, "monitoring", &state);
    }
    let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(12)).strftime("%FT%TZ");
    let dimension = "MetricData.member.1.Dimensions.member.1";
    let data = format!(
        "Action=PutMetricData&Version=2010-08-01&Namespace=AWS/X&MetricData.member.1.MetricName=Errors\
         &MetricData.member.1.Value=9&MetricData.member.1.Timestamp={at}&{dimension}.Name=Server&{dimension}.Value=main"
    );
    ask(&moto, "monitoring", &data);
    ask(
        &moto,
        "elasticache",
        "Action=CreateReplicationGroup&Version=2015-02-02&ReplicationGroupId=cache&ReplicationGroupDescription=x&Engine=redis\
         &CacheNodeType=cache.t3.micro&NumCacheClusters=2",
    );
    let entries = "[[health.aws.alarms]]\nname = 'all'\nprefix = 'prod-'\n\
         [[health.aws.alarms]]\nname = 'named'\nnames = ['prod-errors', 'gone']\n\
         [[health.aws.metrics]]\nname = 'errors'\nnamespace = 'AWS/X'\nmetric = 'Errors'\nstatistic = 'Sum'\nwarn = 5\n\
         dimensions = { Server = 'main' }\n\
         [[health.aws.metrics]]\nname = 'silent'\nnamespace = 'AWS/X'\nmetric = 'Nothing'\nwarn = 5\n\
         [[health.aws.metrics]]\nname = 'zero'\nnamespace = 'AWS/X'\nmetric = 'Nothing'\nwarn = 5\nno_data = 'zero'\n\
         [[health.aws.metrics]]\nname = 'open'\nnamespace = 'AWS/X'\nmetric = 'Errors'\n\
         [[health.aws.rds]]\nname = 'gone'\ninstance = 'gone'\n\
         [[health.aws.elasticache]]\nname = 'cache'\nreplication_group = 'cache'\n";
    let found = look(&moto.endpoint(), entries);
    found.expect("aws.alarms.all", Status::Pass);
    let check = found.expect("aws.alarms.named", Status::Unknown);
    assert!(check.summary.contains("do not exist, such as gone"), "{check:#?}");
    found.expect("aws.metrics.errors", Status::Warn);
    assert_eq!(found.value("aws.metrics.errors", "value"), 9.0);
    found.expect("aws.metrics.silent", Status::Unknown);
    found.expect("aws.metrics.zero", Status::Pass);
    found.expect("aws.metrics.open", Status::Skip);
    let check = found.expect("aws.rds.gone.status", Status::Fail);
    assert!(
        check.summary.contains("there is no RDS instance gone"),
        "{check:#?}"
    );
    found.expect("aws.elasticache.cache", Status::Pass);

    ask(
        &moto,
        "monitoring",
        "Action=SetAlarmState&Version=2010-08-01&AlarmName=prod-latency&StateValue=ALARM&StateReason=slow+indeed",
    );
    let found = look(&moto.endpoint(), entries);
    let check = found.expect("aws.alarms.all", Status::Fail);
    assert!(said(check).contains("prod-latency is ALARM"), "{check:#?}");
}

#[test]
fn a_database_in_bad_state() {
    if !with_credentials("aws::a_database_in_bad_state") {
        return;
    }
    let instance = |status: &str, days: u32| {
        format!(
            "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>\
             <DBInstanceIdentifier>main</DBInstanceIdentifier><DBInstanceArn>arn:main</DBInstanceArn>\
             <DBInstanceStatus>{status}</DBInstanceStatus><Engine>postgres</Engine><EngineVersion>15.8</EngineVersion>\
             <AllocatedStorage>20</AllocatedStorage><BackupRetentionPeriod>{days}</BackupRetentionPeriod>\
             </DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"
        )
    };
    let snapshots = |at: &str| {
        format!(
            "<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><DBSnapshots><DBSnapshot>\
             <DBSnapshotIdentifier>rds:main-1</DBSnapshotIdentifier><Status>available</Status>\
             <SnapshotCreateTime>{at}</SnapshotCreateTime></DBSnapshot></DBSnapshots></DescribeDBSnapshotsResult>\
             </DescribeDBSnapshotsResponse>"
        )
    };
    let pending = "<DescribePendingMaintenanceActionsResponse><DescribePendingMaintenanceActionsResult>\
        <PendingMaintenanceActions><ResourcePendingMaintenanceActions><PendingMaintenanceActionDetails>\
        <PendingMaintenanceAction><Action>system-update</Action><Description>New OS</Description>\
        <ForcedApplyDate>2030-01-01T00:00:00Z</ForcedApplyDate></PendingMaintenanceAction>\
        </PendingMaintenanceActionDetails></ResourcePendingMaintenanceActions></PendingMaintenanceActions>\
        </DescribePendingMaintenanceActionsResult></DescribePendingMaintenanceActionsResponse>";
    let entry = "[[health.aws.rds]]\nname = 'main'\ninstance = 'main'\n";
    let server = ScriptedAws::start([
        ("DescribeDBInstances", instance("storage-full", 7)),
        ("DescribeDBSnapshots", snapshots("2026-01-01T00:00:00Z")),
        ("DescribePendingMaintenanceActions", pending.to_owned()),
    ]);
    let found = look(&server.endpoint(), entry);
    found.expect("aws.rds.main.status", Status::Fail);
    let check = found.expect("aws.rds.main.backup", Status::Fail);
    assert!(
        check
            .summary
            .starts_with("the newest automated snapshot, rds:main-1, is "),
        "{check:#?}"
    );
    let check = found.expect("aws.rds.main.maintenance", Status::Warn);
    assert!(
        check
            .summary
            .contains("AWS will do system-update in the window after 2030-01-01"),
        "{check:#?}"
    );
    // One right is missing, and only what needs it is skipped.
    let check = found.expect("aws.rds.main.storage", Status::Skip);
    assert!(said(check).contains("cloudwatch:GetMetricData"), "{check:#?}");

    let free = "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member><Id>m0</Id><Timestamps>\
        <member>2026-01-01T00:00:00Z</member></Timestamps><Values><member>3221225472</member></Values></member>\
        </MetricDataResults></GetMetricDataResult></GetMetricDataResponse>";
    let server = ScriptedAws::start([
        ("DescribeDBInstances", instance("available", 0)),
        ("DescribeDBSnapshots", snapshots("2026-01-01T00:00:00Z")),
        ("GetMetricData", free.to_owned()),
    ]);
    let found = look(&server.endpoint(), entry);
    found.expect("aws.rds.main.status", Status::Pass);
    let check = found.expect("aws.rds.main.storage", Status::Warn);
    assert!(
        check.summary.contains("3.0 GiB of 20.0 GiB are free (15 %)"),
        "{check:#?}"
    );
    found.expect("aws.rds.main.maintenance", Status::Skip);
    let check = found.expect("aws.rds.main.backup", Status::Fail);
    assert_eq!(check.summary, "automated backups are switched off");
}

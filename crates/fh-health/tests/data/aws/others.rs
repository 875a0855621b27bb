//! Targets, alarms, metrics, databases and caches.

use fh_core::report::Status;
use fh_testkit::aws::ScriptedAws;
use fh_testkit::{Moto, require};

use super::{look, with_credentials};
use crate::round::said;

fn target(id: &str, state: &str, reason: &str) -> String {
    format!(
        "<member><Target><Id>{id}</Id><Port>8000</Port></Target><TargetHealth><State>{state}</State>\
         <Reason>{reason}</Reason><Description>Health checks failed</Description></TargetHealth></member>"
    )
}

#[test]
fn unhealthy_targets_have_their_reasons() {
    if !with_credentials("aws::others::unhealthy_targets_have_their_reasons") {
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
    if !with_credentials("aws::others::alarms_metrics_and_caches_of_the_emulator") {
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
    if !with_credentials("aws::others::a_database_in_bad_state") {
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

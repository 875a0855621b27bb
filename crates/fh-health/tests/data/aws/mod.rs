//! AWS, from the emulator where it plays the case, and from a script where it does not.

mod ecs;
mod others;

use std::process::Command;

use fh_core::report::Status;
use fh_testkit::aws::ScriptedAws;

use crate::round::{Found, Round, said};

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

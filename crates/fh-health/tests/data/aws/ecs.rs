//! Services of ECS, by a script: no emulator plays a roll-back.

use fh_core::report::Status;
use fh_testkit::aws::ScriptedAws;
use serde_json::{Value, json};

use super::{ECS, look, with_credentials};
use crate::round::said;

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
    if !with_credentials("aws::ecs::a_deployment_that_was_rolled_back_is_no_success") {
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
    if !with_credentials("aws::ecs::failed_rollouts_missing_tasks_and_wrong_images_are_found") {
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

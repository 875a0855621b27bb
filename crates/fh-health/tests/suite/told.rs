//! What Slack hears.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fh_testkit::webhook::{Reply, Webhook};

use crate::tool::{Tool, closed_port, said};

/// The text of each message that Slack got.
fn texts(slack: &Webhook) -> Vec<String> {
    let of = |request: &fh_testkit::webhook::Recorded| {
        let message: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let blocks = message["blocks"].as_array().unwrap();
        let lines = blocks
            .iter()
            .map(|block| block["text"]["text"].as_str().unwrap().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    slack.requests().iter().map(of).collect()
}

#[test]
fn one_message_for_one_cause_then_silence_then_the_end() {
    let slack = Webhook::start([Reply::status(200).body("ok")]);
    let app = Webhook::start([Reply::status(500)]);
    let (dead, alive) = (closed_port(), app.address().port());
    let config = |port: u16| {
        format!(
            "[[health.tcp]]\nname = 'db'\nhost = '127.0.0.1'\nport = {port}\n[[health.http]]\nname = 'app'\nurl = '{}'\n\
             status = ['500']\n[[health.http]]\nname = 'shop'\nurl = '{}'\nstatus = ['500']\n\
             [health.checks.'http.*']\ndepends_on = ['tcp.db']\n",
            app.url("/"),
            app.url("/")
        )
    };
    let tool = Tool::new(&config(alive)).with("SLACK_WEBHOOK", slack.url("/services/secret-of-slack"));
    tool.run(&[]).expect(0);
    assert!(texts(&slack).is_empty(), "nobody wants to hear that all is well");
    tool.configure(&config(dead));
    tool.run(&[]).expect(1);
    let said = texts(&slack);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("fh-health: 1 problem"), "{}", said[0]);
    assert!(said[0].contains("fail tcp.db: "), "{}", said[0]);
    assert!(
        said[0].contains("not judged because of it: http.app, http.app.total, http.shop"),
        "{}",
        said[0]
    );
    tool.run(&[]).expect(1);
    tool.run(&["--no-notify"]).expect(1);
    assert_eq!(texts(&slack).len(), 1, "the same problem again is no news");
    tool.configure(&config(alive));
    tool.run(&[]).expect(0);
    tool.run(&[]).expect(0);
    let said = texts(&slack);
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[1].contains("1 problem resolved") && said[1].contains("resolved tcp.db after"),
        "{}",
        said[1]
    );
}

#[test]
fn what_slack_did_not_take_is_told_by_the_next_run() {
    let up = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&up);
    let slack = Webhook::answering(move |_| {
        if answers.load(Ordering::SeqCst) {
            Reply::status(200).body("ok")
        } else {
            Reply::status(404).body("no_service")
        }
    });
    let tool = Tool::new("[[health.command]]\nname = 'bad'\ncommand = ['false']\n")
        .with("SLACK_WEBHOOK", slack.url("/services/secret-of-slack"));
    let run = tool.run(&["--format", "json"]).expect(1);
    let note = run.json()["data"]["notes"][0].to_string();
    assert!(
        note.contains("could not be told, the next run tries again"),
        "{note}"
    );
    assert!(!run.stdout.contains("secret-of-slack") && !run.stderr.contains("secret-of-slack"));
    up.store(true, Ordering::SeqCst);
    let before = slack.requests().len();
    tool.run(&[]).expect(1);
    tool.run(&[]).expect(1);
    assert_eq!(slack.requests().len(), before + 1, "told once, when it could be");
    let last = texts(&slack).pop().unwrap();
    assert!(last.contains("fail command.bad"), "{last}");
}

/// A missing secret of Slack's is no reason not to look.
#[test]
fn nobody_to_tell_is_noted_and_the_checks_run() {
    let tool = Tool::new(
        "[notify]\nslack_webhook = { env = 'NOT_SET' }\n[[health.command]]\nname = 'good'\ncommand = ['true']\n\
         [[health.command]]\nname = 'bad'\ncommand = ['false']\n",
    );
    let run = tool.run(&["--format", "json"]).expect(1);
    assert!(
        said(&run.json(), "command.good").starts_with("pass"),
        "{}",
        run.stdout
    );
    let note = run.json()["data"]["notes"][0].to_string();
    assert!(note.contains("NOT_SET, which is not set"), "{note}");
    // Nothing to tell, nothing to note.
    let run = tool
        .run(&["--format", "json", "--only", "command.good"])
        .expect(0);
    assert_eq!(run.json()["data"]["notes"], serde_json::json!([]));
}

#[test]
fn reminders_come_after_their_time_and_the_watchdog_hears_of_every_round() {
    let slack = Webhook::start([Reply::status(200).body("ok")]);
    let watchdog = Webhook::start([]);
    let tool = Tool::new(&format!(
        "[notify]\nremind_after = '1ms'\n[health]\nping_url = '{}'\n[[health.command]]\nname = 'bad'\ncommand = ['false']\n",
        watchdog.url("/ping/secret-of-ping")
    ))
    .with("SLACK_WEBHOOK", slack.url("/services/x"));
    tool.run(&[]).expect(1);
    tool.run(&[]).expect(1);
    let said = texts(&slack);
    assert!(said[1].contains("still fail command.bad after"), "{said:#?}");
    let paths: Vec<String> = watchdog
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/ping/secret-of-ping/fail", "/ping/secret-of-ping/fail"]);
    tool.configure(&format!(
        "[health]\nping_url = '{}'\n[[health.command]]\nname = 'bad'\ncommand = ['true']\n",
        watchdog.url("/ping/secret-of-ping")
    ));
    let report = tool.check(&[]);
    assert!(said_is_pass(&report));
    assert_eq!(watchdog.requests().last().unwrap().path, "/ping/secret-of-ping");
}

fn said_is_pass(report: &serde_json::Value) -> bool {
    said(report, "command.bad").starts_with("pass")
}

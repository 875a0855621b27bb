//! Notifications against a real HTTP server: what is sent, what counts as sent, and what is said when it was not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use fh_core::config::{LocalSecrets, Notify, NotifyOn, SecretSource};
use fh_core::notify::{Message, Notifier, Outcome, Ping, Told, ping, slack};
use fh_core::report::{Check, FailOn, Measure, Report};
use fh_core::{Deadline, Error, Exit, Secret};
use fh_testkit::webhook::{Reply, Webhook};

/// The part of every address that must not show.
const PATH: &str = "/services/T0/canary-7f3a91";

fn ok() -> Reply {
    Reply::status(200).body("ok")
}

fn url(server: &Webhook) -> Secret {
    Secret::new(server.url(PATH))
}

fn never() -> Deadline {
    Deadline::never()
}

/// The error's text, after checking that it holds nothing of the address.
#[expect(clippy::needless_pass_by_value, reason = "the end of the error's way")]
fn text(error: Error, exit: Exit) -> String {
    let all = format!("{} {error:?}", error.render());
    assert!(!all.contains("canary") && !all.contains("127.0.0.1"), "{all}");
    assert_eq!(error.exit(), exit);
    assert!(error.advice().is_some());
    error.render()
}

fn message(exit: Exit) -> Message {
    Message::new(exit, "fh-backup create: newest set")
}

#[test]
fn slack_gets_json_and_its_ok_counts() {
    let server = Webhook::start([ok()]);
    slack(&url(&server), &message(Exit::Good), &never()).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", PATH)
    );
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    insta::assert_snapshot!(requests[0].text(), @r#"{"text":":white_check_mark: fh-backup create: newest set","blocks":[{"type":"section","text":{"type":"mrkdwn","text":":white_check_mark: *fh-backup create: newest set*"}}]}"#);
}

#[test]
fn a_refusal_is_not_tried_again() {
    let server = Webhook::start([Reply::status(403).body("invalid_token")]);
    let error = slack(&url(&server), &message(Exit::Bad), &never()).unwrap_err();
    insta::assert_snapshot!(text(error, Exit::Unable), @r"
    error: Slack did not take the message: HTTP 403, `invalid_token`
    hint: the webhook was removed or is incomplete: make a new one and set notify.slack_webhook
    ");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_proxy_page_with_status_200_is_no_delivery() {
    let server = Webhook::start([Reply::status(200).body("<html>please log in</html>")]);
    let error = slack(&url(&server), &message(Exit::Bad), &never()).unwrap_err();
    insta::assert_snapshot!(text(error, Exit::Unable), @r"
    error: Slack did not take the message: HTTP 200, `<html>please log in</html>`
    hint: a webhook answers `ok`: check that notify.slack_webhook is an incoming webhook's address
    ");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Webhook::start([ok()]);
    let server = Webhook::start([Reply::status(302).header("Location", &elsewhere.url("/x"))]);
    let error = slack(&url(&server), &message(Exit::Bad), &never()).unwrap_err();
    insta::assert_snapshot!(text(error, Exit::Unable), @r"
    error: Slack did not take the message: HTTP 302
    hint: notify.slack_webhook answers with a redirect: give the address it leads to
    ");
    assert_eq!(elsewhere.requests(), []);
}

#[test]
fn a_passing_fault_is_tried_a_second_time_and_no_third() {
    for bad in [Reply::status(503), Reply::status(429), Reply::close()] {
        let server = Webhook::start([bad.clone(), ok()]);
        slack(&url(&server), &message(Exit::Bad), &never()).unwrap();
        assert_eq!(server.requests().len(), 2);
    }
    let server = Webhook::start([Reply::status(500).body("oops")]);
    let error = slack(&url(&server), &message(Exit::Bad), &never()).unwrap_err();
    insta::assert_snapshot!(text(error, Exit::Unable), @r"
    error: Slack did not take the message: HTTP 500, `oops`
    hint: the fault is on Slack's side; the next run tries again
    ");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn nobody_listening() {
    // The port was free a moment ago, and the address stays in a secret.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Secret::new(format!("http://{}{PATH}", listener.local_addr().unwrap()));
    drop(listener);
    let error = slack(&address, &message(Exit::Bad), &never()).unwrap_err();
    insta::assert_snapshot!(text(error, Exit::Unable), @r"
    error: cannot reach Slack
    caused by: Connection refused (os error 111)
    hint: check the network and proxy settings of this host; the run itself is not affected
    ");
}

#[test]
fn a_server_without_tls_where_tls_is_asked_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Secret::new(format!("https://{}{PATH}", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = text(
        slack(&address, &message(Exit::Bad), &never()).unwrap_err(),
        Exit::Unable,
    );
    assert!(
        error.starts_with("error: cannot reach Slack\ncaused by: TLS: "),
        "{error}"
    );
}

#[test]
fn the_deadline_ends_the_wait() {
    let server = Webhook::start([ok().delay(Duration::from_secs(30))]);
    let deadline = Deadline::after(Duration::from_millis(300));
    let error = text(
        slack(&url(&server), &message(Exit::Bad), &deadline).unwrap_err(),
        Exit::Unable,
    );
    assert!(error.contains("caused by: no answer within 0."), "{error}");
    let error = slack(
        &url(&server),
        &message(Exit::Bad),
        &Deadline::after(Duration::ZERO),
    )
    .unwrap_err();
    insta::assert_snapshot!(text(error, Exit::Unable), @r"
    error: the deadline of 0ns has passed before: telling Slack
    hint: give more time with --deadline, or find out what is slow with -v
    ");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_is_no_address_is_a_mistake_in_the_configuration() {
    for address in [
        "canary-7f3a91",
        "ftp://host/canary-7f3a91",
        "https://ho st/canary-7f3a91",
        "/canary",
    ] {
        let error = slack(&Secret::new(address), &message(Exit::Bad), &never()).unwrap_err();
        let said = text(error, Exit::Usage);
        insta::allow_duplicates! { insta::assert_snapshot!(said, @r"
        error: notify.slack_webhook is not an http or https address
        hint: give the whole address, beginning with https://
        "); }
    }
}

#[test]
fn pings_go_to_their_paths_with_the_log_as_body() {
    let server = Webhook::start([Reply::status(200).body("OK")]);
    for (kind, log) in [
        (Ping::Start, ""),
        (Ping::Ok, "412 segments\n"),
        (Ping::Fail, "disk full\n"),
    ] {
        ping(&url(&server), kind, log, &never()).unwrap();
    }
    let seen: Vec<_> = server
        .requests()
        .iter()
        .map(|request| (request.path.clone(), request.text()))
        .collect();
    let expected = [("/start", ""), ("", "412 segments\n"), ("/fail", "disk full\n")];
    assert_eq!(
        seen,
        expected.map(|(end, log)| (format!("{PATH}{end}"), log.to_owned()))
    );
}

#[test]
fn a_ping_that_the_service_did_not_take() {
    let server = Webhook::start([Reply::status(200).body("OK (not found)")]);
    let error = ping(&url(&server), Ping::Ok, "", &never()).unwrap_err();
    insta::assert_snapshot!(text(error, Exit::Unable), @r"
    error: the ping was not taken: HTTP 200, `OK (not found)`
    hint: check that notify.ping_url is the check's whole address, and that the check still exists
    ");
}

fn notifier(slack: Option<&Webhook>, ping: Option<&Webhook>, on: NotifyOn, memory: &Path) -> Notifier {
    let source = |server: Option<&Webhook>| server.map(|server| SecretSource::Plain(url(server)));
    let config = Notify {
        slack_webhook: source(slack),
        ping_url: source(ping),
        on,
        ..Notify::default()
    };
    Notifier::new(&config, &LocalSecrets, memory).unwrap()
}

fn told(outcomes: &[Outcome], channel: &str) -> Option<Told> {
    let outcome = outcomes.iter().find(|outcome| outcome.channel == channel)?;
    outcome.result.as_ref().ok().copied()
}

#[test]
fn only_changes_are_told_and_a_lost_message_is_sent_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("backup-create.json");
    // Refused once, so that the third run's message is lost.
    let server = Webhook::start([ok(), Reply::status(404).body("no_service"), ok()]);
    let run = |exit| {
        // A new notifier each time: runs have nothing in common but the file.
        let outcomes =
            notifier(Some(&server), None, NotifyOn::Change, &memory).finish(&message(exit), "", &never());
        assert_eq!(outcomes.len(), 1);
        told(&outcomes, "slack")
    };
    assert_eq!(run(Exit::Good), Some(Told::NotNeeded));
    assert_eq!(run(Exit::Bad), Some(Told::Sent));
    assert_eq!(run(Exit::Bad), Some(Told::NotNeeded));
    assert_eq!(run(Exit::Good), None);
    assert_eq!(run(Exit::Good), Some(Told::Sent));
    assert_eq!(run(Exit::Good), Some(Told::NotNeeded));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_corrupt_memory_tells_rather_than_keeps_silent() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("m.json");
    std::fs::write(&memory, "{").unwrap();
    let server = Webhook::start([ok()]);
    let outcomes =
        notifier(Some(&server), None, NotifyOn::Change, &memory).finish(&message(Exit::Bad), "", &never());
    assert_eq!(told(&outcomes, "slack"), Some(Told::Sent));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "the corrupt file is kept"
    );
}

#[test]
fn both_channels_are_told_whatever_becomes_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let (chat, watchdog) = (Webhook::start([ok()]), Webhook::start([Reply::status(404)]));
    let notifier = notifier(
        Some(&chat),
        Some(&watchdog),
        NotifyOn::Always,
        &folder.path().join("m.json"),
    );
    assert_eq!(notifier.start(&never()).len(), 1);
    let outcomes = notifier.finish(&message(Exit::Unable), "line 1\nline 2\n", &never());
    assert_eq!(
        (told(&outcomes, "ping"), told(&outcomes, "slack")),
        (None, Some(Told::Sent))
    );
    let pings: Vec<String> = watchdog
        .requests()
        .iter()
        .map(|request| request.path.clone())
        .collect();
    assert_eq!(pings, [format!("{PATH}/start"), format!("{PATH}/fail")]);
    insta::assert_snapshot!(watchdog.requests()[1].text(), @r"
    fh-backup create: newest set (exit code 3)

    line 1
    line 2
    ");
    assert_eq!(chat.requests().len(), 1, "the start is no news");
}

#[test]
fn nothing_configured_is_nothing_done() {
    let folder = tempfile::tempdir().unwrap();
    let notifier = notifier(None, None, NotifyOn::Always, &folder.path().join("m.json"));
    assert!(notifier.start(&never()).is_empty());
    assert!(notifier.finish(&message(Exit::Bad), "", &never()).is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_account_of_a_report() {
    let mut report =
        Report::verdict_run("fh-backup", "verify", "newest set").about("environment", "production");
    report.push(Check::pass("manifest", "is whole"));
    report.push(Check::skip("evidence", "none yet"));
    report.push(Check::warn("age", "31 h old").measure(Measure::count("hours", 31)));
    for number in 0..12 {
        report.push(
            Check::fail(format!("table.t{number}"), "2 rows missing").hint("restore from an older set"),
        );
    }
    report.finished = report.started + jiff::SignedDuration::from_secs(125);
    let exit = report.exit(FailOn::Error);
    let text = Message::of(&report, exit)
        .text()
        .replace(&fh_core::lock::host(), "HOST");
    insta::assert_snapshot!(text, @r"
    fh-backup verify: newest set (exit code 1)
    environment: production
    host: HOST
    took: 2 min 05 s
    - fail table.t0: 2 rows missing (hint: restore from an older set)
    - fail table.t1: 2 rows missing (hint: restore from an older set)
    - fail table.t2: 2 rows missing (hint: restore from an older set)
    - fail table.t3: 2 rows missing (hint: restore from an older set)
    - fail table.t4: 2 rows missing (hint: restore from an older set)
    - fail table.t5: 2 rows missing (hint: restore from an older set)
    - fail table.t6: 2 rows missing (hint: restore from an older set)
    - fail table.t7: 2 rows missing (hint: restore from an older set)
    - fail table.t8: 2 rows missing (hint: restore from an older set)
    - fail table.t9: 2 rows missing (hint: restore from an older set)
    - and 3 more
    ");
    let failed = Report::failed(
        "fh-backup",
        "create",
        &Error::unable("cannot connect").hint("is it running?"),
    );
    let text = Message::of(&failed, Exit::Unable)
        .text()
        .replace(&fh_core::lock::host(), "HOST");
    assert!(text.contains("- cannot connect (hint: is it running?)"), "{text}");
}

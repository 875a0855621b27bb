//! Servers that hang, lie, and never end; signals.

use std::time::Duration;

use fh_testkit::raw::RawServer;
use fh_testkit::webhook::{Reply, Webhook};

use crate::tool::{ONE, Tool};

/// Each phase in which a server can hang, and the pause before a repetition.
#[test]
fn the_deadline_bounds_the_run_wherever_it_hangs() {
    let second = Duration::from_secs(1);
    let silent = RawServer::silent();
    let head = RawServer::dripping("HTTP/1.1 200 OK\r\nX: ", "a", second);
    let body = RawServer::dripping("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", "a", second);
    let busy = RawServer::saying("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    let pause = format!("[suite]\nretry = {{ max = 9, delay = \"1h\", backoff = \"fixed\" }}\n{ONE}");
    let cases = [
        (
            "TLS",
            silent.url("").replace("http:", "https:"),
            ONE.to_owned(),
            3,
        ),
        ("answer", silent.url(""), ONE.to_owned(), 3),
        ("head", head.url(""), ONE.to_owned(), 3),
        ("body", body.url(""), ONE.to_owned(), 3),
        ("pause", busy.url(""), pause, 1),
    ];
    for (what, base, suite, code) in cases {
        let ran = Tool::at(&base, &suite).run("suite.toml --deadline 300ms");
        assert!(ran.took < Duration::from_secs(20), "{what}: {:?}", ran.took);
        let ran = ran.expect(code);
        assert!(
            code == 1 || ran.stdout.contains("the deadline of the run passed"),
            "{what}: {}",
            ran.stdout
        );
    }
    // Many slow steps on few threads: what was not begun is said so.
    let many: String = (0..30)
        .map(|n| ONE.replace("name = \"one\"", &format!("name = \"s{n}\"")))
        .collect();
    let suite = format!("[suite]\ndeadline = \"300ms\"\nconcurrency = 2\n{many}");
    let ran = Tool::at(&silent.url(""), &suite).run("suite.toml --format json");
    assert!(ran.took < Duration::from_secs(20), "{:?}", ran.took);
    let ran = ran.expect(3);
    assert_eq!(
        ran.check("s29.get"),
        (
            "unknown".into(),
            "the deadline of the run passed before it could be asked".into()
        )
    );
}

#[test]
fn hostile_answers_end_in_a_clear_result() {
    let headers = "X-Header: value\r\n".repeat(10_000);
    let endless = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let cases = [
        (
            RawServer::saying(format!("HTTP/1.1 200 OK\r\n{headers}\r\n")),
            "sent a head of more than",
        ),
        (
            RawServer::saying("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"),
            "closed the connection before the answer was complete after 5 bytes",
        ),
        (
            RawServer::dripping(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                endless,
                Duration::ZERO,
            ),
            "the body is longer than 1048576 bytes",
        ),
        (
            RawServer::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd"),
            "the body is not UTF-8",
        ),
        (
            RawServer::saying("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
            "the body is gzip-encoded",
        ),
        (RawServer::saying("220 mail ready\r\n"), "does not speak HTTP"),
    ];
    let suite = "[suite]\nmax_body = \"1MiB\"\n".to_owned()
        + &ONE.replace("status = 200", "body = { contains = \"x\" }");
    for (server, said) in cases {
        let ran = Tool::at(&server.url(""), &suite).run("suite.toml").expect(1);
        assert!(ran.stdout.contains(said), "{said} in:\n{}", ran.stdout);
    }
    let circle = Webhook::start([Reply::status(302).header("Location", "/again")]);
    let suite = ONE.replace("get = \"/\"", "get = \"/\"\nredirects = 5");
    let ran = Tool::at(&circle.url(""), &suite).run("suite.toml").expect(1);
    assert!(ran.stdout.contains("expected 200, got 302"), "{}", ran.stdout);
    assert_eq!(circle.requests().len(), 6);
}

#[test]
fn a_signal_ends_the_run_at_once() {
    let silent = RawServer::silent();
    let suite = format!("[suite]\nretry = {{ max = 9, on = [\"timeout\"] }}\n{ONE}");
    let tool = Tool::at(&silent.url(""), &suite);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let before = silent.accepted();
        let ran = tool.run_and("suite.toml", |process| {
            while silent.accepted() == before {
                std::thread::sleep(Duration::from_millis(5));
            }
            let sent = std::process::Command::new("kill")
                .args([format!("-{signal}"), process.to_string()])
                .status();
            assert!(sent.unwrap().success());
        });
        assert!(
            ran.took < Duration::from_secs(9),
            "sooner than the step's own time-out: {:?}",
            ran.took
        );
        ran.expect(code);
    }
}

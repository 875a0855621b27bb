//! Servers that hang, drip, lie or never end: a clear answer within the deadline.

use std::time::{Duration, Instant};

use fh_testkit::raw::RawServer;

use crate::tool::{Tool, said};

#[test]
fn hostile_servers_end_in_a_clear_answer_in_time() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    let long_headers: String = (0..10_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let servers = [
        ("silent", RawServer::silent()),
        ("drips", RawServer::dripping("H", "x", Duration::from_millis(200))),
        (
            "endless",
            RawServer::dripping(
                format!("{head}\r\n"),
                "y".repeat(65_536),
                Duration::from_millis(1),
            ),
        ),
        (
            "cut-off",
            RawServer::saying(format!("{head}Content-Length: 1000\r\n\r\nshort")),
        ),
        (
            "headers",
            RawServer::saying(format!("HTTP/1.1 200 OK\r\n{long_headers}\r\n")),
        ),
        (
            "no-http",
            RawServer::saying(b"\x00\xff\xfe garbage\r\n\r\n".to_vec()),
        ),
        (
            "not-utf8",
            RawServer::saying(
                format!("{head}Content-Length: 2\r\n\r\n")
                    .into_bytes()
                    .into_iter()
                    .chain([0xff, 0xfe])
                    .collect::<Vec<u8>>(),
            ),
        ),
        ("hangs-up", RawServer::start(|_| Ok(()))),
    ];
    let mut config = "[health]\ntimeout = '2s'\ndeadline = '20s'\n".to_owned();
    for (name, server) in &servers {
        let url = server.url("/");
        config.push_str(&format!(
            "[[health.http]]\nname = '{name}'\nurl = '{url}'\ncontains = 'x'\nmax_size = '1MiB'\n"
        ));
    }
    let tool = Tool::new(&config);
    let began = Instant::now();
    let report = tool.check(&["--stateless"]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    for (name, _) in &servers {
        let found = said(&report, &format!("http.{name}"));
        assert!(found.starts_with("fail: "), "{name}: {found}");
    }
    assert!(
        said(&report, "http.silent").contains("the time was up while waiting for the answer"),
        "{report:#}"
    );
    assert!(
        said(&report, "http.endless").contains("larger than 1048576 bytes"),
        "{report:#}"
    );
    assert!(said(&report, "http.not-utf8").contains("not UTF-8"), "{report:#}");
}

/// A probe that does not come back is told of, and does not hold up the others or the end.
#[test]
fn the_deadline_ends_the_run_whatever_hangs() {
    let server = RawServer::silent();
    let tool = Tool::new(&format!(
        "[health]\ntimeout = '60s'\n[[health.http]]\nname = 'slow'\nurl = '{}'\n\
         [[health.command]]\nname = 'slow'\ncommand = ['sleep', '60']\n[[health.command]]\nname = 'quick'\ncommand = ['true']\n",
        server.url("/")
    ));
    let began = Instant::now();
    let report = tool.check(&["--deadline", "2s"]);
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert!(said(&report, "command.quick").starts_with("pass"), "{report:#}");
    assert!(
        said(&report, "command.slow").starts_with("unknown: sleep did not end within"),
        "{report:#}"
    );
    assert!(
        said(&report, "http.slow").starts_with("fail: no answer within"),
        "{report:#}"
    );
}

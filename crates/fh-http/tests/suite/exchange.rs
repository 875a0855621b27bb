//! Exchanges with real sockets: what comes back, and what hostile servers come to.

use std::io::Write as _;
use std::time::{Duration, Instant};

use fh_core::{Cancel, Deadline};
use fh_http::{Failure, Kind, Phase, Request, Response, exchange, follow};
use fh_testkit::raw::{RawServer, read_head};
use fh_testkit::webhook::{Reply, Webhook};

/// More than a machine under load needs, and far less than any of the hangs in these tests.
const GENEROUS: Duration = Duration::from_secs(20);

fn ask(url: &str) -> Result<Response, Failure> {
    exchange(
        &Request::get(url).unwrap(),
        Deadline::after(GENEROUS),
        &Cancel::new(),
    )
}

/// Asks a server that will not finish, with little time.
fn ask_briefly(url: &str) -> (Failure, Duration) {
    let began = Instant::now();
    let deadline = Deadline::after(Duration::from_millis(400));
    let failure = exchange(&Request::get(url).unwrap(), deadline, &Cancel::new()).unwrap_err();
    (failure, began.elapsed())
}

#[test]
fn an_answer_comes_back_whole_with_its_phases() {
    let reply = Reply::status(201)
        .header("X-One", "1")
        .header("Set-Cookie", "a=1")
        .header("Set-Cookie", "b=2")
        .header("Content-Type", "Application/JSON; charset=utf-8")
        .body("{\"ok\": true}");
    let server = Webhook::start([reply]);
    let mut request = Request::new("POST", &server.url("/path?q=1#part")).unwrap();
    request.body = "sent".into();
    let request = request.header("X-Mine", "yes");
    let response = exchange(&request, Deadline::never(), &Cancel::new()).unwrap();
    assert_eq!((response.status, response.truncated), (201, false));
    assert_eq!(response.json().unwrap()["ok"], true);
    assert_eq!(response.header("x-one"), Some("1"));
    assert_eq!(response.headers("SET-COOKIE").collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!(response.media_type().as_deref(), Some("application/json"));
    assert_eq!(response.peer, server.address());
    let phases = response.phases;
    // The host is an address and there is no TLS, so those phases did not happen.
    assert_eq!((phases.dns, phases.tls), (None, None));
    assert!(phases.connect.is_some() && phases.body.is_some());
    assert!(phases.time_to_first_byte().unwrap() <= phases.total);
    let seen = server.requests().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/path?q=1"));
    assert_eq!(seen.text(), "sent");
    assert_eq!(seen.header("x-mine"), Some("yes"));
    assert_eq!(seen.header("host"), Some(server.address().to_string().as_str()));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
}

#[test]
fn the_address_can_be_chosen_and_the_name_stays() {
    let server = Webhook::start([Reply::status(200)]);
    let mut request = Request::get("http://app.example.com/x").unwrap();
    request.connect_to = Some(server.address());
    let response = exchange(&request, Deadline::never(), &Cancel::new()).unwrap();
    assert_eq!(response.phases.dns, None);
    assert_eq!(server.requests()[0].header("host"), Some("app.example.com"));
    let by_name = Request::get(&format!("http://localhost:{}/", server.address().port())).unwrap();
    let response = exchange(&by_name, Deadline::never(), &Cancel::new()).unwrap();
    assert!(response.phases.dns.is_some());
}

#[test]
fn nobody_there_and_no_such_name_are_told_apart() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let failure = ask(&format!("http://{closed}/")).unwrap_err();
    assert_eq!((failure.kind(), failure.phase()), (Kind::Connect, Phase::Connect));
    assert_eq!(
        failure.text(),
        format!("cannot connect to {closed}: connection refused")
    );
    let failure = ask("http://no-such-host.invalid/").unwrap_err();
    assert_eq!((failure.kind(), failure.phase()), (Kind::Dns, Phase::Dns));
    let mut request = Request::get("http://127.0.0.1:1/").unwrap();
    request.headers.push(("x".into(), "a\r\nInjected: 1".into()));
    let failure = exchange(&request, Deadline::never(), &Cancel::new()).unwrap_err();
    assert_eq!(failure.kind(), Kind::Request);
    assert!(!failure.text().contains("Injected"), "{failure}");
}

#[test]
fn a_server_that_stalls_costs_the_deadline_and_no_more() {
    let second = Duration::from_secs(1);
    let never = RawServer::silent();
    let (failure, took) = ask_briefly(&never.url("/"));
    assert_eq!(
        (failure.kind(), failure.phase()),
        (Kind::Timeout, Phase::FirstByte)
    );
    assert!(took < GENEROUS, "{took:?}");

    let head = RawServer::dripping("HTTP/1.1 200 OK\r\nX: ", "a", second);
    let (failure, took) = ask_briefly(&head.url("/"));
    assert_eq!(
        (failure.kind(), failure.phase()),
        (Kind::Timeout, Phase::FirstByte)
    );
    assert!(took < GENEROUS, "{took:?}");

    let body = RawServer::dripping("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "a", second);
    let (failure, took) = ask_briefly(&body.url("/"));
    assert_eq!((failure.kind(), failure.phase()), (Kind::Timeout, Phase::Body));
    assert!(failure.text().contains("1 bytes of it had come"), "{failure}");
    assert!(failure.phases().first_byte.is_some(), "what was measured is kept");
    assert!(took < GENEROUS, "{took:?}");

    let (failure, took) = ask_briefly(&never.url("/").replace("http:", "https:"));
    assert_eq!((failure.kind(), failure.phase()), (Kind::Timeout, Phase::Tls));
    assert!(took < GENEROUS, "{took:?}");
}

#[test]
fn a_stop_ends_the_wait() {
    let server = RawServer::silent();
    let cancel = Cancel::new();
    let other = cancel.clone();
    let address = server.url("/");
    let waiting =
        std::thread::spawn(move || exchange(&Request::get(&address).unwrap(), Deadline::never(), &other));
    while server.accepted() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    cancel.trigger(15);
    let failure = waiting.join().unwrap().unwrap_err();
    assert_eq!(failure.kind(), Kind::Cancelled);
}

#[test]
fn hostile_answers_are_bounded() {
    // A body without end.
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let endless = RawServer::dripping(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk,
        Duration::ZERO,
    );
    let mut request = Request::get(&endless.url("/")).unwrap();
    request.max_body = 100_000;
    let response = exchange(&request, Deadline::after(GENEROUS), &Cancel::new()).unwrap();
    assert_eq!((response.body.len(), response.truncated), (100_000, true));
    assert!(response.text().unwrap_err().contains("longer than 100000 bytes"));

    // A head without end, in one header and in many.
    let headers = "X-Header: value\r\n".repeat(10_000);
    let many = RawServer::saying(format!("HTTP/1.1 200 OK\r\n{headers}\r\n"));
    let failure = ask(&many.url("/")).unwrap_err();
    assert_eq!(failure.kind(), Kind::TooLarge, "{failure}");
    let long = RawServer::dripping("HTTP/1.1 200 OK\r\nX: ", "a".repeat(8192), Duration::ZERO);
    let failure = ask(&long.url("/")).unwrap_err();
    assert_eq!(failure.kind(), Kind::TooLarge, "{failure}");

    // Small on the wire, large when it is unpacked: it is not unpacked.
    let bomb = RawServer::saying(
        [
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n".as_slice(),
            &[0x1f, 0x8b, 8, 0],
        ]
        .concat(),
    );
    let response = ask(&bomb.url("/")).unwrap();
    assert_eq!(response.body.len(), 4);
    assert!(response.text().unwrap_err().contains("gzip-encoded"));
}

#[test]
fn lies_and_broken_answers_are_said_plainly() {
    let failure = |bytes: &str| ask(&RawServer::saying(bytes).url("/")).unwrap_err();
    let short = failure("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    assert_eq!(
        (short.kind(), short.phase()),
        (Kind::Closed, Phase::Body),
        "{short}"
    );
    assert!(short.text().contains("after 9 bytes of the body"), "{short}");
    let chunk = failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    assert_eq!(
        (chunk.kind(), chunk.phase()),
        (Kind::Closed, Phase::Body),
        "{chunk}"
    );
    let nothing = failure("");
    assert_eq!(nothing.kind(), Kind::Closed, "{nothing}");
    let banner = failure("SSH-2.0-OpenSSH_9.2\r\n");
    assert_eq!(banner.kind(), Kind::Protocol, "{banner}");
    let twice = failure("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!");
    assert_eq!(twice.kind(), Kind::Protocol, "{twice}");

    // More than was promised is not part of the answer.
    let long = RawServer::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokand more");
    assert_eq!(ask(&long.url("/")).unwrap().body, "ok");

    let latin = RawServer::saying(b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 2\r\n\r\n\xff\xfe");
    let response = ask(&latin.url("/")).unwrap();
    assert_eq!(response.header("x-name"), Some("café"));
    assert!(
        response
            .text()
            .unwrap_err()
            .contains("not UTF-8: wrong byte at offset 0")
    );

    let reset = RawServer::start(|mut stream| {
        read_head(&stream)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    });
    assert_eq!(ask(&reset.url("/")).unwrap_err().kind(), Kind::Closed);
}

#[test]
fn redirects_are_followed_to_a_limit_and_carry_nothing_away() {
    let other = Webhook::start([Reply::status(200).body("there")]);
    let away = other.url("/end?token=t");
    let server = Webhook::start([
        Reply::status(307).header("Location", "/next"),
        Reply::status(303).header("Location", &away),
    ]);
    let mut request = Request::new("POST", &server.url("/start"))
        .unwrap()
        .header("Authorization", "Bearer abc")
        .header("X-Api-Key", "secret");
    request.body = "form".into();
    request.connect_to = Some(server.address());
    let hops = follow(&request, 5, Deadline::never(), &Cancel::new()).unwrap();
    assert_eq!(hops.hops.len(), 3);
    assert_eq!(hops.last().unwrap().text(), Ok("there"));
    let second = &server.requests()[1];
    assert_eq!(
        (second.method.as_str(), second.text()),
        ("POST", "form".to_owned())
    );
    assert_eq!(
        (second.header("authorization"), second.header("x-api-key")),
        (Some("Bearer abc"), Some("secret"))
    );
    let last = &other.requests()[0];
    assert_eq!((last.method.as_str(), last.text()), ("GET", String::new()));
    assert_eq!(
        (last.header("authorization"), last.header("x-api-key")),
        (None, None)
    );

    // A body may hold a password as well.
    let greedy = Webhook::start([Reply::status(307).header("Location", &away)]);
    request.url = greedy.url("/").parse().unwrap();
    request.connect_to = None;
    let failure = follow(&request, 5, Deadline::after(GENEROUS), &Cancel::new()).unwrap_err();
    assert_eq!(failure.kind(), Kind::Protocol);
    assert!(failure.text().contains("the body is not sent there"), "{failure}");
    assert!(!failure.text().contains("token=t"), "{failure}");
    assert_eq!(other.requests().len(), 1);

    let circle = Webhook::start([Reply::status(302).header("Location", "/again?secret=1")]);
    let failure = follow(
        &Request::get(&circle.url("/")).unwrap(),
        4,
        Deadline::after(GENEROUS),
        &Cancel::new(),
    )
    .unwrap_err();
    assert_eq!(failure.kind(), Kind::Protocol);
    assert!(
        failure.text().contains("more than 4 redirects") && !failure.text().contains("secret"),
        "{failure}"
    );
    assert_eq!(circle.requests().len(), 5);
}

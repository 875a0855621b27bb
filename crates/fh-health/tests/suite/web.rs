//! Web addresses and certificates.

use std::time::{Duration, SystemTime};

use fh_testkit::certs::{Authority, Identity};
use fh_testkit::webhook::{Reply, Webhook};

use crate::tool::{Tool, closed_port, of, said};

const DAY: u64 = 86_400;

#[test]
fn status_headers_conditions_size_and_redirects_are_judged() {
    let server = Webhook::answering(|request| {
        let body = r#"{"database": "connected", "workers": 3}"#;
        match request.path.as_str() {
            "/secret" if request.header("x-token") != Some("the-token-of-the-test") => Reply::status(403),
            "/broken" => Reply::status(500).body("Traceback"),
            "/moved" => Reply::status(302).header("Location", "/good"),
            "/loop" => Reply::status(302).header("Location", "/loop"),
            "/text" => Reply::status(200).body("plain"),
            "/large" => Reply::status(200).body("x".repeat(5000)),
            _ => Reply::status(200)
                .header("Content-Type", "application/json")
                .header("X-Version", "1.2.3")
                .body(body),
        }
    });
    let entry = |name: &str, path: &str, rest: &str| {
        format!(
            "[[health.http]]\nname = \"{name}\"\nurl = \"{}\"\n{rest}\n",
            server.url(path)
        )
    };
    let json =
        "json = ['$.database == \"connected\"', '$.workers >= 2']\nexpect_headers = { x-version = '1.2' }";
    let tool = Tool::new(
        &[
            entry("good", "/", json),
            entry("few", "/", "json = ['$.workers > 5']"),
            entry(
                "headers",
                "/",
                "expect_headers = { x-version = '9', x-other = '' }",
            ),
            entry("broken", "/broken", ""),
            entry("wanted", "/broken", "status = ['5xx']"),
            entry("text", "/text", "json = ['$.a']"),
            entry("contains", "/text", "contains = 'lain'"),
            entry("lacks", "/text", "contains = 'rich'"),
            entry("large", "/large", "max_size = '1KiB'"),
            entry("moved", "/moved", ""),
            entry("followed", "/moved", "redirects = 2\njson = ['$.workers == 3']"),
            entry("loop", "/loop", "redirects = 2"),
            entry("secret", "/secret", "headers = { X-Token = { env = 'TOKEN' } }"),
        ]
        .concat(),
    )
    .with("TOKEN", "the-token-of-the-test");
    let report = tool.check(&[]);
    for (id, expected) in [
        ("good", "pass: answers 200"),
        ("few", "fail: $.workers is 3, expected > 5"),
        ("headers", "fail: the header x-other is missing"),
        ("broken", "fail: answers 500, expected 2xx"),
        ("wanted", "pass: answers 500"),
        ("text", "fail: the body is not JSON"),
        ("contains", "pass: answers 200"),
        ("lacks", "fail: the body does not contain `rich`"),
        ("large", "fail: the body is larger than 1024 bytes"),
        ("moved", "fail: answers 302, expected 2xx"),
        ("followed", "pass: answers 200"),
        ("loop", "fail: more than 2 redirects"),
        ("secret", "pass: answers 200"),
    ] {
        let found = said(&report, &format!("http.{id}"));
        assert!(found.starts_with(expected), "{id}: {found}");
    }
    let evidence = of(&report, "http.headers")["evidence"].to_string();
    assert!(
        evidence.contains("the header x-version is `1.2.3`, expected `9` in it"),
        "{evidence}"
    );
    assert_eq!(said(&report, "http.good.total").split(' ').next(), Some("pass:"));
    let shown = tool.run(&["config", "show"]).expect(0).stdout;
    assert!(!shown.contains("the-token-of-the-test"), "{shown}");
}

#[test]
fn phases_have_thresholds_of_their_own() {
    let server = Webhook::start([Reply::status(200).delay(Duration::from_millis(150))]);
    let config = format!(
        "[[health.http]]\nname = 'api'\nurl = '{}'\n[health.checks.'http.api.first_byte']\nwarn = '100ms'\ncrit = '60s'\n\
         [health.checks.'http.*.total']\nwarn = 'off'\ncrit = 'off'\n",
        server.url("/")
    );
    let tool = Tool::new(&config);
    let report = tool.check(&[]);
    assert!(
        said(&report, "http.api.first_byte").starts_with("warn: first byte took 1"),
        "{report:#}"
    );
    let ids: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["id"].clone())
        .collect();
    assert_eq!(
        ids,
        ["http.api", "http.api.first_byte"],
        "a threshold that is off is no check"
    );
    assert_eq!(tool.run(&["--fail-on", "warning"]).code, 1);
    assert_eq!(tool.run(&[]).code, 0);
}

/// Good and bad servers, each seen by the web check and by the TLS check.
#[test]
fn certificates_are_judged_by_what_is_wrong_with_them() {
    let authority = Authority::new().unwrap();
    let days = |days: u64| Duration::from_secs(days * DAY);
    let (now, names) = (SystemTime::now(), ["localhost", "127.0.0.1"]);
    let between = |before: u64, after: u64| {
        authority
            .server_between(&names, now - days(before), now + days(after))
            .unwrap()
    };
    let intermediate = authority.intermediate().unwrap();
    let ending = authority.intermediate_until(now + days(5)).unwrap();
    let servers = [
        (
            "chain-ending",
            ending
                .server_between(&names, now - days(10), now + days(80))
                .unwrap()
                .followed_by(ending.cert_pem()),
        ),
        ("good", between(10, 80)),
        ("short", between(65, 25)),
        ("ending", between(80, 10)),
        ("expired", authority.expired_server(&names).unwrap()),
        ("wrong-name", authority.server(&["other.example"]).unwrap()),
        ("self-signed", Identity::self_signed(&names).unwrap()),
        ("incomplete", intermediate.server(&names).unwrap()),
        (
            "complete",
            intermediate
                .server(&names)
                .unwrap()
                .followed_by(intermediate.cert_pem()),
        ),
    ];
    let mut config = String::new();
    let mut running = Vec::new();
    for (name, identity) in &servers {
        let server = Webhook::start_tls(identity, []);
        let port = server.address().port();
        config.push_str(&format!(
            "[[health.http]]\nname = '{name}'\nurl = 'https://127.0.0.1:{port}/'\nca_file = 'ca.pem'\n\
             [[health.tls]]\nname = '{name}'\nhost = '127.0.0.1'\nport = {port}\nca_file = 'ca.pem'\n"
        ));
        running.push(server);
    }
    let tool = Tool::new(&config);
    std::fs::write(tool.path("ca.pem"), authority.cert_pem()).unwrap();
    let report = tool.check(&[]);
    let mut wrong = Vec::new();
    let mut begins = |id: &str, expected: &str| {
        let found = said(&report, id);
        if !found.starts_with(expected) {
            wrong.push(format!("{id}: {found}, expected {expected}"));
        }
    };
    for good in ["good", "complete", "short", "ending", "chain-ending"] {
        begins(&format!("http.{good}"), "pass: answers 200");
        begins(
            &format!("tls.{good}"),
            "pass: the certificate verifies for 127.0.0.1",
        );
    }
    for (name, why) in [
        ("expired", "it expired at "),
        ("wrong-name", "it is for other.example, and not for 127.0.0.1"),
        ("self-signed", "it is self-signed"),
        ("incomplete", "no trusted authority is called"),
    ] {
        begins(&format!("tls.{name}"), &format!("fail: {why}"));
        begins(
            &format!("http.{name}"),
            &format!("fail: the certificate of 127.0.0.1 does not verify: {why}"),
        );
    }
    // The facts are there also when the certificate does not verify.
    for family in ["tls.expired.expiry", "http.expired.certificate"] {
        let check = of(&report, family);
        let text = check.to_string();
        assert!(
            text.contains("expired at") || text.contains("valid from"),
            "{text}"
        );
    }
    begins("tls.good.expiry", "pass: ends in 79 d");
    begins("tls.short.expiry", "warn: ends in 24 d");
    begins("tls.ending.expiry", "fail: ends in 9 d");
    begins("http.ending.certificate", "fail: ends in 9 d");
    begins("tls.expired.expiry", "fail: expired at 2021-01-01");
    begins(
        "tls.chain-ending.expiry",
        "warn: CN=throw-away intermediate authority in the chain: ends in 4 d",
    );
    begins("tls.wrong-name.expiry", "pass: ");
    begins("tls.good.key", "pass: EC 256 bits");
    begins("tls.good.protocols", "pass: TLS 1.0 and 1.1 are refused");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let causes = report["data"]["incidents"].to_string();
    assert!(
        causes.contains("a certificate ended, or is not the right one"),
        "{causes}"
    );
    drop(running);
}

#[test]
fn postgresql_is_asked_for_tls_in_its_own_way() {
    let server = fh_testkit::require!(fh_testkit::Postgres::builder().tls().try_start());
    let plain = fh_testkit::require!(fh_testkit::Postgres::builder().tcp().try_start());
    let entry = |name: &str, port: u16| {
        format!(
            "[[health.tls]]\nname = '{name}'\nhost = '127.0.0.1'\nserver_name = 'localhost'\nport = {port}\n\
             starttls = 'postgres'\nca_file = '{}'\n",
            server.ca_pem_path().display()
        )
    };
    let tool = Tool::new(&[entry("db", server.port()), entry("plain", plain.port())].concat());
    let report = tool.check(&[]);
    assert!(
        said(&report, "tls.plain").contains("the PostgreSQL server does not speak TLS"),
        "{report:#}"
    );
    assert_eq!(of(&report, "tls.plain.expiry")["status"], "skip");
    assert_eq!(
        said(&report, "tls.db"),
        "pass: the certificate verifies for localhost",
        "{report:#}"
    );
    assert!(
        said(&report, "tls.db.expiry").starts_with("pass: ends in"),
        "{report:#}"
    );
}

#[test]
fn a_dead_server_is_one_failure_and_its_dependents_are_silent() {
    let port = closed_port();
    let server = Webhook::start([Reply::status(500)]);
    let tool = Tool::new(&format!(
        "[[health.tcp]]\nname = 'db'\nhost = '127.0.0.1'\nport = {port}\n\
         [[health.http]]\nname = 'app'\nurl = '{}'\n\
         [health.checks.'http.app']\ndepends_on = ['tcp.db']\nhint = 'call the database team'\n",
        server.url("/")
    ));
    let report = tool.check(&[]);
    assert_eq!(
        said(&report, "tcp.db"),
        format!("fail: 127.0.0.1:{port} accepts no connection")
    );
    assert_eq!(
        said(&report, "http.app"),
        "skip: not judged, because tcp.db failed"
    );
    let alone = tool.check(&["--only", "http.app"]);
    assert_eq!(said(&alone, "http.app"), "fail: answers 500, expected 2xx");
    assert_eq!(of(&alone, "http.app")["hint"], "call the database team");
}

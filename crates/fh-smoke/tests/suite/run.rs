//! Runs of whole suites against a real application: what passes, what fails, and what is said about it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::tool::{ONE, PASSWORD, TOKEN, Tool, answer, application};
use fh_testkit::webhook::{Reply, Webhook};

const LOGIN: &str = r#"
secrets = { password = { env = "SMOKE_PASSWORD" } }
[[setup]]
name = "login"
post = "/api/auth/login/"
json = { email = "smoke@example.com", password = "${password}" }
expect = { status = 200, json = { "$.access" = { starts_with = "eyJ" } } }
capture = { token = { jsonpath = "$.access", secret = true }, user = { jsonpath = "$.user.id" } }

[[scenario]]
name = "Portfolio"
tags = ["critical"]
[[scenario.step]]
name = "read"
get = "/api/portfolios/${user}/"
bearer = "${token}"
[scenario.step.expect]
status = "2xx"
content_type = "application/json"
duration = "30s"
ttfb = "30s"
max_size = "10KiB"
headers = { content-type = { contains = "json" } }
json = { "$.id" = "${user}", "$.positions" = { min_count = 1 }, "$.positions[*].symbol" = { matches = "^[A-Z]+$" } }

[[scenario]]
name = "health"
[[scenario.step]]
get = "/api/health/"
expect = { status = 200, json = { "$.database" = "connected" } }
"#;

#[test]
fn a_good_application_passes_and_the_login_is_shared() {
    let app = application();
    let tool = Tool::at(&app.url(""), LOGIN).with("SMOKE_PASSWORD", PASSWORD);
    let ran = tool.run("suite.toml").expect(0);
    assert!(ran.stdout.contains("portfolio.read"), "{}", ran.stdout);
    assert!(ran.stdout.contains("PASS: 3 passed"), "{}", ran.stdout);

    let ran = tool.run("suite.toml --format json").expect(0);
    let report = ran.json();
    assert_eq!(report["data"]["requests"], 3);
    assert_eq!(
        ran.check("portfolio.read.json-id"),
        ("pass".into(), "json $.id: 42".into())
    );
    // One check for each assertion and capture: 4 + 9 + 2.
    assert_eq!(report["checks"].as_array().unwrap().len(), 15, "{report:#}");
    for place in [&ran.stdout, &ran.stderr] {
        assert!(!place.contains(TOKEN) && !place.contains("s3cret"), "{place}");
    }

    // A filter leaves the setup in place; the wrong password stops everything that stands on it.
    let ran = tool.run("run suite.toml --tag critical").expect(0);
    assert!(ran.stdout.contains("2 passed"), "{}", ran.stdout);
    let wrong = Tool::at(&app.url(""), LOGIN).with("SMOKE_PASSWORD", "another-secret");
    let ran = wrong.run("suite.toml --format json").expect(1);
    assert_eq!(ran.check("setup.login.status").0, "fail");
    assert_eq!(ran.check("health").0, "skip");
    assert!(!ran.stdout.contains("another-secret"), "{}", ran.stdout);
}

#[test]
fn bodies_queries_cookies_captures_and_redirects() {
    let app = application();
    let suite = r#"
[[scenario]]
name = "all"
[[scenario.step]]
name = "cookie"
post = "/api/auth/login/"
json = { password = "x" }
expect = { status = 401 }
[[scenario.step]]
name = "form"
post = "/echo"
form = { a = "1 2", b = "ü&" }
expect = { json = { "$.type" = "application/x-www-form-urlencoded", "$.body" = "a=1+2&b=%C3%BC%26" } }
[[scenario.step]]
name = "parts"
post = "/echo"
multipart = [{ name = "file", value = "content", filename = "a.txt", content_type = "text/plain" }]
expect = { json = { "$.type" = { starts_with = "multipart/form-data; boundary=fh-" }, "$.body" = { contains = "name=\"file\"; filename=\"a.txt\"" } } }
[[scenario.step]]
name = "text"
post = "/echo"
body = "plain"
headers = { content-type = "text/x" }
expect = { json = { "$.type" = "text/x", "$.body" = "plain" } }
[[scenario.step]]
name = "query"
get = "/echo?a=1"
query = { b = "x y" }
basic = { user = "ann", password = "pw" }
expect = { json = { "$.path" = "/echo?a=1&b=x+y", "$.auth" = "Basic YW5uOnB3" } }
[[scenario.step]]
name = "not followed"
get = "/old"
expect = { status = 302, redirect_to = "/new" }
[[scenario.step]]
name = "followed"
get = "/old"
redirects = 3
expect = { status = 200, body = "here" }
[[scenario.step]]
name = "page"
get = "/login"
expect = { status = 200 }
capture = { csrf = { css = "input[name=csrf]", attr = "value" }, build = { regex = "build-([0-9]+)" }, hello = { css = "b" }, kind = { header = "content-type" } }
[[scenario.step]]
name = "used"
post = "/echo"
body = "${csrf}|${build}|${hello}|${kind}|$${kept}"
expect = { json = { "$.body" = "tok&1|77|Hello|text/html|${kept_literal}" } }
[scenario.step.headers]
"#
    .replace("${kept_literal}", "$${kept}")
    .replace("[scenario.step.headers]\n", "");
    Tool::at(&app.url(""), &suite).run("suite.toml").expect(0);
    let cookies = r#"
secrets = { password = { env = "P" } }
[[scenario]]
name = "cookies"
[[scenario.step]]
name = "login"
post = "/api/auth/login/"
json = { password = "${password}" }
expect = { status = 200 }
capture = { session = { cookie = "session" } }
[[scenario.step]]
get = "/echo"
expect = { json = { "$.cookie" = "session=${session}" } }
"#;
    Tool::at(&app.url(""), cookies)
        .with("P", PASSWORD)
        .run("suite.toml")
        .expect(0);
}

#[test]
fn a_failure_shows_the_difference_and_is_recorded_without_secrets() {
    let app = Webhook::answering(|request| match request.path.split('?').next().unwrap() {
        "/api/health/" => Reply::status(503)
            .header("Content-Type", "application/json")
            .header("Set-Cookie", "session=very-private-cookie")
            .body(format!(
                r#"{{"database":"connecting","seen":"{}"}}"#,
                request.header("authorization").unwrap_or_default()
            )),
        _ => answer(request),
    });
    let suite = r#"
secrets = { password = { env = "SMOKE_PASSWORD" } }
[[scenario]]
name = "health"
[[scenario.step]]
name = "ask"
get = "/api/health/"
query = { key = "${password}" }
basic = { user = "ann", password = "${password}" }
expect = { status = 200, json = { "$.database" = "connected" } }
[[scenario.step]]
name = "after"
get = "/new"
expect = { status = 200 }
"#;
    let tool = Tool::at(&app.url(""), suite).with("SMOKE_PASSWORD", PASSWORD);
    let ran = tool.run("suite.toml --record failures").expect(1);
    for part in [
        "json $.database: expected \"connected\", got \"connecting\"",
        "| expected: \"connected\"",
        "| got:      \"connecting\"",
        "status: expected 200, got 503",
        "| body: {\"database\":\"connecting\",\"seen\":\"Basic ***\"}",
        "not run, because the step `ask` was not as it should be",
    ] {
        assert!(ran.stdout.contains(part), "{part} in:\n{}", ran.stdout);
    }
    let recorded = std::fs::read_to_string(tool.path("failures/health.ask.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&recorded).unwrap();
    assert_eq!(document["response"]["status"], 503);
    assert_eq!(document["wrong"][1]["got"], "\"connecting\"");
    // Base64 of ann:PASSWORD, the password in a query, in JSON, and cookies.
    for hidden in [
        "YW5uOnMzY3JldC",
        "s3cret",
        "pass+word",
        "pass%20word",
        "very-private-cookie",
    ] {
        for text in [&recorded, &ran.stdout, &ran.stderr] {
            assert!(!text.contains(hidden), "{hidden} in:\n{text}");
        }
    }
    // A folder that cannot be written is said beside what was found.
    tool.write("file", "");
    let ran = tool.run("suite.toml --record file/below").expect(3);
    assert!(
        ran.stdout.contains("cannot make the folder file/below") && ran.stdout.contains("got 503"),
        "{}",
        ran.stdout
    );
    // GitHub and JUnit carry the same failures.
    let github = tool.run("suite.toml --format github").expect(1).stdout;
    assert_eq!(github.matches("::error ").count(), 2, "{github}");
    let junit = tool.run("suite.toml --format junit").expect(1).stdout;
    assert!(
        junit.contains("failures=\"2\"") && junit.contains("tests=\"3\""),
        "{junit}"
    );
    assert!(!junit.contains("s3cret") && !github.contains("s3cret"));
}

#[test]
fn what_is_repeated_is_said_to_be_flaky() {
    let count = AtomicUsize::new(0);
    let app = Webhook::answering(move |_| match count.fetch_add(1, Ordering::SeqCst) % 3 {
        0 => Reply::status(503),
        1 => Reply::close(),
        _ => Reply::status(200),
    });
    let suite = r#"
[suite]
retry = { max = 3, delay = "1ms", on = [503, "closed"] }
[[scenario]]
name = "flaky"
[[scenario.step]]
name = "get"
get = "/"
expect = { status = 200 }
"#;
    // The environment is a table too, so that [suite] stands behind it.
    let tool = Tool::at(&app.url(""), suite);
    let ran = tool.run("suite.toml --format json").expect(0);
    assert_eq!(ran.check("flaky.get.flaky").0, "warn");
    assert!(
        ran.check("flaky.get.flaky")
            .1
            .starts_with("good only at attempt 3: status 503")
    );
    assert_eq!(ran.json()["data"]["flaky"], 1);
    tool.run("suite.toml --fail-flaky").expect(1);
    tool.run("suite.toml --fail-on warning").expect(1);
    let unsafe_method = suite.replace("get = \"/\"", "post = \"/\"");
    let ran = Tool::at(&app.url(""), &unsafe_method).run("suite.toml").expect(1);
    assert!(ran.stdout.contains("expected 200, got 503"), "{}", ran.stdout);
}

#[test]
fn nobody_there_is_not_a_failed_check_and_not_a_pass() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let tool = Tool::at(&format!("http://{closed}"), ONE);
    let ran = tool.run("suite.toml --format json").expect(3);
    let (status, summary) = ran.check("one.get");
    assert_eq!(status, "unknown");
    assert!(summary.contains("connection refused"), "{summary}");
    Tool::at("http://no-such-host.invalid", ONE)
        .run("suite.toml")
        .expect(3);
    // Where others answer, one that does not is a fault of the deploy.
    let app = application();
    let mixed = format!(
        "{ONE}\n[[scenario]]\nname = \"two\"\n[[scenario.step]]\nname = \"get\"\nget = \"http://{closed}/\"\nexpect = {{ status = 200 }}\n"
    )
    .replacen("get = \"/\"", "get = \"/new\"", 1);
    let ran = Tool::at(&app.url(""), &mixed)
        .run("suite.toml --format json")
        .expect(1);
    assert_eq!(ran.check("two.get").0, "fail");
}

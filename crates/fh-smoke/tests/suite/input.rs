//! Wrong suites, and suites that the tool writes itself: from OpenAPI documents and from Hurl files.

use crate::tool::{PASSWORD, Tool, application};

const GOOD: &str = r#"[env.test]
base = "http://127.0.0.1:1"
[vars]
user = "ann"
[[scenario]]
name = "one"
tags = ["critical"]
[[scenario.step]]
name = "first"
get = "/x/${user}"
expect = { status = 200 }
capture = { id = { jsonpath = "$.id" } }
[[scenario.step]]
name = "second"
get = "/y/${id}"
expect = { status = 200, json = { "$.a" = { matches = "^x" } } }
"#;

/// Every wrong suite beside the others: what is changed in the good one, and what is said. Nothing is ever sent.
#[test]
fn wrong_suites_are_refused_with_place_and_advice() {
    let changes = [
        (
            "scenario.step]]\nname = \"first\"",
            "scenario.stp]]\nname = \"first\"",
        ),
        ("expect = { status = 200 }", "expect = { statsu = 200 }"),
        ("status = 200,", "status = 2000,"),
        ("status = 200,", "status = \"2xy\","),
        ("status = 200,", "status = [],"),
        ("get = \"/x/${user}\"", "get = \"/x/${usr}\""),
        ("get = \"/x/${user}\"", "get = \"/x/${user\""),
        ("get = \"/x/${user}\"", "get = \"/x\"\npost = \"/x\""),
        ("get = \"/x/${user}\"", "name2 = \"/x\""),
        ("get = \"/y/${id}\"", "get = \"/y\""),
        ("{ jsonpath = \"$.id\" }", "{ jsonpath = \"id\" }"),
        ("{ jsonpath = \"$.id\" }", "{ }"),
        ("{ jsonpath = \"$.id\" }", "{ css = \"a > b\" }"),
        ("{ matches = \"^x\" }", "{ matches = \"^(x\" }"),
        ("{ matches = \"^x\" }", "{ match = \"^x\" }"),
        ("{ matches = \"^x\" }", "{}"),
        (
            "expect = { status = 200, json = { \"$.a\" = { matches = \"^x\" } } }",
            "",
        ),
        ("name = \"second\"", "name = \"first\""),
        ("tags = [\"critical\"]", "routes = [\"origin\"]"),
        ("base = \"http://127.0.0.1:1\"", "base = \"\""),
        ("[env.test]\nbase = \"http://127.0.0.1:1\"", ""),
        ("[vars]", "[[security]]\npage = \"/\"\nmin_grade = \"E\"\n[vars]"),
        ("[vars]", "routes = { origin = \"example.com\" }\n[vars]"),
        (
            "[vars]",
            "[[security]]\npage = \"/\"\nhttp_base = \"https://h/\"\n[vars]",
        ),
        ("[vars]", "[vars"),
        ("[vars]", "[suite]\ndeadline = 5\n[vars]"),
        (
            "[vars]",
            "[suite]\nretry = { max = 1, on = [\"conect\"] }\n[vars]",
        ),
    ];
    let mut said = String::new();
    for (from, to) in changes {
        assert!(GOOD.contains(from), "{from}");
        let ran = Tool::with_suite(&GOOD.replacen(from, to, 1)).run("check suite.toml");
        said += &format!("# {from:?} -> {to:?}\n{}\n", ran.expect(2).stderr);
    }
    insta::assert_snapshot!(said);
}

#[test]
fn what_would_check_nothing_is_a_usage_error() {
    let tool = Tool::with_suite(GOOD);
    let ran = tool.run("check suite.toml").expect(0);
    assert!(
        ran.stdout
            .contains("1 environments, 1 scenarios, 2 steps, 4 assertions"),
        "{}",
        ran.stdout
    );
    let mut said = String::new();
    for words in [
        "suite.toml --tag critcal",
        "suite.toml --scenario two",
        "suite.toml --env tset",
        "suite.toml --var usr=x",
        "suite.toml --var user",
        "nothing.toml",
        "--tag critical",
        "--tag critical check suite.toml",
        "list suite.toml --tag x",
    ] {
        said += &format!("$ fh-smoke {words}\n{}\n", tool.run(words).expect(2).stderr);
    }
    let empty = Tool::with_suite("[env.test]\nbase = \"http://127.0.0.1:1\"\n");
    said += &format!("# an empty suite\n{}\n", empty.run("suite.toml").expect(2).stderr);
    let unset = Tool::at(
        "http://127.0.0.1:1",
        "secrets = { a = { env = \"NOT_SET\" } }\n[[tls]]\n",
    );
    said += &format!(
        "# a secret that is not set\n{}\n",
        unset.run("suite.toml").expect(2).stderr
    );
    let secret = Tool::at(
        "http://127.0.0.1:1",
        "secrets = { a = { env = \"A\" } }\n[[tls]]\n",
    );
    said += &format!(
        "# a secret on the command line\n{}\n",
        secret.run("suite.toml --var a=x").expect(2).stderr
    );
    insta::assert_snapshot!(said);
    let several = Tool::with_suite(&format!("{GOOD}[env.other]\nbase = \"http://127.0.0.1:2\"\n"));
    let ran = several.run("suite.toml").expect(2);
    assert!(
        ran.stderr.contains("add --env NAME, one of: other, test"),
        "{}",
        ran.stderr
    );
    several.run("suite.toml --env other").expect(3);
    let list = tool.run("list suite.toml").expect(0).stdout;
    assert!(list.contains("first") && list.contains("GET /y/${id}"), "{list}");
}

#[test]
fn help_shows_examples_first() {
    let tool = Tool::with_suite(GOOD);
    let all: Vec<String> = ["", "run ", "list ", "check ", "init ", "convert "]
        .iter()
        .map(|words| tool.run(&format!("{words}--help")).expect(0).stdout)
        .collect();
    assert!(
        all.iter()
            .all(|help| help.contains("Work on this environment of the suite"))
    );
    insta::assert_snapshot!(all.join("\n────────\n"));
}

const HURL: &str = r##"# A login and what stands behind it.
POST {{host}}/api/auth/login/
Content-Type: application/json
{
  "email": "smoke@example.com",
  "password": "{{password}}"
}
HTTP 200
[Captures]
token: jsonpath "$.access"
session: cookie "session"
[Asserts]
jsonpath "$.user.id" == 42
header "Content-Type" contains "json"   # a comment

GET {{host}}/api/portfolios/42/
Authorization: Bearer {{token}}
[Options]
location: true
max-time: 20
HTTP/1.1 200
Content-Type: application/json
[Asserts]
jsonpath "$.positions" count == 2
jsonpath "$.positions[0].symbol" matches /^[A-Z]+$/
jsonpath "$.nothing" not exists
duration < 15000
bytes count >= 10
body contains "ABC"

POST {{host}}/echo
[Form]
a: 1 2
HTTP *
[Asserts]
jsonpath "$.body" == "a=1+2"
"##;

#[test]
fn a_hurl_file_becomes_a_suite_that_does_the_same() {
    let app = application();
    let tool = Tool::with_suite(GOOD).with("HURL_VARIABLE_password", PASSWORD);
    tool.write("login.hurl", HURL);
    tool.run(&format!(
        "convert login.hurl --base {} --to login.toml",
        app.url("")
    ))
    .expect(0);
    let ran = tool.run("login.toml --format json").expect(0);
    // 2 statuses, 14 other conditions and a capture.
    assert_eq!(ran.json()["data"]["requests"], 3, "{}", ran.stdout);
    assert_eq!(
        ran.check("login.2-get-api-portfolios-42.json-positions").0,
        "pass"
    );
    let text = std::fs::read_to_string(tool.path("login.toml")).unwrap();
    insta::assert_snapshot!(text.replace(&app.url(""), "BASE"));
    // Without --base, the first request says where the environment is.
    tool.write(
        "plain.hurl",
        &format!("GET {}/new\nHTTP 200\n[Asserts]\nbody == \"here\"\n", app.url("")),
    );
    tool.run("convert plain.hurl --to plain.toml").expect(0);
    let ran = tool.run("plain.toml --format json").expect(0);
    assert_eq!(ran.check("plain.1-get-new.body").0, "pass");
    // It is not written over, and the same to stdout is the same.
    tool.run("convert login.hurl --base http://h --to login.toml")
        .expect(4);
    let out = tool
        .run(&format!("convert login.hurl --base {}", app.url("")))
        .expect(0)
        .stdout;
    assert_eq!(out, text);
}

#[test]
fn what_is_not_read_of_hurl_is_refused_with_its_place() {
    let cases = [
        ("", "HTTP 200\n"),
        ("GET http://h/\n", ""),
        ("GET http://h/\n[Multipart]\nfile: file,a.txt;\n", "HTTP 200\n"),
        ("GET http://h/\n[Options]\ninsecure: true\n", "HTTP 200\n"),
        ("GET http://h/\n[Options]\nretry: 3\n", "HTTP 200\n"),
        ("POST http://h/\n<xml/>\n", "HTTP 200\n"),
        ("POST http://h/\n{ \"a\": {{b}} }\n", "HTTP 200\n"),
        ("GET http://h/\n", "HTTP 2000\n"),
        ("GET http://h/\n", "HTTP/2 200\n"),
        ("GET http://h/\n", "HTTP 200\n[Asserts]\nxpath \"//a\" exists\n"),
        (
            "GET http://h/\n",
            "HTTP 200\n[Asserts]\njsonpath \"$.a\" split \",\" count == 1\n",
        ),
        ("GET http://h/\n", "HTTP 200\n[Asserts]\nstatus < 300\n"),
        ("GET http://h/\n", "HTTP 200\n[Captures]\na: duration\n"),
        ("GET http://h/\n", "HTTP 200\n{ \"whole\": \"body\" }\n"),
    ];
    let mut said = String::new();
    for (request, answer) in cases {
        let tool = Tool::with_suite(GOOD);
        tool.write("x.hurl", &format!("{request}{answer}"));
        let ran = tool.run("convert x.hurl --to out.toml").expect(2);
        assert!(!tool.path("out.toml").exists());
        said += &format!(
            "# {request:?} {answer:?}\n{}\n",
            ran.stderr.lines().next().unwrap()
        );
    }
    insta::assert_snapshot!(said);
}

#[test]
fn an_openapi_document_becomes_a_first_suite() {
    let app = application();
    let document = serde_json::json!({
        "openapi": "3.0.3",
        "info": { "title": "FinanceHub", "version": "1" },
        "servers": [{ "url": "/relative" }, { "url": app.url("") }],
        "paths": {
            "/api/health/": { "get": {
                "tags": ["health"],
                "responses": { "200": { "description": "", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Health" } } } } },
            }},
            "/api/portfolios/{id}/": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer", "example": 42 } }],
                "get": {
                    "tags": ["portfolio"],
                    "security": [{ "jwt": [] }],
                    "responses": { "404": {}, "200": { "description": "", "content": { "application/json": {} } } },
                },
                "delete": { "responses": { "204": {} } },
            },
            "/api/users/{name}/": { "get": { "parameters": [{ "name": "name", "in": "path", "required": true }], "responses": { "200": {} } } },
        },
        "components": { "schemas": { "Health": { "type": "object", "required": ["status", "database"] } } },
    });
    let tool = Tool::with_suite(GOOD).with("SMOKE_TOKEN", crate::tool::TOKEN);
    tool.write("openapi.json", &document.to_string());
    tool.run("init --openapi openapi.json --to first.toml").expect(0);
    let ran = tool.run("first.toml --format json").expect(0);
    assert_eq!(ran.check("health.get-api-health.json-database").0, "pass");
    assert_eq!(ran.check("portfolio.get-api-portfolios-42.status").0, "pass");
    let text = std::fs::read_to_string(tool.path("first.toml")).unwrap();
    insta::assert_snapshot!(text.replace(&app.url(""), "BASE"));
    for wrong in [
        "{}",
        "not json",
        r#"{"openapi":"3.0.0","paths":{}}"#,
        r#"{"openapi":"2.0","paths":{}}"#,
    ] {
        tool.write("wrong.json", wrong);
        tool.run("init --openapi wrong.json --to no.toml").expect(2);
        assert!(!tool.path("no.toml").exists());
    }
}

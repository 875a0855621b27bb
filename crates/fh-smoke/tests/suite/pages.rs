//! The version gate, assets, security headers, certificates and routes, each in a good and a bad state.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crate::tool::{Tool, application};
use fh_testkit::certs::{Authority, Identity};
use fh_testkit::webhook::{Reply, Webhook};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn the_version_must_answer_everywhere_several_times() {
    // Old and new tasks answer in turn, until the old ones are gone.
    let count = AtomicUsize::new(0);
    let app = Webhook::answering(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let version = if number < 6 && number % 2 == 1 {
            "old"
        } else {
            "new"
        };
        Reply::status(200).body(format!(r#"{{"version":"{version}"}}"#))
    });
    let gate = |wanted: &str, within: &str| {
        format!(
            r#"
[version]
path = "/api/health/"
jsonpath = "$.version"
equals = "${{sha}}"
within = "{within}"
every = "1ms"
stable_for = 3
[vars]
sha = {{ env = "GIT_SHA", default = "{wanted}" }}
[[scenario]]
name = "one"
[[scenario.step]]
get = "/"
expect = {{ status = 200 }}
"#
        )
    };
    let tool = Tool::at(&app.url(""), &gate("new", "30s"));
    let ran = tool.run("suite.toml --format json").expect(0);
    let (status, summary) = ran.check("version");
    assert_eq!(status, "pass");
    assert!(
        summary.starts_with("new on 1 address, 3 times in a row"),
        "{summary}"
    );
    // new, old, new, old, new, old, new, new, new, and the step.
    assert_eq!(app.requests().len(), 10);

    let old = Webhook::answering(|_| Reply::status(200).body(r#"{"version":"old"}"#));
    let tool = Tool::at(&old.url(""), &gate("unused", "150ms")).with("GIT_SHA", "4f2a");
    let ran = tool.run("suite.toml --format json").expect(1);
    assert_eq!(ran.check("version").0, "fail");
    assert_eq!(
        ran.check("one"),
        (
            "skip".into(),
            "not run, because the version is not what it should be".into()
        )
    );
    let human = tool.run("suite.toml").expect(1).stdout;
    assert!(human.contains(": old, 0 times right in a row"), "{human}");
    tool.run("suite.toml --no-version").expect(0);
    tool.run("suite.toml --var sha=old").expect(0);

    // The version in a header, of whichever address answers.
    let header = Webhook::answering(|_| Reply::status(200).header("X-Version", "4f2a"));
    let gate_of = |wanted: &str| {
        format!(
            "[version]\npath = \"/\"\nheader = \"x-version\"\nequals = \"{wanted}\"\naddresses = \"any\"\nevery = \"1ms\"\nwithin = \"100ms\"\nstable_for = 2\n"
        )
    };
    Tool::at(&header.url(""), &gate_of("4f2a").replace("100ms", "30s"))
        .run("suite.toml")
        .expect(0);
    assert_eq!(header.requests().len(), 2);
    Tool::at(&header.url(""), &gate_of("other"))
        .run("suite.toml")
        .expect(1);
    // A broken answer does not count, and nobody there is unknown.
    let broken = Webhook::answering(|_| Reply::status(500).body(r#"{"version":"new"}"#));
    let ran = Tool::at(&broken.url(""), &gate("new", "100ms"))
        .run("suite.toml")
        .expect(1);
    assert!(ran.stdout.contains("new, but with status 500"), "{}", ran.stdout);
    let ran = Tool::at("http://127.0.0.1:1", &gate("new", "50ms"))
        .run("suite.toml")
        .expect(3);
    assert!(ran.stdout.contains("connection refused"), "{}", ran.stdout);
}

fn shop(script: Reply) -> Webhook {
    Webhook::answering(move |request| {
        match request.path.as_str() {
        "/" => Reply::status(200).header("Content-Type", "text/html").body(
            r#"<link rel=stylesheet href="/app.css"><script src="/app.js" integrity="sha256-MaeD7tQk/YNyd6Pm9J12ROmv0Z93QwNN4VH7v3gI+RI="></script>
               <img src="logo.png#x"><img src="data:image/png;base64,AA"><script src="https://cdn.example.com/x.js"></script>"#,
        ),
        "/app.css" => Reply::status(200)
            .header("Content-Type", "text/css")
            .header("Cache-Control", "public, max-age=31536000, immutable")
            .body("a{}"),
        "/app.js" => script.clone(),
        "/logo.png" => Reply::status(200)
            .header("Content-Type", "image/png")
            .header("Cache-Control", "max-age=86400, immutable")
            .body("png"),
        _ => Reply::status(404),
    }
    })
}

#[test]
fn assets_are_those_that_the_page_names() {
    const SUITE: &str = "[[assets]]\npage = \"/\"\ncache = \"immutable\"\n";
    let good = Reply::status(200)
        .header("Content-Type", "text/javascript; charset=utf-8")
        .header("Cache-Control", "max-age=31536000, immutable");
    let ran = Tool::at(&shop(good.clone().body("alert(1)\n")).url(""), SUITE).run("suite.toml --format json");
    let ran = ran.expect(0);
    assert_eq!(
        ran.check("assets.home"),
        ("pass".into(), "3 of 3 assets are as they should be".into())
    );
    let cases = [
        (good.clone().body("alert(2)\n"), "its sha256 is"),
        (good.body(""), "it is empty"),
        (Reply::status(404), "status 404"),
        (
            Reply::status(200)
                .header("Content-Type", "text/html")
                .body("alert(1)\n"),
            "content type text/html, expected text/javascript; cache-control is missing",
        ),
    ];
    for (script, said) in cases {
        let ran = Tool::at(&shop(script).url(""), SUITE).run("suite.toml").expect(1);
        assert!(ran.stdout.contains(said), "{said} in:\n{}", ran.stdout);
        assert!(ran.stdout.contains("2 of 3 assets"), "{}", ran.stdout);
    }
    let app = shop(Reply::status(200));
    let more = Tool::at(&app.url(""), &format!("{SUITE}at_least = 4\n"))
        .run("suite.toml")
        .expect(1);
    assert!(
        more.stdout.contains("names 3 assets, expected at least 4"),
        "{}",
        more.stdout
    );
    let bare = Tool::at(&app.url(""), "[[assets]]\npage = \"/app.css\"\n")
        .run("suite.toml")
        .expect(1);
    assert!(bare.stdout.contains("names 0 assets"), "{}", bare.stdout);
    let external = format!("{SUITE}same_origin = true\nintegrity = \"always\"\n");
    let ran = Tool::at(&app.url(""), &external).run("suite.toml").expect(1);
    assert!(
        ran.stdout.contains("the element has no integrity attribute"),
        "{}",
        ran.stdout
    );
}

/// An authority that the tool is told to trust, in the suite's folder.
fn https(
    tool_suite: &str,
    identity: &Identity,
    authority: &Authority,
    app: impl Fn() -> Reply + Send + 'static,
) -> (Webhook, Tool) {
    let server = Webhook::answering_tls(identity, move |_| app());
    let port = server.address().port();
    let suite = format!(
        "[suite]\nca_file = \"ca.pem\"\n[env.test]\nbase = \"https://127.0.0.1:{port}\"\n{tool_suite}"
    );
    let tool = Tool::with_suite(&suite);
    tool.write("ca.pem", authority.cert_pem());
    (server, tool)
}

#[test]
fn security_headers_are_graded() {
    let authority = Authority::new().unwrap();
    let identity = authority.server(&["localhost", "127.0.0.1"]).unwrap();
    let strict = || {
        Reply::status(200)
            .header("Content-Type", "text/html")
            .header("Strict-Transport-Security", "max-age=31536000")
            .header(
                "Content-Security-Policy",
                "default-src 'none'; frame-ancestors 'none'",
            )
            .header("X-Content-Type-Options", "nosniff")
            .header("Referrer-Policy", "no-referrer")
            .header("Set-Cookie", "sessionid=1; Secure; HttpOnly; SameSite=Lax")
            .body("<p>hello")
    };
    let suite = "[[security]]\npage = \"/\"\nmin_grade = \"A+\"\nrequire = [\"content-security-policy\"]\nhttps_redirect = false\n[security.headers]\nx-frame-options = { exists = false }\n";
    let (_server, tool) = https(suite, &identity, &authority, strict);
    let ran = tool.run("suite.toml --format json").expect(0);
    // 100, and 10 + 5 + 5 + 5 for policy, cookies, referrer and frames.
    assert_eq!(
        ran.check("security.home.grade").1,
        "grade A+ (125 points), expected A+ or better"
    );
    assert_eq!(
        ran.json()["data"]["rules"],
        "mdn-observatory/5 owasp-secure-headers/2025"
    );

    let loose = || {
        Reply::status(200)
            .header("Server", "nginx/1.18.0")
            .header("X-Powered-By", "PHP/5.2")
            .body("<p>hello")
    };
    let (_server, tool) = https(suite, &identity, &authority, loose);
    let ran = tool.run("suite.toml").expect(1);
    // 25 for the policy, 20 for HSTS, 20 for frames, 5 for sniffing.
    for part in [
        "grade D (30 points), expected A+ or better",
        " -25 content-security-policy: there is none",
        " -20 x-frame-options: any page may frame it",
        "the header content-security-policy is missing",
        "2 headers should not be sent",
        "server: nginx/1.18.0",
    ] {
        assert!(ran.stdout.contains(part), "{part} in:\n{}", ran.stdout);
    }
    // The redirect from http, which a second server plays.
    for (reply, points) in [
        (Reply::status(301).header("Location", "https://127.0.0.1/"), None),
        (
            Reply::status(301).header("Location", "https://www.example.com/"),
            Some("  -5 redirection"),
        ),
        (Reply::status(200), Some(" -20 redirection")),
        (
            Reply::status(302).header("Location", "/again"),
            Some(" -20 redirection"),
        ),
    ] {
        let plain = Webhook::start([reply]);
        let suite = format!(
            "[[security]]\npage = \"/\"\nmin_grade = \"A+\"\nhttp_base = \"http://127.0.0.1:{}/\"\n",
            plain.address().port()
        );
        let (_server, tool) = https(&suite, &identity, &authority, loose);
        let out = tool.run("suite.toml").expect(1).stdout;
        match points {
            Some(points) => assert!(out.contains(points), "{points} in:\n{out}"),
            None => assert!(!out.contains("redirection"), "{out}"),
        }
    }
}

#[test]
fn certificates_must_verify_and_last() {
    let authority = Authority::new().unwrap();
    let now = SystemTime::now();
    let names = &["localhost", "127.0.0.1"][..];
    let between = |from, to| authority.server_between(names, from, to).unwrap();
    let intermediate = authority.intermediate().unwrap();
    let cases = [
        (
            between(now - 10 * DAY, now + 80 * DAY),
            0,
            "TLS 1.3, ends in 79 d",
        ),
        (between(now - 70 * DAY, now + 20 * DAY), 0, "renewal is due"),
        (
            between(now - 85 * DAY, now + 5 * DAY),
            1,
            "6 % of its lifetime is left, expected 17 % or more",
        ),
        (
            authority.expired_server(names).unwrap(),
            1,
            "it expired at 2021-01-01",
        ),
        (
            authority.server(&["other.test"]).unwrap(),
            1,
            "it is for other.test, and not for 127.0.0.1",
        ),
        (
            Identity::self_signed(names).unwrap(),
            1,
            "it is self-signed, and not trusted here",
        ),
        (
            intermediate.server(names).unwrap(),
            1,
            "may have left out an intermediate one",
        ),
    ];
    for (identity, code, said) in cases {
        let (_server, tool) = https("[[tls]]\n", &identity, &authority, || Reply::status(200));
        let ran = tool.run("suite.toml").expect(code);
        assert!(ran.stdout.contains(said), "{said} in:\n{}", ran.stdout);
    }
    let good = between(now - 10 * DAY, now + 80 * DAY);
    let suite = "[[tls]]\nalpn = \"h2\"\nmin_time = \"90d\"\n";
    let (_server, tool) = https(suite, &good, &authority, || Reply::status(200));
    let out = tool.run("suite.toml").expect(1).stdout;
    assert!(
        out.contains("expected 90d or more; the application protocol is none, expected h2"),
        "{out}"
    );
    // Nothing to look at is not a pass.
    Tool::at(&application().url(""), "[[tls]]\n")
        .run("suite.toml")
        .expect(3);
}

#[test]
fn a_route_leads_to_the_same_host_by_another_way() {
    let (cdn, origin) = (application(), Webhook::answering(|_| Reply::status(502)));
    let suite = format!(
        "[env.test.routes]\norigin = \"127.0.0.1:{}\"\n[[scenario]]\nname = \"home\"\nroutes = [\"default\", \"origin\"]\n[[scenario.step]]\nget = \"/new\"\nexpect = {{ status = 200 }}\n",
        origin.address().port()
    );
    let tool = Tool::at(&cdn.url(""), &suite);
    let ran = tool.run("suite.toml --format json").expect(1);
    assert_eq!(ran.check("home.get-new.status").0, "pass");
    assert_eq!(ran.check("home@origin.get-new.status").0, "fail");
    let host = cdn.address().to_string();
    assert_eq!(origin.requests()[0].header("host"), Some(host.as_str()));
    tool.run("suite.toml --route default").expect(0);
    let ran = tool.run("suite.toml --route nowhere").expect(2);
    assert!(ran.stderr.contains("nothing would be checked"), "{}", ran.stderr);
}

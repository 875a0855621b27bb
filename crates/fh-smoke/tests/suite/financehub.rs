//! The suite that ships, and the suites that the documentation shows.

use crate::tool::{PASSWORD, TOKEN, Tool};
use fh_testkit::certs::Authority;
use fh_testkit::webhook::{Recorded, Reply, Webhook};

const SUITE: &str = include_str!("../../../../docs/examples/financehub.smoke.toml");

/// FinanceHub as it should be.
fn financehub(request: &Recorded) -> Reply {
    let json = |value: serde_json::Value| {
        Reply::status(200)
            .header("Content-Type", "application/json")
            .body(value.to_string())
    };
    let authorized = request.header("authorization") == Some(&format!("Bearer {TOKEN}"));
    match (request.path.as_str(), authorized) {
        ("/api/health/", _) => {
            json(serde_json::json!({"status": "healthy", "database": "connected", "version": "4f2a91c"}))
        }
        ("/api/status/" | "/api/", _) => json(serde_json::json!({})),
        ("/api/auth/login/", _) if request.text().contains("smoke@financehub.example") => {
            json(serde_json::json!({"access": TOKEN}))
        }
        ("/api/users/me/", true) => json(serde_json::json!({"email": "smoke@financehub.example"})),
        ("/api/portfolios/", true) => json(serde_json::json!({"results": [{"id": 7}]})),
        ("/api/portfolios/7/", true) => {
            json(serde_json::json!({"id": 7, "positions": [{"symbol": "BRK.B"}]}))
        }
        ("/api/portfolios/", false) => Reply::status(401),
        ("/", _) => Reply::status(200)
            .header("Content-Type", "text/html")
            .header("Strict-Transport-Security", "max-age=31536000")
            .header(
                "Content-Security-Policy",
                "default-src 'self'; frame-ancestors 'none'",
            )
            .header("X-Content-Type-Options", "nosniff")
            .body("<script src=/static/app.4f2a.js></script>"),
        ("/static/app.4f2a.js", _) => Reply::status(200)
            .header("Content-Type", "text/javascript")
            .header("Cache-Control", "max-age=31536000, immutable")
            .body("1"),
        _ => Reply::status(404),
    }
}

/// The suite that ships, for the application at this server.
fn suite_for(server: &Webhook) -> String {
    SUITE
        .replace(
            "https://staging.financehub.example",
            &format!("https://127.0.0.1:{}", server.address().port()),
        )
        .replace("stable_for = 3", "stable_for = 3\nevery = \"1ms\"")
        // The times are those of a real network and not of a machine that runs tests.
        .replace("ttfb = \"500ms\"", "ttfb = \"60s\"")
        .replace("ttfb = \"1s\"", "ttfb = \"60s\"")
        .replace("concurrency = 6", "concurrency = 6\nca_file = \"ca.pem\"")
        // Nothing listens for http there, and port 80 of this machine is none of the test's business.
        .replace("min_grade = \"B\"", "min_grade = \"B\"\nhttps_redirect = false")
}

#[test]
fn the_financehub_suite_passes_on_a_good_deploy_and_fails_on_a_bad_one() {
    let authority = Authority::new().unwrap();
    let identity = authority.server(&["127.0.0.1"]).unwrap();
    let server = Webhook::answering_tls(&identity, financehub);
    let suite = suite_for(&server);
    let tool = Tool::with_suite(&suite)
        .with("SMOKE_PASSWORD", PASSWORD)
        .with("GIT_SHA", "4f2a91c");
    tool.write("ca.pem", authority.cert_pem());
    let ran = tool.run("suite.toml --env staging").expect(0);
    for part in [
        "portfolio.read",
        "assets.home",
        "security.home.grade",
        "tls.127-0-0-1",
        "has no route `origin`",
    ] {
        assert!(ran.stdout.contains(part), "{part} in:\n{}", ran.stdout);
    }
    let old = tool.run("suite.toml --env staging --var sha=other --deadline 500ms");
    assert_ne!(old.code, 0, "{}", old.stdout);
    // The same application without its database and without its page.
    let broken = Webhook::answering_tls(&identity, |request| match request.path.as_str() {
        "/api/health/" => Reply::status(200)
            .header("Content-Type", "application/json")
            .body(r#"{"status":"degraded","database":"unreachable","version":"4f2a91c"}"#),
        "/" => Reply::status(200)
            .header("Content-Type", "text/html")
            .body("<div id=root>"),
        _ => financehub(request),
    });
    let port = |server: &Webhook| server.address().port().to_string();
    tool.write("suite.toml", &suite.replace(&port(&server), &port(&broken)));
    let ran = tool.run("suite.toml --env staging").expect(1);
    for part in [
        "expected \"connected\", got \"unreachable\"",
        "names 0 assets, expected at least 1",
        "the header content-security-policy is missing",
    ] {
        assert!(ran.stdout.contains(part), "{part} in:\n{}", ran.stdout);
    }
}

/// Only the folders of a real machine, the values of secrets, and the address in the suite are put in.
#[test]
fn the_examples_for_cron_and_ci_run_as_printed() {
    let page = include_str!("../../../../docs/SMOKE.md");
    let lines: Vec<&str> = page
        .lines()
        .filter_map(|line| {
            let of_cron = line.strip_prefix("*/5 * * * * SMOKE_PASSWORD=… ");
            of_cron.or(line.trim().strip_prefix("run: "))
        })
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let authority = Authority::new().unwrap();
    let identity = authority.server(&["127.0.0.1"]).unwrap();
    let server = Webhook::answering_tls(&identity, financehub);
    let tool = Tool::with_suite(&suite_for(&server))
        .with("SMOKE_PASSWORD", PASSWORD)
        .with("GIT_SHA", "4f2a91c")
        .with("GITHUB_STEP_SUMMARY", "summary.md");
    tool.write("ca.pem", authority.cert_pem());
    for line in lines {
        let words = line.strip_prefix("fh-smoke ").unwrap();
        let words = words
            .replace("docs/examples/financehub.smoke.toml", "suite.toml")
            .replace("/etc/fh/suite.toml --env production", "suite.toml --env staging")
            .replace("/var/lib/node_exporter/", "");
        tool.run(&words).expect(0);
    }
    for file in ["summary.md", "smoke.prom"] {
        let text = std::fs::read_to_string(tool.path(file)).unwrap();
        assert!(text.contains("portfolio"), "{file}: {text}");
    }
}

#[test]
fn suites_in_the_documentation_are_sound() {
    let page = include_str!("../../../../docs/SMOKE.md");
    let mut count = 0;
    for block in page.split("```toml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        Tool::with_suite(text).run("check suite.toml").expect(0);
        count += 1;
    }
    assert_eq!(count, 2);
    Tool::with_suite(SUITE).run("check suite.toml").expect(0);
}

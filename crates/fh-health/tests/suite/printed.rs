//! The examples for cron, Prometheus, Nagios and CI run as the documentation prints them; only folders and addresses of a real
//! machine are put in.

use std::path::Path;

use fh_testkit::webhook::{Reply, Webhook};
use fh_testkit::{Postgres, require};

use crate::tool::{Ran, Tool, ran};

/// The command lines of the examples: of a crontab without the times, of a workflow what its step runs.
fn commands() -> Vec<String> {
    let page = include_str!("../../../../docs/MONITORING.md");
    let examples = page.split_once("\n## Examples\n").unwrap().1;
    let inside = examples.split("```").skip(1).step_by(2);
    let lines = inside.flat_map(str::lines).filter_map(|line| {
        let line = line.trim();
        let of_cron = line.strip_prefix("* * * * * ");
        let of_a_step = line.strip_prefix("run: ");
        let plain = line.starts_with("fh-health ").then_some(line);
        of_cron.or(of_a_step).or(plain)
    });
    lines.map(ToOwned::to_owned).collect()
}

/// Runs a command line in a shell, as cron does.
fn shell(tool: &Tool, line: &str) -> Ran {
    let binary = Path::new(env!("CARGO_BIN_EXE_fh-health")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let dressed = tool.command(&[]);
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", line])
        .env_clear()
        .envs(
            dressed
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PATH", format!("{}:{path}", binary.display()))
        .current_dir(tool.folder.path());
    ran(&command.output().unwrap())
}

#[test]
fn the_examples_run_as_printed() {
    let postgres = require!(Postgres::try_start());
    postgres.create_database("shop");
    let server = Webhook::start([Reply::status(200)]);
    let config = format!(
        "[health]\nalert_warnings = false\n[[health.http]]\nname = \"api\"\nurl = \"{}\"\n[env.production]\n",
        server.url("/")
    );
    let tool = Tool::new(&config)
        .with("DATABASE_URL", postgres.url("shop"))
        .with("GITHUB_ACTIONS", "true")
        .with("GITHUB_STEP_SUMMARY", "summary.md");
    let here = tool.folder.path().display().to_string();
    std::fs::create_dir(tool.path("textfile")).unwrap();
    let commands = commands();
    for known in [
        "--quiet",
        "--format prometheus",
        "--format nagios",
        "--format github",
    ] {
        assert!(
            commands.iter().any(|line| line.contains(known)),
            "{known}: {commands:?}"
        );
    }
    for printed in &commands {
        let line = printed
            .replace("/etc/fh/", &format!("{here}/"))
            .replace("/var/lib/node_exporter/", &format!("{here}/"));
        let ran = shell(&tool, &line);
        assert_eq!(ran.code, 0, "{printed}\n{}{}", ran.stdout, ran.stderr);
        if printed.contains("--format nagios") {
            assert!(ran.stdout.contains("OK"), "{}", ran.stdout);
        }
    }
    for (file, part) in [
        ("textfile/fh-health.prom", "http.api"),
        ("summary.md", "http.api"),
    ] {
        let text = std::fs::read_to_string(tool.path(file)).unwrap();
        assert!(text.contains(part), "{file}: {text}");
    }
}

//! The other commands, and configurations that cannot be used.

use std::process::Stdio;

use fh_testkit::kill::{Signal, When, interrupt};

use crate::tool::{Tool, closed_port};

#[test]
fn nothing_to_check_is_a_usage_error() {
    let tool = Tool::new("");
    let ran = tool.run(&[]).expect(2);
    assert!(
        ran.stderr.contains("nothing to check is configured") && ran.stderr.contains("DATABASE_URL"),
        "{}",
        ran.stderr
    );
    let tool = Tool::new("[[health.command]]\nname = 'a'\ncommand = ['true']\n");
    for arguments in [
        ["--only", "http.*"],
        ["--skip", "command.*"],
        ["--only", "command.b"],
    ] {
        tool.run(&arguments).expect(2);
    }
    let disabled = Tool::new(
        "[[health.command]]\nname = 'a'\ncommand = ['true']\n[health.checks.'*']\nenabled = false\n",
    );
    disabled.run(&[]).expect(2);
}

/// With no file at all, the variables name what is checked; here they name places at which nobody listens.
#[test]
fn without_a_configuration_the_variables_are_checked() {
    let port = closed_port();
    let tool = Tool::new("")
        .with(
            "DATABASE_URL",
            format!("postgres://app:hidden-password@127.0.0.1:{port}/app"),
        )
        .with(
            "REDIS_URL",
            format!("redis://:hidden-password@127.0.0.1:{port}/0"),
        );
    std::fs::remove_file(tool.path("financehub.toml")).unwrap();
    let ran = tool.run(&["--format", "json"]);
    assert!(matches!(ran.code, 1 | 3), "{}", ran.stdout);
    for family in ["postgres.main", "redis.main"] {
        assert!(ran.stdout.contains(family), "{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("hidden-password") && !ran.stderr.contains("hidden-password"));
}

#[test]
fn mistakes_in_the_configuration_have_a_place_and_a_way_out() {
    let base = "[[health.http]]\nname = 'api'\nurl = 'http://127.0.0.1/'\n";
    for (config, words) in [
        (
            "[[health.httpx]]\n",
            [
                "unknown key `httpx`",
                "did you mean `http`?",
                "financehub.toml:1:",
            ],
        ),
        (
            &format!("{base}[health.checks.'http.api.totl']\nwarn = '1s'\n"),
            [
                "no check has such an id",
                "did you mean `http.api.total`?",
                "financehub.toml:5:1",
            ],
        ),
        (
            &format!("{base}[health.checks.'http.api.total']\nwarn = '80%'\n"),
            [
                "`80%` does not fit http.api.total",
                "\"500ms\"",
                "financehub.toml:5:1",
            ],
        ),
        (
            &format!("{base}[health.checks.'http.api']\ncrit = '1s'\n"),
            [
                "has no value that could be compared",
                "explain http.api",
                "financehub.toml:5:1",
            ],
        ),
        (
            &format!("{base}[health.checks.'http.api']\ndepends_on = ['tcp.db']\n"),
            [
                "there is no check `tcp.db`",
                "fh-health list",
                "financehub.toml:5:1",
            ],
        ),
        (
            &format!("{base}[health.checks.'http.api']\nfor = 0\n"),
            ["expected 1 to 1000 runs", "hint", "financehub.toml:5:1"],
        ),
        (
            &format!("{base}[health.checks.'http.api.total']\nwarn = 'soon'\n"),
            [
                "`soon` is no threshold",
                "write a percentage",
                "financehub.toml:5:1",
            ],
        ),
        (
            &format!("{base}{base}"),
            [
                "two entries of health.http have the id http.api",
                "a name of its own",
                "financehub.toml",
            ],
        ),
        (
            "[[health.http]]\nname = 'A B'\nurl = 'http://x/'\n",
            ["cannot be part of an id", "small letters", "financehub.toml"],
        ),
        (
            "[[health.http]]\nname = 'a'\nurl = 'ftp://x/'\n",
            ["`a`", "only http: and https:", "financehub.toml"],
        ),
        (
            "[[health.http]]\nname = 'a'\nurl = 'http://x/'\njson = ['$.a = 1']\n",
            ["`a`", "no JSONPath", "financehub.toml"],
        ),
        (
            "[[health.dns]]\nname = 'a'\ndomain = 'a..b'\n",
            ["`a`", "is no name", "financehub.toml"],
        ),
        (
            "[[health.command]]\nname = 'a'\ncommand = []\n",
            ["`a`", "the command is empty", "financehub.toml"],
        ),
        (
            "[[health.slo]]\nname = 'a'\ncheck = 'http.b'\n",
            ["`a`", "there is no web check `http.b`", "financehub.toml"],
        ),
    ] {
        let ran = Tool::new(config).run(&["config", "check"]).expect(2);
        for word in words {
            assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
        }
    }
}

#[test]
fn list_and_explain_say_what_is_looked_at() {
    let tool = Tool::new(
        "[[health.http]]\nname = 'api'\nurl = 'http://127.0.0.1/'\n[health.checks.'http.*.total']\nwarn = '300ms'\nfor = 3\n",
    );
    let list = tool.run(&["list", "--format", "json"]).expect(0).json();
    let total = list["data"]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["id"] == "http.api.total")
        .unwrap()
        .clone();
    assert_eq!(
        (
            total["warn"].as_f64(),
            total["crit"].as_f64(),
            total["for"].as_u64()
        ),
        (Some(0.3), Some(8.0), Some(3))
    );
    let explained = tool.run(&["explain", "http.api.total"]).expect(0).stdout;
    assert!(
        explained.contains("warns: ≥ 300 ms") && explained.contains("connect to 127.0.0.1:80"),
        "{explained}"
    );
    tool.run(&["explain", "http.apj"]).expect(2);
}

#[test]
fn init_writes_what_config_check_accepts_and_overwrites_nothing() {
    let tool = Tool::new("").with("DATABASE_URL", "postgres://app:hidden-password@127.0.0.1/app");
    let ran = tool
        .run(&["init", "--url", "https://app.example.com/api/health/"])
        .expect(4);
    assert!(ran.stderr.contains("financehub.toml exists"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(tool.path("financehub.toml")).unwrap(), "");
    std::fs::remove_file(tool.path("financehub.toml")).unwrap();
    tool.run(&["init", "--url", "https://app.example.com/api/health/"])
        .expect(0);
    let text = std::fs::read_to_string(tool.path("financehub.toml")).unwrap();
    assert!(
        text.contains("[[health.http]]\nname = \"app\"") && text.contains("[health.host]"),
        "{text}"
    );
    assert!(!text.contains("hidden-password"), "{text}");
    tool.run(&["config", "check"]).expect(0);
    // Everything that is commented out is right, too.
    let all: String = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.starts_with('[') || rest.contains(" = "))
                .unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let tool = Tool::new(&all)
        .with("DATABASE_URL", "postgres://127.0.0.1/app")
        .with("REDIS_URL", "redis://127.0.0.1/")
        .with("BACKUP_DIR", "/nonexistent");
    tool.run(&["config", "check"]).expect(0);
}

#[test]
fn watch_prints_a_block_for_each_round_and_ends_cleanly() {
    let tool = Tool::new("[[health.command]]\nname = 'good'\ncommand = ['true']\n");
    let ran = tool
        .run(&["watch", "--rounds", "2", "--interval", "10ms"])
        .expect(0);
    assert_eq!(
        ran.stdout.matches("PASS    command.good").count(),
        2,
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains('\u{1b}'), "no escapes without a terminal");
    let mut command = tool.command(&["watch", "--interval", "10m"]);
    command.stdin(Stdio::null());
    let ended = interrupt(command, Signal::INT, When::Stdout("PASS    command.good")).unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let bad = Tool::new("[[health.command]]\nname = 'bad'\ncommand = ['false']\n");
    bad.run(&["watch", "--rounds", "1"]).expect(1);
}

/// A stopped round ends at once, and what it started ends with it.
#[test]
fn a_signal_ends_the_round_and_its_children() {
    let tool = Tool::new(
        "[health]\ntimeout = '5m'\ndeadline = '5m'\n[[health.command]]\nname = 'slow'\ncommand = ['sh', '-c', 'echo $$ > child; exec sleep 300']\n",
    );
    let child = tool.path("child");
    let mut there = || std::fs::read_to_string(&child).is_ok_and(|text| text.ends_with('\n'));
    let ended = interrupt(tool.command(&[]), Signal::TERM, When::Condition(&mut there)).unwrap();
    assert_eq!(ended.status.code(), Some(143), "{ended:?}");
    let pid = std::fs::read_to_string(&child).unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(
        stat.is_empty() || stat.contains(") Z "),
        "the child lives: {stat}"
    );
}

/// Every configuration in the documentation is one that the tool accepts.
#[test]
fn configurations_in_the_documentation_are_right() {
    let page = include_str!("../../../../docs/MONITORING.md");
    let blocks: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() >= 3);
    for block in blocks {
        let tool = Tool::new(block)
            .with("AWS_REGION", "eu-central-1")
            .with("BACKUP_DIR", "/nonexistent");
        std::fs::create_dir(tool.path("src")).unwrap();
        tool.run(&["list"]).expect(0);
        tool.run(&["explain", "*"]).expect(0);
    }
}

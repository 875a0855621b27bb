//! The memory between runs: patience, two runs at once, death in the middle, damage.

use fh_testkit::kill::{When, kill9};
use fh_testkit::webhook::{Reply, Webhook};

use crate::tool::{Tool, ran, said};

/// A command whose exit code is the content of a file.
const SWITCH: &str = "[[health.command]]\nname = 'switch'\ncommand = ['sh', '-c', 'exit $(cat code)']\n";

fn set(tool: &Tool, code: &str) {
    std::fs::write(tool.path("code"), code).unwrap();
}

#[test]
fn a_change_is_believed_after_enough_runs() {
    let tool = Tool::new(&format!(
        "{SWITCH}[health.checks.'command.*']\nfor = 2\nrecover = 2\n"
    ));
    let mut story = Vec::new();
    for code in ["0", "1", "0", "1", "1", "0", "0"] {
        set(&tool, code);
        let run = tool.run(&["--format", "json"]);
        story.push((code, run.code, said(&run.json(), "command.switch")));
    }
    let short: Vec<String> = story
        .iter()
        .map(|(code, exit, said)| format!("{code} {exit} {}", said.split(':').next().unwrap()))
        .collect();
    assert_eq!(
        short,
        [
            "0 0 pass", "1 0 warn", "0 0 pass", "1 0 warn", "1 1 fail", "0 1 fail", "0 0 pass"
        ],
        "{story:#?}"
    );
    assert_eq!(story[1].2, "warn: sh ended with exit code 1 (1 of 2 runs)");
    assert_eq!(
        story[5].2,
        "fail: pass, again for 1 of 2 runs: sh ended with exit code 0"
    );
    // Without a memory there is nothing to wait for, and nothing is hidden.
    set(&tool, "1");
    assert_eq!(tool.run(&["--stateless"]).code, 1);
}

#[test]
fn two_runs_at_once_lose_nothing() {
    // Each run looks at one thing, and all of them change the same memory.
    let tool = Tool::new(
        &(0..6)
            .map(|number| format!("[[health.command]]\nname = 'c{number}'\ncommand = ['true']\n"))
            .collect::<String>(),
    );
    let children: Vec<_> = (0..6)
        .map(|number| {
            let mut command = tool.command(&["--only", &format!("command.c{number}")]);
            command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let ran = ran(&child.wait_with_output().unwrap()).expect(0);
        assert!(!ran.stdout.contains("not remembered"), "{}", ran.stdout);
    }
    let memory = tool.memory();
    let checks = memory["data"]["checks"].as_object().unwrap();
    assert_eq!(checks.len(), 6, "{memory:#}");
}

/// Killed again and again around the moment in which it writes, it leaves the old memory or the new one.
#[test]
fn a_killed_run_leaves_a_memory_that_can_be_read() {
    let tool = Tool::new(SWITCH);
    set(&tool, "1");
    tool.run(&[]).expect(1);
    let state = tool.path(".local/state/fh");
    // Large enough that writing it takes a while.
    let mut memory = tool.memory();
    for number in 0..40_000 {
        memory["data"]["samples"]["notes"][format!("test.{number}")] = "x".repeat(60).into();
    }
    std::fs::write(state.join("health.json"), memory.to_string()).unwrap();
    let mut caught = 0;
    for _ in 0..30 {
        // The temporary file beside it shows that it is being written.
        let moment = When::Files {
            under: &state,
            name: ".health.json.",
            count: 1,
        };
        kill9(tool.command(&[]), moment).unwrap();
        assert!(tool.memory()["data"]["samples"]["notes"]["test.39999"].is_string());
        for entry in std::fs::read_dir(&state).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!name.contains("corrupt"), "{name}");
            if name.starts_with(".health.json.") {
                caught += 1;
                std::fs::remove_file(path).unwrap();
            }
        }
        if caught == 3 {
            break;
        }
    }
    assert!(caught > 0, "it was never caught in the act");
    let run = tool.run(&["--format", "json"]);
    assert!(
        said(&run.json(), "command.switch").starts_with("fail"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_damaged_memory_decides_nothing_and_is_told_of() {
    let tool = Tool::new(SWITCH);
    let state = tool.path(".local/state/fh/health.json");
    for (code, exit) in [("0", 0), ("1", 1)] {
        set(&tool, code);
        tool.run(&[]);
        let good = std::fs::read(&state).unwrap();
        std::fs::write(&state, &good[..good.len() / 2]).unwrap();
        let run = tool.run(&["--format", "json"]).expect(exit);
        assert!(
            run.json()["data"]["notes"][0]
                .as_str()
                .unwrap()
                .contains("was damaged"),
            "{}",
            run.stdout
        );
        tool.memory();
    }
    // A newer tool's memory is left alone.
    let newer = r#"{"version": 99, "written": "2026-01-01T00:00:00Z", "data": {}}"#;
    std::fs::write(&state, newer).unwrap();
    let run = tool.run(&["--format", "json"]).expect(1);
    assert!(
        run.json()["data"]["notes"][0]
            .as_str()
            .unwrap()
            .contains("version 99"),
        "{}",
        run.stdout
    );
    assert_eq!(std::fs::read_to_string(&state).unwrap(), newer);
}

#[test]
fn objectives_are_judged_by_the_rounds_before() {
    let server = Webhook::answering(|request| {
        let bad = request.path == "/bad";
        Reply::status(if bad { 500 } else { 200 })
    });
    let config = |path: &str| {
        format!(
            "[[health.http]]\nname = 'api'\nurl = '{}'\n[[health.slo]]\nname = 'web'\ncheck = 'http.api'\navailability = 90.0\n\
             min_events = 4\nwindow = '30d'\nlatency = {{ p95 = '30s', p99 = '1ns' }}\n",
            server.url(path)
        )
    };
    let tool = Tool::new(&config("/"));
    let first = tool.run(&["slo", "--format", "json"]).expect(3);
    assert!(
        said(&first.json(), "slo.web.budget").starts_with("unknown: no event"),
        "{}",
        first.stdout
    );
    for _ in 0..4 {
        tool.run(&["--only", "http.api"]).expect(0);
    }
    let good = tool.run(&["slo", "--format", "json"]).expect(1).json();
    assert!(
        said(&good, "slo.web.budget").starts_with("pass: 100 % of the error budget left"),
        "{good:#}"
    );
    assert!(said(&good, "slo.web.burn").starts_with("pass"), "{good:#}");
    assert!(said(&good, "slo.web.p95").starts_with("pass"), "{good:#}");
    assert!(said(&good, "slo.web.p99").starts_with("fail"), "{good:#}");
    tool.configure(&config("/bad"));
    for _ in 0..4 {
        tool.run(&["--only", "http.api"]).expect(1);
    }
    let bad = tool.run(&["slo", "--format", "json"]).expect(1).json();
    assert!(
        said(&bad, "slo.web.budget").starts_with("fail: -400 % of the error budget left"),
        "{bad:#}"
    );
    // Half of the events bad is 5 times what 90 % allows: below 14.4 and 6, above 3.
    assert!(said(&bad, "slo.web.burn").starts_with("warn"), "{bad:#}");
}

//! Drills on a throw-away server: what they prove, and that nothing of them outlives them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod tool;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fh_testkit::kill::{Signal, When, interrupt, kill9};
use fh_testkit::{Postgres, require, sql};
use serde_json::Value;
use tool::{Tool, check, evidence, listed, small_server};

/// A folder that a server of another user can reach.
fn base() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("fh-d").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn a_drill_on_a_throw_away_server_proves_the_zoo() {
    let server = require!(Postgres::try_start());
    server.create_database("zoo");
    sql::load_schema_zoo(&server, "zoo");
    let base = base();
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("zoo"))
        .with("TMPDIR", base.path().display().to_string());
    tool.run(&["create"]).expect(0);
    std::fs::write(
        tool.path("financehub.toml"),
        "[[backup.drill.assertions]]\nname = 'tables'\nsql = 'SELECT count(*) FROM pg_tables;'\nexpect = '>= 10'\n",
    )
    .unwrap();
    let xml = tool.path("drill.xml").display().to_string();
    tool.run(&["drill", "--local", "--format", "junit", "--output", &xml])
        .expect(0);
    let junit = std::fs::read_to_string(&xml).unwrap();
    for id in [
        "rows",
        "definitions",
        "constraints",
        "amcheck",
        "rto",
        "assertion.tables",
        "evidence",
    ] {
        assert!(junit.contains(&format!("name=\"{id}\"")), "{id}: {junit}");
    }
    let kept = evidence(&tool);
    assert_eq!(kept.len(), 1);
    for part in [
        "\"kind\":\"drill\"",
        "\"result\":\"good\"",
        "\"holds\":true",
        "\"total\":",
    ] {
        assert!(kept[0].contains(part), "{part}: {}", kept[0]);
    }
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
    let found = listed(&tool);
    assert_ne!(found["evidence"]["last_drill"], Value::Null);
    assert!(found["evidence"]["rto_seconds"].as_f64().unwrap() > 0.0);
    assert!(tool.run(&["show"]).expect(0).stdout.contains("drill"));
}

/// The folder of the throw-away server, once it takes connections.
fn running(base: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(base).unwrap();
    folders
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| {
            std::fs::read_to_string(path.join("data/postmaster.pid"))
                .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
        })
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..600 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("still not so after half a minute: {what}");
}

#[test]
fn nothing_of_a_local_drill_outlives_it() {
    let Some(source) = small_server() else { return };
    let base = base();
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", source.url("shop"))
        .with("TMPDIR", base.path().display().to_string());
    tool.run(&["create"]).expect(0);
    for signal in [Signal::KILL, Signal::TERM] {
        let mut server = String::new();
        let mut ready = || {
            let Some(folder) = running(base.path()) else {
                return false;
            };
            let text = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
            server = text.lines().next().unwrap_or_default().to_owned();
            !server.is_empty()
        };
        let when = When::Condition(&mut ready);
        let outcome = if signal == Signal::KILL {
            kill9(tool.command(&["drill", "--local"]), when)
        } else {
            interrupt(tool.command(&["drill", "--local"]), signal, when)
        }
        .unwrap();
        assert!(outcome.signalled, "{}{}", outcome.stdout, outcome.stderr);
        if signal == Signal::TERM {
            assert_eq!(outcome.status.code(), Some(143), "{}", outcome.stderr);
            assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
        }
        wait_until("the folder is gone", || {
            std::fs::read_dir(base.path()).unwrap().count() == 0
        });
        let process = PathBuf::from(format!("/proc/{server}"));
        wait_until("the server is gone", || !process.join("exe").exists());
    }
    assert_eq!(evidence(&tool), [""; 0]);

    // Where even the watchdog was killed, the next drill cleans up.
    let left = base.path().join("fh-drill-left");
    std::fs::create_dir(&left).unwrap();
    std::fs::File::open(&left)
        .unwrap()
        .set_modified(SystemTime::now() - Duration::from_secs(3600))
        .unwrap();
    let report = tool
        .run(&["drill", "--keep", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(check(&report, "leftovers")["status"], "warn");
    assert!(!left.exists());

    // This one is kept for a look, with a way in and a way out.
    let folder = running(base.path()).unwrap();
    let hint = check(&report, "kept")["hint"].as_str().unwrap().to_owned();
    let (way_in, way_out) = hint.split_once("; to end it: ").unwrap();
    let answer = std::process::Command::new("/bin/sh")
        .args([
            "-c",
            &format!(
                "{}/{way_in} -Atc 'SELECT count(*) FROM item'",
                source.bin_dir().display()
            ),
        ])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&answer.stdout).trim(),
        "5000",
        "{answer:?}"
    );
    let ended = std::process::Command::new("/bin/sh")
        .args(["-c", way_out])
        .status()
        .unwrap();
    assert!(ended.success());
    wait_until("the kept server is gone", || !folder.exists());
}

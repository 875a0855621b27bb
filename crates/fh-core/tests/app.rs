//! The contract of every binary, on the smallest one: exit codes, streams, signals, files.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything here takes on a busy machine; only there so that a hang fails.
const GUARD: std::time::Duration = std::time::Duration::from_secs(60);

fn binary() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join("examples/fh-example");
    assert!(
        path.exists(),
        "{} is missing: cargo build -p fh-core --examples",
        path.display()
    );
    path
}

/// The example in an empty folder and with an empty environment, so that nothing of this machine is seen.
fn example(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null());
    // Where the coverage run wants its counters.
    if let Some(path) = std::env::var_os("LLVM_PROFILE_FILE") {
        command.env("LLVM_PROFILE_FILE", path);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    example(folder.path(), arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn exit_codes() {
    for (arguments, plain, nagios) in [
        (&["check", "42"] as &[&str], 0, 0),
        (&["check", "41", "42"], 0, 1),
        (&["check", "41", "42", "--fail-on", "warning"], 1, 1),
        (&["check", "42", "7"], 1, 2),
        (&["check", "42", "0"], 3, 3),
        (&["check", "7", "0"], 1, 2),
        (&["check"], 3, 3),
        (&["list"], 0, 0),
        (&["leak"], 3, 3),
        (&["leak", "--panic"], 3, 3),
        (&["destroy", "--confirm", "elsewhere"], 4, 3),
        (&["wait", "--deadline", "1ms"], 3, 3),
        (&["config", "check"], 0, 0),
        (&["check", "--nonsense"], 2, 3),
        (&["check", "--config", "missing.toml"], 2, 3),
        (&["check", "-e", "nowhere"], 2, 3),
        (&[], 2, 3),
        (&["--help"], 0, 0),
        (&["--version"], 0, 0),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(plain), "{arguments:?} {output:?}");
        if arguments == ["--help"] || arguments == ["--version"] {
            continue;
        }
        let output = run(&[arguments, &["--format", "nagios"]].concat());
        assert_eq!(output.status.code(), Some(nagios), "{arguments:?} {output:?}");
        assert_eq!(
            text(&output.stdout).lines().count(),
            1,
            "{arguments:?} {output:?}"
        );
        let output = run(&[arguments, &["--format=json"]].concat());
        assert_eq!(output.status.code(), Some(plain), "{arguments:?} {output:?}");
        assert_eq!(json(&output)["exit_code"], plain, "{arguments:?}");
    }
}

#[test]
fn help_shows_examples_before_options() {
    insta::assert_snapshot!("help", text(&run(&["--help"]).stdout));
    insta::assert_snapshot!(
        "help_of_a_sub_command",
        text(&run(&["config", "show", "-h"]).stdout)
    );
}

#[test]
fn an_error_is_on_stderr_for_people_and_on_stdout_for_programs() {
    let output = run(&["check", "-e", "nowhere"]);
    assert_eq!(text(&output.stdout), "");
    insta::assert_snapshot!(text(&output.stderr), @"
    error: unknown environment `nowhere`: no [env.nowhere] because there is no financehub.toml
    hint: leave out --env and FH_ENV, or add the table
    ");
    let output = run(&["check", "-e", "nowhere", "--format", "json"]);
    let document = json(&output);
    assert_eq!(document["command"], "check");
    assert_eq!(document["subject"]["environment"], "nowhere");
    assert!(
        text(&output.stderr).contains(document["error"]["message"].as_str().unwrap()),
        "{output:?}"
    );
    let output = run(&["check", "--nonsense", "--format", "json"]);
    assert_eq!(
        json(&output)["error"]["message"],
        "unexpected argument '--nonsense' found"
    );
    assert!(text(&output.stderr).contains("--nonsense"));
}

#[test]
fn no_secret_in_errors_logs_and_panics() {
    for arguments in [
        &["leak"] as &[&str],
        &["leak", "--panic"],
        &["leak", "--format", "json"],
        &["leak", "-vv"],
    ] {
        let output = run(arguments);
        let seen = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!seen.contains("correct-horse"), "{seen}");
        assert!(seen.contains("the log says ***"), "{seen}");
        assert!(seen.contains("***"), "{seen}");
    }
    let seen = text(&run(&["leak", "--panic"]).stderr);
    assert!(seen.contains("the panic says ***"), "{seen}");
    assert!(
        seen.contains("error: stopped at a mistake in this program"),
        "{seen}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["list"] as &[&str], &["list", "--format", "json"], &["--help"]] {
        let mut child = example(folder.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn output_that_cannot_be_written_is_not_good() {
    let folder = tempfile::tempdir().unwrap();
    let data = std::fs::metadata("/dev/full").unwrap();
    let device = std::os::unix::fs::FileTypeExt::is_char_device(&data.file_type());
    assert!(
        device,
        "/dev/full of this machine is no device: mknod -m 666 /dev/full c 1 7"
    );
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = example(folder.path(), &["check", "42"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        text(&output.stderr).contains("cannot write to stdout"),
        "{output:?}"
    );
    let output = run(&["check", "42", "--output", "no/such/folder/report.txt"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        text(&output.stderr).contains("no/such/folder/report.txt"),
        "{output:?}"
    );
    let output = run(&["check", "7", "--output", "no/such/folder/report.txt"]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "a bad answer stays the worse one: {output:?}"
    );
}

#[test]
fn a_file_is_replaced_also_by_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report");
    for format in ["human", "prometheus", "markdown"] {
        let write = |arguments: &[&str]| {
            let options = ["--format", format, "--output", "report"];
            let output = example(folder.path(), &[arguments, &options].concat())
                .output()
                .unwrap();
            assert_eq!(text(&output.stdout), "");
            std::fs::read_to_string(&path).unwrap()
        };
        let good = write(&["check", "42"]);
        let bad = write(&["leak"]);
        assert_ne!(good, bad);
        assert!(
            bad.contains("login with") || bad.contains("exit_code{command=\"leak\"} 3"),
            "{bad}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `wait`, sends the signal once it waits, and gives exit code, stdout and stderr.
fn stopped_by(signal: Signal, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let child = example(folder.path(), &[&["wait"], arguments].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut stderr = BufReader::new(running.0.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("waiting") {
        assert!(stderr.read_line(&mut seen).unwrap() > 0, "ended early: {seen}");
    }
    kill_process(Pid::from_child(&running.0), signal).unwrap();
    let started = std::time::Instant::now();
    let status = loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            break status;
        }
        assert!(started.elapsed() < GUARD, "still running after {signal:?}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    stderr.read_to_string(&mut seen).unwrap();
    let mut stdout = String::new();
    running
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    (status.code(), stdout, seen)
}

#[test]
fn signals_end_the_run_with_their_own_exit_codes() {
    let (code, stdout, stderr) = stopped_by(Signal::TERM, &[]);
    assert_eq!((code, stdout.as_str()), (Some(143), ""));
    assert!(stderr.contains("error: stopped by SIGTERM"), "{stderr}");
    let (code, stdout, _) = stopped_by(Signal::INT, &["--format", "json"]);
    assert_eq!(code, Some(130));
    let document: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&document["exit_code"], &document["error"]["message"]),
        (&130.into(), &"stopped by SIGINT".into())
    );
    assert_eq!(stopped_by(Signal::TERM, &["--format", "nagios"]).0, Some(3));
}

#[test]
fn what_broke_because_of_the_signal_is_its_consequence() {
    let (code, _, stderr) = stopped_by(Signal::TERM, &["--deaf"]);
    assert_eq!(code, Some(143), "{stderr}");
    assert!(
        stderr.contains("error: stopped by SIGTERM\ncaused by: the child process died"),
        "{stderr}"
    );
}

#[test]
fn quiet_says_nothing_when_all_is_well_and_verbose_logs_to_stderr() {
    let output = run(&["-q", "check", "42"]);
    assert_eq!(
        (text(&output.stdout), text(&output.stderr)),
        (String::new(), String::new())
    );
    let output = run(&["check", "7", "--quiet"]);
    assert!(text(&output.stdout).contains("number.7"), "{output:?}");
    let output = run(&["check", "42", "-v", "--format", "json"]);
    assert!(
        text(&output.stderr).contains("INFO fh_example: looking at "),
        "{output:?}"
    );
    assert_eq!(json(&output)["status"], "pass");
}

#[test]
fn colours_only_on_demand_when_nobody_looks() {
    let escape = |output: &Output| output.stdout.contains(&0x1b);
    assert!(!escape(&run(&["check", "42"])));
    assert!(escape(&run(&["check", "42", "--color", "always"])));
}

#[test]
fn a_protected_environment_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("financehub.toml"),
        "[env.production]\nprotected = true\n[env.staging]\n",
    )
    .unwrap();
    let code = |arguments: &[&str]| example(folder.path(), arguments).output().unwrap().status.code();
    assert_eq!(code(&["destroy", "-e", "production"]), Some(4));
    assert_eq!(
        code(&["destroy", "-e", "production", "--confirm", "staging"]),
        Some(4)
    );
    assert_eq!(
        code(&["destroy", "-e", "production", "--confirm", "production"]),
        Some(0)
    );
    assert_eq!(code(&["destroy", "-e", "staging"]), Some(0));
    let output = example(folder.path(), &["check", "42", "--format", "json"])
        .env("FH_ENV", "staging")
        .output()
        .unwrap();
    assert_eq!(json(&output)["subject"]["environment"], "staging");
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    let output = example(folder.path(), &["check", "7", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).starts_with("::error title=fh-example check%3A number.7 (fail)::not the answer")
    );
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains("| ✗ fail | number.7 |"), "{summary}");
}

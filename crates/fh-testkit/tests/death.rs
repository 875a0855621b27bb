//! Whatever way a test ends, its servers end with it.
//!
//! Each test runs its own binary a second time, with `ROLE` set, as the test that dies.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fh_testkit::{Postgres, require};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};

const ROLE: &str = "FH_TESTKIT_DYING_TEST";

#[test]
fn kill_9_takes_the_server_along() {
    let pg = require!(Postgres::try_start());
    if std::env::var_os(ROLE).is_some() {
        announce(&pg);
        std::thread::sleep(Duration::from_mins(2));
        return;
    }
    let (mut child, dir, pid) = dying_test("kill_9_takes_the_server_along");
    assert!(dir.join("data").is_dir() && runs(pid));
    // As nextest does at a timeout: the whole process group.
    kill_process_group(
        Pid::from_raw(child.id().try_into().unwrap()).unwrap(),
        Signal::KILL,
    )
    .unwrap();
    child.wait().unwrap();
    wait_until("the server to end", || !runs(pid));
    wait_until("the folder to go", || !dir.exists());
    assert_eq!(
        pg.psql("postgres", "select 1"),
        "1",
        "another test's server was hit"
    );
}

#[test]
fn a_panic_keeps_data_and_log() {
    let pg = require!(Postgres::try_start());
    if std::env::var_os(ROLE).is_some() {
        announce(&pg);
        panic!("this test fails on purpose");
    }
    let (child, dir, pid) = dying_test("a_panic_keeps_data_and_log");
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains(&format!("data and log are kept in {}", dir.display())),
        "{stderr}"
    );
    assert!(!runs(pid));
    let log = std::fs::read_to_string(dir.join("server.log")).unwrap();
    assert!(log.contains("database system is shut down"), "{log}");
    assert!(dir.join("data/PG_VERSION").is_file());
    std::fs::remove_dir_all(dir).unwrap();
}

/// The dying test tells its folder and its server's process id.
#[expect(clippy::print_stdout, reason = "the parent test reads it")]
fn announce(pg: &Postgres) {
    println!("\nserver|{}|{}|", pg.socket_dir().display(), pg.pid().unwrap());
}

/// Starts `name` of this binary in the role of the test that dies, and gives it with what it announces.
fn dying_test(name: &str) -> (Child, PathBuf, u32) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap())
        .lines()
        .map_while(Result::ok);
    for line in lines {
        if let ["server", dir, pid, ""] = line.split('|').collect::<Vec<_>>()[..] {
            return (child, Path::new(dir).to_owned(), pid.parse().unwrap());
        }
    }
    panic!("the other run announced nothing: {:?}", child.wait_with_output());
}

fn runs(pid: u32) -> bool {
    // A zombie whose parent does not care has ended as well.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let zombie = stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'));
    !zombie && test_kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap()).is_ok()
}

fn wait_until(what: &str, mut come: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !come() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

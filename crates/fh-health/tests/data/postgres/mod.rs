//! PostgreSQL in good and in bad state.

mod objects;
mod over_time;
mod reach;
mod sessions;
mod standby;

use std::process::{Child, Command, Stdio};

use fh_core::report::Status;
use fh_testkit::{Postgres, require};
use jiff::SignedDuration;

use crate::round::{Found, Round, said};

/// A session that stays open until it is dropped.
struct Session(Child);

impl Session {
    /// A psql that runs `sql` and then waits for more.
    fn open(server: &Postgres, sql: &str) -> Self {
        use std::io::Write as _;
        let mut child = Command::new(server.bin_dir().join("psql"))
            .args(["-X", "-q", "-d", &server.url("shop")])
            .env("PGAPPNAME", "a-worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.as_mut().unwrap();
        writeln!(stdin, "{sql}").unwrap();
        Self(child)
    }

    /// Sends one more statement.
    fn then(&mut self, sql: &str) {
        use std::io::Write as _;
        let stdin = self.0.stdin.as_mut().unwrap();
        writeln!(stdin, "{sql}").unwrap();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Configuration of one database, with further lines of its table and of the file.
fn config(url: &str, more: &str, checks: &str) -> String {
    format!("[[health.postgres]]\nname = 'main'\nurl = '{url}'\n{more}\n{checks}")
}

fn look(url: &str) -> Found {
    Round::of(&config(url, "", "")).run()
}

/// Everything of a server with nothing wrong.
fn good_state(server: &Postgres) {
    server.create_database("shop");
    server.psql("shop", "create table t (id serial primary key, v text); insert into t (v) select 'x' from generate_series(1, 10); analyze t");
    let round = Round::of(&config(&server.url("shop"), "", ""));
    let first = round.run();
    let bad: Vec<String> = first
        .all()
        .into_iter()
        .filter(|line| !line.starts_with("pass") && !line.starts_with("skip"))
        .collect();
    assert!(bad.is_empty(), "{:#?}", first.all());
    for id in [
        "connect",
        "connections",
        "locks",
        "transactions",
        "idle_in_transaction",
        "prepared_transactions",
        "slots",
        "wraparound",
        "sequences",
        "invalid_indexes",
        "bloat",
    ] {
        first.expect(&format!("postgres.main.{id}"), Status::Pass);
    }
    assert!(first.value("postgres.main.connect", "round_trips") <= 3.0);
    // What needs a run before says so, and knows it the next time.
    for id in ["cache", "temp_files", "deadlocks", "checkpoints", "growth"] {
        let check = first.expect(&format!("postgres.main.{id}"), Status::Skip);
        assert!(said(check).contains("run"), "{check:?}");
    }
    let second = round.again(&first, SignedDuration::from_hours(2));
    for id in ["temp_files", "deadlocks", "checkpoints", "growth"] {
        second.expect(&format!("postgres.main.{id}"), Status::Pass);
    }
}

#[test]
fn a_good_server_passes() {
    let server = require!(Postgres::try_start());
    good_state(&server);
}

#[test]
fn a_good_server_of_version_16_passes() {
    let server = require!(Postgres::builder().major(16).try_start());
    good_state(&server);
}

#[test]
fn a_good_server_of_version_18_passes() {
    let server = require!(Postgres::builder().major(18).try_start());
    good_state(&server);
}

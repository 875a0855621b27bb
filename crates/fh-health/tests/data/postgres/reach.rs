//! Nobody there, nobody who answers, and nobody who is let in.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use fh_core::report::Status;
use fh_testkit::proxy::{Direction, Faults, Proxy};
use fh_testkit::{Postgres, require};

use super::{Session, config};
use crate::round::{Round, said, wait_until};

#[test]
fn nobody_there_and_nobody_answering_end_in_time() {
    let toml = config("postgresql://app:password-of-a-test@127.0.0.1:1/shop", "", "");
    let found = Round::of(&toml).run();
    let check = found.expect("postgres.main.connect", Status::Fail);
    assert!(!said(check).contains("password-of-a-test"), "{check:#?}");

    let server = require!(Postgres::try_start());
    server.create_database("shop");
    let began = Instant::now();
    // Nobody can plan a statement while the catalogue is locked.
    let _holder = Session::open(&server, "begin; lock table pg_catalog.pg_sequence;");
    wait_until(|| {
        match server.psql("postgres", "select count(*) from pg_locks where relation = 'pg_sequence'::regclass and mode = 'AccessExclusiveLock'").as_str() {
        "1" => Ok(()),
        other => Err(other.to_owned()),
    }
    });
    let more = "lock_timeout = '200ms'";
    let found = Round::of(&config(&server.url("shop"), more, ""))
        .within(Duration::from_secs(20))
        .run();
    let check = found.expect("postgres.main.sequences", Status::Unknown);
    assert!(check.summary.contains("55P03"), "{check:#?}");
    // One refusal takes no other check along.
    found.expect("postgres.main.invalid_indexes", Status::Pass);
    found.expect("postgres.main.bloat", Status::Pass);
    assert!(found.value("postgres.main.connect", "round_trips") <= 8.0);
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_server_that_never_answers_and_one_that_lets_nobody_in() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let began = Instant::now();
    let url = format!("postgresql://app@127.0.0.1:{port}/shop");
    let found = Round::of(&config(&url, "", ""))
        .within(Duration::from_secs(1))
        .run();
    found.expect("postgres.main.connect", Status::Fail);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());

    // What we were given is wrong, which says nothing about the server.
    let server = require!(Postgres::builder().scram("password-of-a-test").try_start());
    let wrong = server
        .tcp_url("postgres")
        .replace("password-of-a-test", "wrong-word-of-a-test");
    let found = Round::of(&config(&wrong, "", "")).run();
    let check = found.expect("postgres.main.connect", Status::Unknown);
    assert!(!said(check).contains("wrong-word"), "{check:#?}");
    let right = Round::of(&config(&server.tcp_url("postgres"), "", "")).run();
    right.expect("postgres.main.connect", Status::Pass);

    let none = "not a connection string".to_owned();
    let found = Round::of(&config(&none, "", "")).run();
    found.expect("postgres.main.connect", Status::Unknown);
}

#[test]
fn a_server_that_falls_silent_costs_the_deadline_and_no_more() {
    let server = require!(Postgres::builder().tcp().try_start());
    let target = format!("127.0.0.1:{}", server.port()).parse().unwrap();
    let proxy = Proxy::to(target);
    // Enough to log in; the answers would take minutes.
    let slow = Faults {
        bytes_per_second: Some(800),
        ..Faults::default()
    };
    proxy.set(Direction::ToClient, slow);
    let began = Instant::now();
    let url = format!(
        "{}?sslmode=disable",
        server.tcp_url_to("127.0.0.1", proxy.address().port(), "postgres")
    );
    let found = Round::of(&config(&url, "", ""))
        .within(Duration::from_secs(3))
        .run();
    let check = found.expect("postgres.main.bloat", Status::Unknown);
    assert!(!check.summary.is_empty());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

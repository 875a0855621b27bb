//! Sessions that hold others up, and connections that are used up.

use fh_core::report::Status;
use fh_testkit::{Postgres, require};

use super::{Session, config, look};
use crate::round::{Round, said, wait_until};

#[test]
fn sessions_that_hold_others_up_are_named() {
    let server = require!(
        Postgres::builder()
            .setting("max_prepared_transactions", "2")
            .try_start()
    );
    server.create_database("shop");
    server.psql("shop", "create table accounts (id int primary key, note text); insert into accounts values (1, 'x'), (2, 'y')");
    let _holder = Session::open(
        &server,
        "begin; update accounts set note = 'secret of a customer' where id = 1;",
    );
    let states = |sql: &str, wanted: &str| {
        wait_until(|| match server.psql("shop", sql) {
            found if found == wanted => Ok(()),
            other => Err(format!("{sql}: {other}")),
        });
    };
    states(
        "select count(*) from pg_stat_activity where state = 'idle in transaction'",
        "1",
    );
    let _waiter = Session::open(
        &server,
        "begin; update accounts set note = 'mine' where id = 2; update accounts set note = 'another secret' where id = 1;",
    );
    states(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'",
        "1",
    );
    let _second = Session::open(&server, "update accounts set note = 'third' where id = 2;");
    states(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock'",
        "2",
    );
    server.psql(
        "shop",
        "begin; insert into accounts values (3, 'z'); prepare transaction 'forgotten'",
    );

    let checks = "[health.checks.'postgres.main.locks']\nwarn = '0s'\ncrit = '1ms'\n\
        [health.checks.'postgres.main.idle_in_transaction']\ncrit = '1ms'\n\
        [health.checks.'postgres.main.transactions']\nwarn = '1ms'\n\
        [health.checks.'postgres.main.prepared_transactions']\ncrit = '1ms'\n";
    let found = Round::of(&config(&server.url("shop"), "", checks)).run();
    let locks = found.expect("postgres.main.locks", Status::Fail);
    let holder = server.psql(
        "shop",
        "select pid from pg_stat_activity where state = 'idle in transaction'",
    );
    let start = format!("pid {holder} (postgres@shop, a-worker) holds up 2 session(s)");
    assert!(locks.summary.starts_with(&start), "{locks:#?}");
    assert_eq!(found.value("postgres.main.locks", "waiting"), 2.0);
    let text = said(locks);
    assert!(
        text.contains("update accounts set note = ? where id = ?"),
        "{text}"
    );
    assert!(!text.contains("secret") && !text.contains("customer"), "{text}");
    let idle = found.expect("postgres.main.idle_in_transaction", Status::Fail);
    assert!(idle.summary.starts_with(&format!("pid {holder} ")), "{idle:#?}");
    found.expect("postgres.main.transactions", Status::Warn);
    let prepared = found.expect("postgres.main.prepared_transactions", Status::Fail);
    assert!(
        said(prepared).contains("\"forgotten\" of postgres@shop"),
        "{prepared:#?}"
    );

    let hidden = Round::of(&config(&server.url("shop"), "show_queries = false", checks)).run();
    let text = said(hidden.check("postgres.main.locks"));
    assert!(!text.contains("update accounts"), "{text}");
    server.psql("shop", "rollback prepared 'forgotten'");
}

#[test]
fn connections_nearly_used_up_fail_and_none_left_is_a_failure_too() {
    let server = require!(Postgres::builder().setting("max_connections", "23").try_start());
    server.create_database("shop");
    server.psql("shop", "create role plain login; grant pg_monitor to plain");
    // Three of 23 are kept for superusers.
    let mut held: Vec<Session> = (0..18).map(|_| Session::open(&server, "select 1;")).collect();
    let count = "select count(*) from pg_stat_activity where application_name = 'a-worker'";
    wait_until(|| match server.psql("shop", count) {
        found if found == "18" => Ok(()),
        other => Err(other),
    });
    let found = look(&server.url_as("plain", "shop"));
    let check = found.expect("postgres.main.connections", Status::Fail);
    assert_eq!(check.summary, "19 of 20 connections are in use (95 %)");
    assert!(
        said(check).contains("18 × idle, postgres@shop, a-worker"),
        "{check:#?}"
    );

    held.extend((0..2).map(|_| Session::open(&server, "select 1;")));
    wait_until(|| match server.psql("shop", count) {
        found if found == "20" => Ok(()),
        other => Err(other),
    });
    let found = look(&server.url_as("plain", "shop"));
    let check = found.expect("postgres.main.connect", Status::Fail);
    assert!(said(check).contains("53300"), "{check:#?}");
    let other = found.expect("postgres.main.locks", Status::Unknown);
    assert_eq!(other.depends_on, ["postgres.main.connect"]);
}

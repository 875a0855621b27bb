//! What counters did since the run before.

use fh_core::report::Status;
use fh_testkit::{Postgres, require};
use jiff::SignedDuration;

use super::{Session, config};
use crate::round::{Round, wait_until};

#[test]
fn counters_are_compared_with_the_run_before() {
    let server = require!(
        Postgres::builder()
            .setting("work_mem", "64kB")
            .setting("archive_mode", "on")
            .setting("archive_command", "true")
            .try_start()
    );
    server.create_database("shop");
    let until = |sql: &str| {
        wait_until(|| match server.psql("shop", sql) {
            found if found == "t" => Ok(()),
            other => Err(format!("{sql}: {other}")),
        });
    };
    let checks = "[health.checks.'postgres.main.temp_files']\nwarn = '1kB'\n\
        [health.checks.'postgres.main.archiver']\ncrit = '1ms'\n";
    let round = Round::of(&config(&server.url("shop"), "", checks));
    server.psql("shop", "create table big (v int); select pg_switch_wal()");
    until("select archived_count > 0 from pg_stat_archiver");
    let first = round.run();
    first.expect("postgres.main.archiver", Status::Pass);

    server.psql("shop", "alter system set archive_command = 'false'");
    server.psql("shop", "select pg_reload_conf()");
    server.psql("shop", "insert into big values (1); select pg_switch_wal()");
    server.psql(
        "shop",
        "select count(*) from (select g from generate_series(1, 300000) g order by md5(g::text)) q",
    );
    for _ in 0..5 {
        server.psql("shop", "insert into big values (1); checkpoint");
    }
    until("select temp_bytes > 0 from pg_stat_database where datname = 'shop'");
    until("select failed_count > 0 from pg_stat_archiver");
    let second = round.again(&first, SignedDuration::from_mins(1));
    let temporary = second.expect("postgres.main.temp_files", Status::Warn);
    assert!(
        temporary.summary.contains("temporary file(s) of "),
        "{temporary:#?}"
    );
    let checkpoints = second.expect("postgres.main.checkpoints", Status::Warn);
    let said = "did not wait for checkpoint_timeout";
    assert!(checkpoints.summary.contains(said), "{checkpoints:#?}");
    let archiver = second.expect("postgres.main.archiver", Status::Fail);
    assert!(
        archiver.summary.starts_with("archiving has failed since "),
        "{archiver:#?}"
    );

    // After a crash or a reset the difference means nothing.
    server.psql("shop", "select pg_stat_reset()");
    let third = round.again(&second, SignedDuration::from_mins(2));
    let check = third.expect("postgres.main.temp_files", Status::Skip);
    assert!(check.summary.contains("set back"), "{check:#?}");
}

#[test]
fn growth_misses_and_deadlocks_are_noticed() {
    let server = require!(
        Postgres::builder()
            .setting("deadlock_timeout", "20ms")
            .try_start()
    );
    server.create_database("shop");
    server.psql(
        "shop",
        "create table pair (id int primary key, v int); insert into pair values (1, 0), (2, 0)",
    );
    let checks = "[health.checks.'postgres.main.cache']\nwarn = '1%'\n";
    let round = Round::of(&config(&server.url("shop"), "", checks));
    let first = round.run();
    // 50 MB in an hour are more than a gigabyte in a day; read again, they do not fit into 16 MB of buffers.
    server.psql(
        "shop",
        "create table big (t text); alter table big alter t set storage plain;
         insert into big select repeat('x', 1000) from generate_series(1, 50000);
         set max_parallel_workers_per_gather = 0; select count(*) from big; select count(*) from big",
    );
    let mut one = Session::open(&server, "begin; update pair set v = 1 where id = 1;");
    let mut two = Session::open(&server, "begin; update pair set v = 2 where id = 2;");
    let count = |sql: &str, wanted: &str| {
        wait_until(|| match server.psql("shop", sql) {
            found if found == wanted => Ok(()),
            other => Err(format!("{sql}: {other}")),
        });
    };
    count(
        "select count(*) from pg_stat_activity where state = 'idle in transaction'",
        "2",
    );
    one.then("update pair set v = 1 where id = 2;");
    two.then("update pair set v = 2 where id = 1;");
    count(
        "select count(*) from pg_stat_activity where state = 'idle in transaction (aborted)'",
        "1",
    );
    // A session tells its counters when it ends.
    one.then("rollback;\n\\q");
    two.then("rollback;\n\\q");
    count(
        "select deadlocks from pg_stat_database where datname = 'shop'",
        "1",
    );
    // An early run says nothing, and keeps what it is compared with.
    let early = round.again(&first, SignedDuration::from_mins(10));
    early.expect("postgres.main.growth", Status::Skip);
    early.expect("postgres.main.cache", Status::Warn);
    let deadlocks = early.expect("postgres.main.deadlocks", Status::Warn);
    assert_eq!(deadlocks.summary, "1 deadlock(s) within 10 min 00 s");
    let second = round.again(&early, SignedDuration::from_hours(1));
    let growth = second.expect("postgres.main.growth", Status::Fail);
    assert!(growth.summary.contains("and grew by "), "{growth:#?}");
    second.expect("postgres.main.deadlocks", Status::Pass);
    // The base of growth stays until a day has passed, so that a run each minute does not hide it.
    let third = round.again(&second, SignedDuration::from_hours(2));
    let growth = third.check("postgres.main.growth");
    assert!(growth.summary.contains("within 2 h 00 min"), "{growth:#?}");
}

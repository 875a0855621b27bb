//! A primary, its standby, and a slot without a consumer.

use fh_core::report::Status;
use fh_testkit::{Postgres, require};

use super::config;
use crate::round::{Round, said, wait_until};

#[test]
fn a_standby_that_is_late_and_a_slot_without_a_consumer_are_noticed() {
    let primary = require!(Postgres::builder().setting("wal_level", "replica").try_start());
    primary.create_database("shop");
    primary.psql(
        "postgres",
        "select pg_create_physical_replication_slot('forgotten', true)",
    );
    let standby = primary.standby(&[]);
    primary.psql("shop", "create table t (v int)");
    standby.wait_for(&primary);
    let toml = config(&primary.url("shop"), "standbys = 1", "");
    wait_until(|| match Round::of(&toml).run() {
        found if found.check("postgres.main.replication").status == Status::Pass => Ok(()),
        found => Err(found.all().join("\n")),
    });
    let found = Round::of(&toml).run();
    let slots = found.expect("postgres.main.slots", Status::Warn);
    assert!(
        said(slots).contains("forgotten (physical): inactive"),
        "{slots:#?}"
    );

    let checks = "[health.checks.'postgres.main.replication']\nwarn = '1ms'\ncrit = '2ms'\n\
        [health.checks.'postgres.main.replication_bytes']\ncrit = '1B'\n";
    let of_standby = config(&standby.url("shop"), "", checks);
    let on_time = Round::of(&of_standby).run();
    on_time.expect("postgres.main.replication", Status::Pass);
    let skipped = on_time.expect("postgres.main.archiver", Status::Skip);
    assert!(skipped.summary.contains("the primary archives"), "{skipped:?}");
    standby.psql("postgres", "select pg_wal_replay_pause()");
    primary.psql("shop", "insert into t select generate_series(1, 1000)");
    let late = wait_until(|| match Round::of(&of_standby).run() {
        found if found.check("postgres.main.replication").status == Status::Fail => Ok(found),
        found => Err(found.all().join("\n")),
    });
    let check = late.check("postgres.main.replication");
    assert!(
        said(check).contains("replay is paused") && said(check).contains("pg_wal_replay_resume"),
        "{check:#?}"
    );
    late.expect("postgres.main.replication_bytes", Status::Fail);
    drop(standby);
    let missing = wait_until(|| match Round::of(&toml).run() {
        found if found.check("postgres.main.replication").status == Status::Fail => Ok(found),
        found => Err(found.all().join("\n")),
    });
    let check = missing.check("postgres.main.replication");
    assert_eq!(
        check.summary,
        "0 standby(s) stream, and the configuration expects 1"
    );

    // Past its limit the server gives the slot up, and its consumer needs a new copy.
    primary.psql("postgres", "alter system set max_slot_wal_keep_size = '1MB'");
    primary.psql("postgres", "select pg_reload_conf()");
    for _ in 0..4 {
        primary.psql("shop", "insert into t values (1); select pg_switch_wal()");
    }
    primary.psql("postgres", "checkpoint");
    let lost = Round::of(&toml).run();
    let slots = lost.expect("postgres.main.slots", Status::Fail);
    assert_eq!(
        slots.summary,
        "the slot forgotten is lost: its consumer needs a new copy"
    );
}

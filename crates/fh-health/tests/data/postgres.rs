//! PostgreSQL in good and in bad state.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fh_core::report::Status;
use fh_testkit::{Postgres, require};
use jiff::SignedDuration;

use super::round::{Found, Round, said, wait_until};

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

#[test]
fn what_a_role_may_not_see_is_skipped_with_the_grant() {
    let server = require!(Postgres::try_start());
    server.create_database("shop");
    server.psql(
        "shop",
        "create role plain login; create table t (id serial, v int);
         create table django_migrations (app text, name text)",
    );
    let more =
        "settings = { shared_buffers = '16MB' }\n[health.postgres.migrations]\nexpected = ['a.0001_x']\n";
    let toml = config(&server.url_as("plain", "shop"), more, "");
    let found = Round::of(&toml).run();
    for id in ["locks", "transactions", "idle_in_transaction", "replication"] {
        let check = found.expect(&format!("postgres.main.{id}"), Status::Skip);
        assert_eq!(
            check.hint.as_deref(),
            Some("GRANT pg_monitor TO plain;"),
            "{check:#?}"
        );
    }
    let sequences = found.expect("postgres.main.sequences", Status::Skip);
    assert!(said(sequences).contains("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO plain;"));
    let migrations = found.expect("postgres.main.migrations", Status::Skip);
    assert!(said(migrations).contains("GRANT SELECT ON public.django_migrations TO plain;"));
    found.expect("postgres.main.connections", Status::Pass);
    found.expect("postgres.main.settings", Status::Pass);

    server.psql(
        "shop",
        "grant pg_monitor to plain; grant select on all sequences in schema public to plain",
    );
    let found = Round::of(&toml).run();
    for id in ["locks", "transactions", "idle_in_transaction", "sequences"] {
        found.expect(&format!("postgres.main.{id}"), Status::Pass);
    }
}

#[test]
fn objects_in_bad_state_are_found() {
    let server = require!(Postgres::try_start());
    server.create_database("shop");
    server.psql(
        "shop",
        "create table orders (id serial primary key, v int);
         insert into orders (v) values (1), (1);
         select setval('orders_id_seq', 2000000000);
         create table empty_room (v int) with (fillfactor = 100);
         insert into empty_room select 1 from generate_series(1, 400000);
         delete from empty_room where ctid > '(20,0)';
         analyze empty_room;
         create table django_migrations (app text, name text);
         insert into django_migrations values ('shop', '0001_initial'), ('shop', '0003_ahead')",
    );
    assert!(
        server
            .try_psql("shop", "create unique index concurrently broken on orders (v)")
            .is_err()
    );
    server.psql(
        "shop",
        "alter system set max_connections = 77; select pg_reload_conf()",
    );
    let code = tempfile::tempdir().unwrap();
    let app = code.path().join("shop/migrations");
    std::fs::create_dir_all(&app).unwrap();
    for name in ["__init__", "0001_initial", "0002_more"] {
        std::fs::write(app.join(name).with_extension("py"), "class Migration: pass\n").unwrap();
    }
    let more = format!(
        "settings = {{ shared_buffers = '32MB', fsync = 'false', work_mem = '4096kB' }}\n[health.postgres.migrations]\nfolders = ['{}']\n",
        code.path().display()
    );
    let checks = "[health.checks.'postgres.main.bloat']\nwarn = '8MiB'\n";
    let found = Round::of(&config(&server.url("shop"), &more, checks)).run();
    let sequences = found.expect("postgres.main.sequences", Status::Fail);
    assert!(
        said(sequences)
            .contains("public.orders_id_seq: 2000000000 of 2147483647 (93.1 %), of the column orders.id")
            || said(sequences).contains("of the column public.orders.id"),
        "{sequences:#?}"
    );
    let invalid = found.expect("postgres.main.invalid_indexes", Status::Warn);
    assert!(
        said(invalid).contains("public.broken on orders, and does not keep its values unique"),
        "{invalid:#?}"
    );
    let bloat = found.expect("postgres.main.bloat", Status::Warn);
    assert!(
        bloat.summary.starts_with("public.empty_room has an estimated 1"),
        "{bloat:#?}"
    );
    let settings = found.expect("postgres.main.settings", Status::Fail);
    assert_eq!(
        settings.summary,
        "shared_buffers is 16MB (from configuration file), expected 32MB"
    );
    assert_eq!(
        found.value("postgres.main.settings", "waiting_for_restart"),
        1.0,
        "{settings:#?}"
    );
    let migrations = found.expect("postgres.main.migrations", Status::Fail);
    let text = said(migrations);
    assert!(
        text.contains("not applied: shop.0002_more") && text.contains("not in the code: shop.0003_ahead"),
        "{text}"
    );

    // A young server's statistics say nothing about who uses what.
    found.expect("postgres.main.unused_indexes", Status::Skip);
}

#[test]
fn counters_are_compared_with_the_run_before() {
    let server = require!(
        Postgres::builder()
            .setting("work_mem", "64kB")
            .setting("archive_mode", "on")
            .setting("archive_command", "false")
            .try_start()
    );
    server.create_database("shop");
    let checks = "[health.checks.'postgres.main.temp_files']\nwarn = '1kB'\n\
        [health.checks.'postgres.main.archiver']\ncrit = '0s'\n";
    let round = Round::of(&config(&server.url("shop"), "", checks));
    let first = round.run();
    server.psql("shop", "set work_mem = '64kB'; select count(*) from (select g from generate_series(1, 300000) g order by md5(g::text)) q");
    server.psql(
        "shop",
        "create table big (v int); insert into big select generate_series(1, 100000); select pg_switch_wal()",
    );
    for _ in 0..5 {
        server.psql("shop", "insert into big values (1); checkpoint");
    }
    wait_until(|| {
        match server.psql("shop", "select pg_stat_clear_snapshot(); select temp_bytes > 0 from pg_stat_database where datname = 'shop'").as_str() {
        "\nt" | "t" => Ok(()),
        other => Err(other.to_owned()),
    }
    });
    wait_until(|| {
        match server
            .psql("shop", "select failed_count > 0 from pg_stat_archiver")
            .as_str()
        {
            "t" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    let second = round.again(&first, SignedDuration::from_mins(1));
    let temporary = second.expect("postgres.main.temp_files", Status::Warn);
    assert!(
        temporary.summary.contains("temporary file(s) of "),
        "{temporary:#?}"
    );
    let checkpoints = second.expect("postgres.main.checkpoints", Status::Warn);
    assert!(
        checkpoints
            .summary
            .contains("did not wait for checkpoint_timeout"),
        "{checkpoints:#?}"
    );
    second.check("postgres.main.cache");
    let archiver = second.expect("postgres.main.archiver", Status::Fail);
    assert_eq!(archiver.summary, "archiving fails, and nothing was ever archived");

    // After a crash or a reset the difference means nothing.
    server.psql("shop", "select pg_stat_reset()");
    let third = round.again(&second, SignedDuration::from_mins(2));
    let check = third.expect("postgres.main.temp_files", Status::Skip);
    assert!(check.summary.contains("set back"), "{check:#?}");
}

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
}

#[test]
fn nobody_there_and_nobody_answering_end_in_time() {
    let toml = config("postgresql://app:password-of-a-test@127.0.0.1:1/shop", "", "");
    let found = Round::of(&toml).run();
    let check = found.expect("postgres.main.connect", Status::Fail);
    assert!(!said(check).contains("password-of-a-test"), "{check:#?}");

    let server = require!(Postgres::try_start());
    server.create_database("shop");
    let began = std::time::Instant::now();
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

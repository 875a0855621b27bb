//! Objects in bad state, and what a role may not see of them.

use fh_core::report::Status;
use fh_testkit::{Postgres, require};

use super::config;
use crate::round::{Round, said};

#[test]
fn objects_in_bad_state_are_found() {
    let server = require!(Postgres::try_start());
    server.create_database("shop");
    server.psql(
        "shop",
        "create table orders (id serial primary key, v int);
         insert into orders (v) values (1), (1);
         create table legacy (id int);
         create sequence legacy_id_seq owned by legacy.id;
         select setval('legacy_id_seq', 2000000000);
         create index half on orders (v);
         update pg_index set indisvalid = false where indexrelid = 'half'::regclass;
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
    // The sequence has room for ages; its column has not.
    let line = "public.legacy_id_seq: 2000000000 of 2147483647 (93.1 %), of the column public.legacy.id";
    assert!(said(sequences).contains(line), "{sequences:#?}");
    let invalid = found.expect("postgres.main.invalid_indexes", Status::Warn);
    assert!(
        said(invalid).contains("public.broken on orders, and does not keep its values unique"),
        "{invalid:#?}"
    );
    assert_eq!(
        found.value("postgres.main.invalid_indexes", "invalid"),
        2.0,
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
    assert!(
        text.contains("compared: 2 row(s) of django_migrations with 2 migration(s) of /"),
        "{text}"
    );

    // A young server's statistics say nothing about who uses what.
    found.expect("postgres.main.unused_indexes", Status::Skip);
    let checks = "[health.checks.'postgres.main.unused_indexes']\nwarn = '1B'\n";
    server.psql("shop", "create index idle on empty_room (v)");
    let found = Round::of(&config(&server.url("shop"), "unused_after = '0s'", checks)).run();
    let unused = found.expect("postgres.main.unused_indexes", Status::Warn);
    let text = said(unused);
    assert!(text.contains("public.idle on empty_room, "), "{text}");
    assert!(
        !text.contains("orders_pkey"),
        "a key is used by every write: {text}"
    );
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

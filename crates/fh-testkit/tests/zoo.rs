//! The schema zoo loads, and the comparison that judges restores is sound: it finds equal what is equal, and sees every change.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use std::process::{Command, Stdio};

use fh_testkit::sql::load_schema_zoo;
use fh_testkit::{Postgres, require};

/// `pg_dump | psql` with PostgreSQL's own programs.
fn copy_with_stock_tools(pg: &Postgres, from: &str, to: &str) {
    let mut dump = Command::new(pg.bin_dir().join("pg_dump"))
        .args(["--dbname", &pg.url(from)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let psql = Command::new(pg.bin_dir().join("psql"))
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &pg.url(to)])
        .stdin(dump.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(psql.status.success(), "{}", String::from_utf8_lossy(&psql.stderr));
    assert!(dump.wait().unwrap().success());
}

#[test]
fn the_zoo_survives_pg_dump_and_psql() {
    let pg = require!(Postgres::try_start());
    pg.create_database("zoo");
    load_schema_zoo(&pg, "zoo");
    pg.create_database("copy");
    copy_with_stock_tools(&pg, "zoo", "copy");

    let (source, copy) = (pg.table_contents("zoo"), pg.table_contents("copy"));
    for (name, contents) in &source {
        assert!(copy.get(name) == Some(contents), "{name} differs");
    }
    assert_eq!(source.len(), copy.len());
    pretty_equal(&pg.pg_dump_schema("zoo"), &pg.pg_dump_schema("copy"));
    assert!(pg.database_settings("zoo").contains("set||DateStyle=SQL, DMY"));
    assert_ne!(
        pg.database_settings("zoo"),
        pg.database_settings("copy"),
        "plain pg_dump leaves them out"
    );

    // What the zoo promises to hold.
    assert_eq!(source["table zoo.no_columns_with_rows"], "3 rows\n\n\n");
    assert_eq!(source["table zoo.no_columns"], "0 rows\n");
    assert_eq!(
        source["materialized view zoo.never_filled"],
        "1 rows\nnot populated"
    );
    assert_eq!(source["sequence zoo.moved_not_called"], "1 rows\n77|f");
    assert!(source["large object 900003"].starts_with("5242880 bytes"));
    assert!(source["table zoo.kinds"].contains(r"\\x00ff00ff0a0d5c27"));
    assert!(source["table zoo.big"].lines().count() > 70_000);
    assert!(source.contains_key("table zoo.\"new\nline\""));
    assert!(source.len() > 80, "{} things", source.len());
    let contrib = pg.psql(
        "zoo",
        "select count(*) from pg_available_extensions where name = 'pg_trgm'",
    );
    assert_eq!(
        pg.psql(
            "zoo",
            "select count(*) from pg_class where relname = 'indexed_trgm'"
        ),
        contrib
    );
}

#[test]
fn every_kind_of_change_is_seen() {
    let pg = require!(Postgres::try_start());
    pg.create_database("zoo");
    load_schema_zoo(&pg, "zoo");
    let mut before = pg.table_contents("zoo");
    for (change, where_seen) in [
        (
            "update zoo.lines set t = t || ' ' where id = 9",
            "table zoo.lines",
        ),
        (
            "delete from zoo.duplicates where ctid = '(0,1)'",
            "table zoo.duplicates",
        ),
        ("update zoo.kinds set f8 = 0.1000000000000000055 where id = 5", ""),
        (
            "update zoo.kinds set f8 = 0.10000000000000002 where id = 5",
            "table zoo.kinds",
        ),
        (
            "insert into zoo.no_columns default values",
            "table zoo.no_columns",
        ),
        (
            "update zoo.one_empty_string set t = '' where t is null",
            "table zoo.one_empty_string",
        ),
        (
            "update zoo.measurements set value = 0 where at = '2024-03-01'",
            "table zoo.measurements_2024_low",
        ),
        (
            "update zoo.penguins set depth = 1 where id = 3",
            "table zoo.penguins",
        ),
        ("select nextval('zoo.moved')", "sequence zoo.moved"),
        (
            "select setval('zoo.moved_not_called', 77, true)",
            "sequence zoo.moved_not_called",
        ),
        (
            "refresh materialized view zoo.never_filled",
            "materialized view zoo.never_filled",
        ),
        ("select lo_put(900003, 4000000, '\\x00')", "large object 900003"),
        ("comment on large object 900002 is 'new'", "large object 900002"),
        (
            "alter large object 900001 owner to zoo_owner",
            "large object 900001",
        ),
        ("select lo_unlink(900006)", "large object 900006"),
    ] {
        pg.psql("zoo", change);
        let after = pg.table_contents("zoo");
        let differing: Vec<_> = before
            .iter()
            .filter(|(name, contents)| after.get(*name) != Some(contents))
            .map(|(name, _)| name.as_str())
            .collect();
        match where_seen {
            "" => assert!(differing.is_empty(), "{change}: {differing:?}"),
            name => assert!(
                differing.len() == 1 && differing[0].starts_with(name),
                "{change}: {differing:?}"
            ),
        }
        before = after;
    }
    let schema = pg.pg_dump_schema("zoo");
    pg.psql("zoo", "alter table zoo.lines alter column id set default 3");
    assert_ne!(pg.pg_dump_schema("zoo"), schema);
}

/// Shows the first line that differs instead of two long texts.
fn pretty_equal(left: &str, right: &str) {
    for (number, (left, right)) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(left, right, "line {}", number + 1);
    }
    assert_eq!(left.len(), right.len());
}

//! Other major versions of PostgreSQL: each backs up, proves, restores and exports the zoo; a set goes to newer servers
//! and never to older ones.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "tool/same.rs"]
mod same;
mod tool;

use std::process::Command;

use fh_testkit::{Postgres, require, sql};
use same::{assert_same, assert_same_contents, assert_same_rows};
use tool::{Tool, ran};

/// A server of this major version with the zoo, and a tool that uses its programs.
fn zoo(major: u32) -> anyhow::Result<(Postgres, Tool)> {
    let server = Postgres::builder().major(major).try_start()?;
    server.create_database("zoo");
    sql::load_schema_zoo(&server, "zoo");
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("zoo"))
        .with("FH_PG_BINDIR", server.bin_dir().display().to_string());
    Ok((server, tool))
}

fn the_zoo_comes_back(server: &Postgres, tool: &Tool) {
    tool.run(&["create"]).expect(0);
    let again = tool.run(&["create", "--format", "json"]).expect(0).json();
    assert_eq!(again["data"]["header"]["totals"]["new_segments"], 0);
    tool.run(&["verify", "--full"]).expect(0);
    server.create_database("copy");
    tool.run(&["restore", "--into", "copy"]).expect(0);
    assert_same((server, "zoo"), (server, "copy"));

    tool.run(&["export", "--to", "dump"]).expect(0);
    server.create_database("from_folder");
    for section in [
        &["--section=pre-data"][..],
        &["--section=data", "-j2"],
        &["--section=post-data"],
    ] {
        let mut stock = Command::new(server.bin_dir().join("pg_restore"));
        stock
            .args(["--exit-on-error", "--dbname", &server.url("from_folder")])
            .args(section)
            .arg(tool.path("dump"));
        ran(&stock.output().unwrap()).expect(0);
    }
    assert_same_contents((server, "zoo"), (server, "from_folder"));
}

#[test]
fn the_zoo_of_postgresql_16_comes_back() {
    let (server, tool) = require!(zoo(16));
    the_zoo_comes_back(&server, &tool);
}

#[test]
fn the_zoo_of_postgresql_18_comes_back() {
    let (server, tool) = require!(zoo(18));
    the_zoo_comes_back(&server, &tool);
}

/// Without extensions, which the packages of the other versions do not carry.
const SHOP: &str = "
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, colour colour,
                   twice int GENERATED ALWAYS AS (length(name) * 2) STORED);
INSERT INTO item (name, colour) SELECT 'item ' || n, 'green' FROM generate_series(1, 500) n;
CREATE TABLE sale (item int REFERENCES item, at date, amount numeric, rest jsonb) PARTITION BY RANGE (at);
CREATE TABLE sale_old PARTITION OF sale FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE sale_new PARTITION OF sale DEFAULT;
INSERT INTO sale SELECT n, date '2025-12-01' + n, n * 1.5, jsonb_build_object('n', n) FROM generate_series(1, 90) n;
CREATE INDEX ON sale (at);
CREATE MATERIALIZED VIEW total AS SELECT sum(amount) FROM sale;
SELECT lo_from_bytea(n, '\\x00ff') FROM generate_series(4711, 4713) n;
GRANT SELECT ON LARGE OBJECT 4711, 4712 TO PUBLIC;
";

#[test]
fn a_set_goes_to_newer_servers_and_not_to_older_ones() {
    let old = require!(Postgres::builder().major(15).try_start());
    old.create_database("shop");
    old.psql("shop", SHOP);
    let mut tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", old.url("shop"))
        .with("FH_PG_BINDIR", old.bin_dir().display().to_string());
    tool.run(&["create"]).expect(0);
    let first = tool.newest();
    for major in [16, 18] {
        let new = require!(Postgres::builder().major(major).try_start());
        new.create_database("copy");
        tool.set("DATABASE_URL", new.url("copy"));
        tool.set("FH_PG_BINDIR", new.bin_dir().display().to_string());
        tool.run(&["restore", &first]).expect(0);
        assert_same_rows((&old, "shop"), (&new, "copy"));
        if major == 18 {
            tool.run(&["create"]).expect(0);
        }
    }
    old.create_database("copy");
    tool.set("DATABASE_URL", old.url("copy"));
    tool.set("FH_PG_BINDIR", old.bin_dir().display().to_string());
    let refused = tool.run(&["restore"]).expect(3);
    assert!(
        refused
            .stderr
            .contains("the backup comes from PostgreSQL 18, and the target server is PostgreSQL 15"),
        "{}",
        refused.stderr
    );
    let relations = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(old.psql("copy", relations), "0");
}

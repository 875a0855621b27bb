//! The promise of the tool: what comes back is what was there. Stock `pg_dump` and `psql` are the judges.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "tool/same.rs"]
mod same;
mod tool;

use fh_testkit::{Postgres, S3, require, sql};
use same::assert_same;
use tool::{Tool, small_server};

/// What has statistics: tables, partitioned ones too, materialized views, expressions of indexes and of CREATE STATISTICS.
const WITH_STATISTICS: &str = "
    SELECT DISTINCT s.starelid::regclass::text || ' ' || s.stainherit FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
    WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    UNION SELECT 'statistics ' || stxname FROM pg_statistic_ext JOIN pg_statistic_ext_data d ON d.stxoid = pg_statistic_ext.oid
    ORDER BY 1";

/// Backs the schema zoo up, restores it, and compares definitions, rows, sequences, large objects and settings.
fn zoo_comes_back(tool: Tool) {
    let server = require!(Postgres::try_start());
    server.create_database("zoo");
    sql::load_schema_zoo(&server, "zoo");
    server.create_database("copy");
    let mut tool = tool;
    tool.set("DATABASE_URL", server.url("zoo"));

    tool.run(&["create"]).expect(0);
    tool.run(&["verify", "--full", "latest"]).expect(0);
    tool.run(&["restore", "--into", "copy", "latest"]).expect(0);

    assert_same((&server, "zoo"), (&server, "copy"));
    assert_eq!(
        server.fingerprint("zoo").unwrap(),
        server.fingerprint("copy").unwrap()
    );
    server.psql("zoo", "ANALYZE");
    let wanted = server.psql("zoo", WITH_STATISTICS);
    assert!(wanted.contains("indexed_expression"), "{wanted}");
    assert_eq!(server.psql("copy", WITH_STATISTICS), wanted);
}

#[test]
fn the_zoo_comes_back_from_an_encrypted_folder() {
    zoo_comes_back(Tool::new().in_folder(true));
}

#[test]
fn the_zoo_comes_back_from_a_clear_folder() {
    zoo_comes_back(Tool::new().in_folder(false));
}

#[test]
fn the_zoo_comes_back_from_an_encrypted_bucket() {
    let s3 = S3::start();
    zoo_comes_back(Tool::new().in_s3(&s3, true));
}

#[test]
fn the_zoo_comes_back_from_a_clear_bucket() {
    let s3 = S3::start();
    zoo_comes_back(Tool::new().in_s3(&s3, false));
}

#[test]
fn an_unchanged_database_sends_nothing_again_and_a_changed_table_only_itself() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    let new = |tool: &Tool| {
        let report = tool.run(&["create", "--format", "json"]).expect(0).json();
        report["data"]["header"]["totals"]["new_segments"]
            .as_u64()
            .unwrap()
    };
    // One table with rows, the definitions, and the two that RESTORE.md leads to.
    assert_eq!(new(&tool), 4);
    assert_eq!(new(&tool), 0);
    server.psql("shop", "INSERT INTO empty VALUES (1)");
    // The rows, and the script that names them.
    assert_eq!(new(&tool), 2);
}

#[test]
fn a_backup_is_of_one_moment() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql("shop", "DELETE FROM item; INSERT INTO item VALUES (1, 'other')");
    let first = tool.newest();
    tool.run(&["create", "--accept-collapse"]).expect(0);
    for (set, rows) in [(first, "5000"), (tool.newest(), "1")] {
        let name = format!("copy_{rows}");
        server.create_database(&name);
        tool.run(&["restore", "--into", &name, &set]).expect(0);
        assert_eq!(server.psql(&name, "SELECT count(*) FROM item"), rows);
        assert_eq!(server.psql(&name, "SELECT last_value FROM counter"), "41");
    }
}

#[test]
fn owners_and_privileges_can_be_left_out() {
    let Some(server) = small_server() else { return };
    server.psql(
        "shop",
        "CREATE ROLE clerk; ALTER TABLE item OWNER TO clerk; GRANT SELECT ON empty TO clerk",
    );
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql(
        "shop",
        "REASSIGN OWNED BY clerk TO CURRENT_USER; DROP OWNED BY clerk; DROP ROLE clerk",
    );
    server.create_database("copy");
    let refused = tool.run(&["restore", "--into", "copy"]).expect(3);
    assert!(
        refused.stderr.contains("the target server has no role clerk"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        server.psql("copy", "SELECT count(*) FROM pg_class WHERE relname = 'item'"),
        "0"
    );
    tool.run(&["restore", "--into", "copy", "--no-owner", "--no-privileges"])
        .expect(0);
    assert_eq!(server.psql("copy", "SELECT count(*) FROM item"), "5000");
}

#[test]
fn the_reports_can_be_read() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    assert!(
        tool.run(&["create"])
            .expect(0)
            .stdout
            .contains("5,000 rows read in one snapshot")
    );
    let list = tool.run(&["list"]).expect(0).stdout;
    assert!(
        list.contains("shop") && list.contains("5,000") && list.contains("sealed"),
        "{list}"
    );
    let show = tool.run(&["show"]).expect(0).stdout;
    assert!(
        show.contains("public.item") && show.contains("PostgreSQL"),
        "{show}"
    );
    let verify = tool.run(&["verify"]).expect(0).stdout;
    assert!(verify.contains("all there, none changed"), "{verify}");
    for format in ["json", "junit", "prometheus", "nagios", "github", "markdown"] {
        tool.run(&["verify", "--format", format]).expect(0);
    }
}

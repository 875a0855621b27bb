//! The engine: what it does to others on the server, and what becomes of tables that change under it.

mod tool;

use std::time::Duration;

use fh_testkit::{Postgres, S3, S3Fault, require};
use tool::{Tool, ran};

/// A server with a table of some segments.
fn server() -> anyhow::Result<Postgres> {
    let server = Postgres::try_start()?;
    server.create_database("shop");
    server.psql(
        "shop",
        "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 6) AS filler FROM generate_series(1, 150000) n;
         CREATE TABLE wide AS SELECT n, repeat(md5(n::text), 30000) AS text FROM generate_series(1, 30) n;
         ALTER TABLE wide ALTER text SET STORAGE EXTERNAL",
    );
    Ok(server)
}

fn waits_for(condition: impl Fn() -> bool) {
    let came = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        condition()
    });
    assert!(came, "it never came to that");
}

#[test]
fn a_backup_gives_way_to_a_migration_and_says_to_whom() {
    let server = require!(server());
    // So slow that it cannot be done before somebody waits.
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let backup = tool
        .command(&["create", "--yield-after", "300ms", "--limit-upload", "100KiB"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let locks = "SELECT count(*) FROM pg_locks WHERE relation = 'big'::regclass AND mode = 'AccessShareLock'";
    waits_for(|| server.psql("shop", locks).parse::<u32>().unwrap() >= 2);
    // The statement returns only because the backup goes away.
    server.psql(
        "shop",
        "SET application_name = 'migrations'; ALTER TABLE big ADD COLUMN added int",
    );
    let ended = ran(&backup.wait_with_output().unwrap()).expect(3);
    for part in [
        "gave way to process",
        "migrations",
        "AccessExclusiveLock on public.big",
        "ADD COLUMN added",
    ] {
        assert!(
            ended.stderr.contains(part),
            "{part:?} is missing in:\n{}",
            ended.stderr
        );
    }
    assert_eq!(tool.sets(), [""; 0]);
    tool.run(&["create"]).expect(0);
}

#[test]
fn rows_larger_than_a_segment_come_back() {
    let server = require!(server());
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    let report = tool.run(&["create", "--format", "json"]).expect(0).json();
    let totals = &report["data"]["header"]["totals"];
    // Thirty rows of a megabyte in one range of blocks are more than one segment.
    assert!(totals["segments"].as_u64().unwrap() >= 8, "{totals}");
    server.create_database("copy");
    tool.run(&["restore", "--into", "copy"]).expect(0);
    let digest = "SELECT md5(string_agg(md5(text), '' ORDER BY n)) FROM wide";
    assert_eq!(server.psql("shop", digest), server.psql("copy", digest));
}

#[test]
fn a_store_that_fails_under_one_session_ends_the_others() {
    let server = require!(server());
    let s3 = S3::start();
    let tool = Tool::new()
        .in_s3(&s3, false)
        .with("DATABASE_URL", server.url("shop"));
    s3.fail(S3Fault {
        method: "PUT".into(),
        path_contains: "/segments/".into(),
        status: 403,
        code: "AccessDenied".into(),
        times: 1,
    });
    let ended = tool.run(&["create", "--jobs", "4"]).expect(3);
    assert!(ended.stderr.contains("AccessDenied"), "{}", ended.stderr);
    assert_eq!(tool.sets(), [""; 0]);
    tool.run(&["create", "--jobs", "4"]).expect(0);
    tool.run(&["verify", "--full"]).expect(0);
}

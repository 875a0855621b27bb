//! `kill -9` at any moment: what was there stays good, what was not finished is never listed, and the next run succeeds.

mod tool;

use std::time::Duration;

use fh_testkit::kill::{Signal, When, interrupt, kill9};
use fh_testkit::{Postgres, require};
use tool::Tool;

/// A server with enough rows for dozens of segments.
fn server() -> anyhow::Result<Postgres> {
    let server = Postgres::try_start()?;
    server.create_database("shop");
    server.psql(
        "shop",
        "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 6) AS filler FROM generate_series(1, 150000) n",
    );
    Ok(server)
}

#[test]
fn a_killed_backup_is_never_listed_and_the_next_one_succeeds() {
    let server = require!(server());
    for encrypted in [false, true] {
        let tool = Tool::new()
            .in_folder(encrypted)
            .with("DATABASE_URL", server.url("shop"));
        let repository = tool.path("repository");
        let mut good = Vec::new();
        let mut killed = 0;
        // At the start, and after one, two, … objects; the last is the set itself.
        for count in 1..=7 {
            let objects = tool::files(&repository).len();
            server.psql(
                "shop",
                "UPDATE big SET filler = md5(filler) || repeat(md5(n::text), 5) WHERE n % 7 = 0",
            );
            let when = When::Files {
                under: &repository,
                name: "",
                count: objects + count,
            };
            let outcome = kill9(tool.command(&["create", "--jobs", "1"]), when).unwrap();
            killed += usize::from(outcome.killed);
            let sets = tool.sets();
            let new = sets.len() - good.len();
            // It may have been killed after the set was durable; then the set is whole.
            assert!(new <= 1 && sets.starts_with(&good), "{sets:?} after {good:?}");
            for set in &sets {
                tool.run(&["verify", "--full", set]).expect(0);
            }
            good = sets;
        }
        assert!(killed >= 4, "only {killed} of 7 runs were killed in time");
        tool.run(&["create"]).expect(0);
        server.create_database("copy");
        tool.run(&["restore", "--into", "copy"]).expect(0);
        let digest = "SELECT count(*), sum(hashtext(b::text)) FROM big b";
        assert_eq!(server.psql("shop", digest), server.psql("copy", digest));
        server.drop_database("copy");
    }
}

#[test]
fn a_signal_stops_it_cleanly() {
    let server = require!(server());
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let tool = Tool::new()
            .in_folder(false)
            .with("DATABASE_URL", server.url("shop"));
        let repository = tool.path("repository");
        let when = When::Files {
            under: &repository,
            name: "segments",
            count: 2,
        };
        let outcome = interrupt(tool.command(&["create", "--jobs", "1"]), signal, when).unwrap();
        assert_eq!(outcome.status.code(), Some(code), "{}", outcome.stderr);
        assert_eq!(tool.sets(), [""; 0]);
        // The server's sessions end, so that no snapshot holds back vacuum.
        for _ in 0..100 {
            if server.psql(
                "shop",
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fh-backup'",
            ) == "0"
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(
            server.psql(
                "shop",
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fh-backup'"
            ),
            "0"
        );
    }
}

#[test]
fn a_server_that_dies_in_the_middle_leaves_no_set() {
    let mut server = require!(server());
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let mut child = tool.command(&["create", "--jobs", "1"]).spawn().unwrap();
    while tool::files(&tool.path("repository")).len() < 3 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    server.kill9();
    let status = child.wait().unwrap();
    // On a fast machine it may be done by then.
    match status.code() {
        Some(0) => assert_eq!(tool.sets().len(), 1),
        code => {
            assert_eq!(code, Some(3));
            assert_eq!(tool.sets(), [""; 0]);
        }
    }
    server.restart();
    tool.run(&["create"]).expect(0);
}

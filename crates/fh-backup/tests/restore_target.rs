//! Where a restore goes: a new database, one in the place of a live one, and what is looked at before.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use std::os::unix::fs::PermissionsExt as _;

use fh_testkit::{Postgres, require};
use tool::{Tool, files, small_server};

fn assert_parts(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

fn databases(server: &Postgres) -> Vec<String> {
    let names = server.psql("postgres", "SELECT datname FROM pg_database ORDER BY 1");
    names.lines().map(ToOwned::to_owned).collect()
}

/// A server, and a repository in a folder with one set of its database `shop`.
fn ready() -> Option<(Postgres, Tool)> {
    let server = small_server()?;
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    Some((server, tool))
}

/// Flips a byte in the middle of the largest segment: that of the table with rows.
fn damage(tool: &Tool) {
    let segments = files(&tool.path("repository/segments"));
    let (path, mut content) = segments
        .into_iter()
        .max_by_key(|(_, content)| content.len())
        .unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(path, content).unwrap();
}

#[test]
fn a_new_database_is_made_as_it_was_and_dropped_again_when_the_restore_fails() {
    let Some((server, tool)) = ready() else { return };
    let ran = tool.run(&["restore", "--create", "--into", "made"]).expect(0);
    assert_parts(
        &ran.stdout,
        &["the database made can be used", "5,000 rows read back"],
    );
    let facts = "SELECT encoding, datcollate, datctype, datdba FROM pg_database WHERE datname = ";
    assert_eq!(
        server.psql("postgres", &format!("{facts}'shop'")),
        server.psql("postgres", &format!("{facts}'made'"))
    );
    assert_eq!(server.psql("made", "SELECT count(*) FROM item"), "5000");
    let counted = ["restore", "--create", "--into", "counted", "--proof", "count"];
    let counted = tool.run(&counted).expect(0).stdout;
    assert_parts(&counted, &["hashed on their way in and counted"]);
    assert_eq!(server.table_contents("counted"), server.table_contents("shop"));
    let again = tool.run(&["restore", "--create", "--into", "made"]).expect(4);
    assert_parts(
        &again.stderr,
        &["the server has a database made already", "nothing was changed"],
    );
    assert_eq!(server.psql("made", "SELECT count(*) FROM item"), "5000");

    let before = databases(&server);
    damage(&tool);
    let failed = tool.run(&["restore", "--create", "--into", "broken"]).expect(1);
    assert_parts(
        &failed.stderr,
        &[
            "segment",
            "the new database broken was dropped again, nothing is left of it",
        ],
    );
    assert_eq!(databases(&server), before);
}

#[test]
fn a_live_database_is_replaced_only_by_one_that_is_proven() {
    let Some((server, tool)) = ready() else { return };
    server.psql("shop", "DELETE FROM item WHERE id > 10");
    let before = databases(&server);

    let refused = tool.run(&["restore", "--replace"]).expect(4);
    assert_parts(
        &refused.stderr,
        &["this would replace the database shop", "--confirm-database shop"],
    );
    tool.run(&["restore", "--replace", "--confirm-database", "shopp"])
        .expect(4);
    let missing = tool
        .run(&[
            "restore",
            "--replace",
            "--into",
            "nowhere",
            "--confirm-database",
            "nowhere",
        ])
        .expect(2);
    assert_parts(&missing.stderr, &["there is no database nowhere to replace"]);
    std::fs::write(
        tool.path("financehub.toml"),
        "[env.production]\nprotected = true\n",
    )
    .unwrap();
    let protected = tool
        .run(&[
            "restore",
            "--replace",
            "--confirm-database",
            "shop",
            "--env",
            "production",
        ])
        .expect(4);
    assert_parts(&protected.stderr, &["environment `production` is protected"]);
    let looked = tool.run(&["restore", "--replace", "--dry-run"]).expect(0);
    assert_parts(&looked.stdout, &["nothing was changed", "restore beside shop"]);
    assert_eq!(databases(&server), before);

    // Somebody is in the live database and does not leave by itself.
    let mut busy = std::process::Command::new(server.bin_dir().join("psql"))
        .args(["--no-psqlrc", "--command", "SELECT pg_sleep(600)"])
        .arg(server.url("shop"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
    while server.psql("postgres", waiting) != "1" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let done = tool
        .run(&[
            "restore",
            "--replace",
            "--confirm-database",
            "shop",
            "--format",
            "json",
        ])
        .expect(0)
        .json();
    assert!(!busy.wait().unwrap().success());
    let old = done["data"]["replaced"].as_str().unwrap().to_owned();
    assert_eq!(server.psql("shop", "SELECT count(*) FROM item"), "5000");
    assert_eq!(server.psql(&old, "SELECT count(*) FROM item"), "10");
    // Swapping back is what the report says it is.
    let swap = done["checks"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|check| check["evidence"].as_array().unwrap())
        .filter_map(|line| {
            line.as_str()
                .unwrap()
                .strip_prefix("to swap back, once nobody is in it: ")
        })
        .next()
        .unwrap()
        .to_owned();
    server.psql("postgres", &swap);
    assert_eq!(server.psql("shop", "SELECT count(*) FROM item"), "10");

    let before = databases(&server);
    damage(&tool);
    let failed = tool
        .run(&["restore", "--replace", "--confirm-database", "shop"])
        .expect(1);
    assert_parts(&failed.stderr, &["dropped again", "shop was not touched"]);
    assert_eq!(databases(&server), before);
    assert_eq!(server.psql("shop", "SELECT count(*) FROM item"), "10");
}

#[test]
fn everything_in_the_way_is_told_at_once_and_nothing_is_changed() {
    let server = require!(Postgres::builder().setting("max_connections", "30").try_start());
    server.create_database("shop");
    server.psql(
        "shop",
        "CREATE ROLE clerk; CREATE ROLE guest LOGIN; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm;
         CREATE TABLE item (id int PRIMARY KEY); ALTER TABLE item OWNER TO clerk; INSERT INTO item VALUES (1);
         UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'hstore';
         UPDATE pg_extension SET extname = 'nonesuch' WHERE extname = 'pg_trgm';
         UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'shop'",
    );
    let mut tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql("shop", "REASSIGN OWNED BY clerk TO CURRENT_USER; DROP ROLE clerk");
    server.create_database("copy");
    server.psql(
        "copy",
        "CREATE TABLE other (x int); UPDATE pg_database SET datcollversion = '2.0' WHERE datname = 'copy'",
    );

    let before = (databases(&server), server.pg_dump_schema("copy"));
    let all = ["restore", "--into", "copy", "--jobs", "40"];
    let refused = tool.run(&all).expect(4);
    assert_parts(
        &refused.stderr,
        &[
            "things stand in the way, and nothing was changed",
            "not empty",
            "no role clerk",
            "does not offer extension(s) nonesuch",
            "free connection(s), and 43 are needed",
        ],
    );
    let looked = tool.run(&[&all[..], &["--dry-run"]].concat()).expect(4);
    assert_parts(
        &looked.stdout,
        &[
            "not empty",
            "hstore 0.9 becomes",
            "version 2.0 here and had 1.0",
            "segments to fetch",
        ],
    );

    tool.set("DATABASE_URL", server.url_as("guest", "copy"));
    let guest = tool.run(&["restore", "--dry-run", "--no-privileges"]).expect(4);
    assert_parts(
        &guest.stdout,
        &["guest may not make anything in the target database"],
    );
    let create = tool
        .run(&["restore", "--create", "--into", "new", "--dry-run"])
        .expect(3);
    assert_parts(&create.stdout, &["guest may not make databases"]);
    assert_eq!((databases(&server), server.pg_dump_schema("copy")), before);
}

#[test]
fn a_pg_restore_that_writes_what_the_server_does_not_know_is_refused_before_anything_changes() {
    let Some((server, tool)) = ready() else { return };
    if server.major() >= 17 {
        return;
    }
    let folder = tool.path("bin");
    std::fs::create_dir(&folder).unwrap();
    for (name, version) in [("pg_restore", "17.2"), ("pg_dump", "17.2")] {
        let script = format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n");
        std::fs::write(folder.join(name), script).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let tool = tool.with("FH_PG_BINDIR", folder.display().to_string());
    let before = databases(&server);
    let refused = tool.run(&["restore", "--create", "--into", "new"]).expect(3);
    assert_parts(
        &refused.stderr,
        &["transaction_timeout", "client programs of PostgreSQL"],
    );
    assert_eq!(databases(&server), before);
}

#[test]
fn without_a_superuser_what_only_superusers_make_is_left_out_and_told() {
    let Some(server) = small_server() else { return };
    server.psql(
        "shop",
        "CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER guard ON ddl_command_end EXECUTE FUNCTION note();
         CREATE PUBLICATION everything FOR ALL TABLES;
         CREATE ROLE deputy LOGIN CREATEDB; CREATE ROLE shopkeeper CREATEDB; GRANT shopkeeper TO deputy",
    );
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    let tool = tool.with("DATABASE_URL", server.url_as("deputy", "shop"));
    let owned = tool.run(&["restore", "--create", "--into", "deputys"]).expect(3);
    assert_parts(
        &owned.stderr,
        &["deputy cannot make things that belong to postgres"],
    );
    let options = [
        "restore",
        "--create",
        "--into",
        "deputys",
        "--no-owner",
        "--role",
        "shopkeeper",
    ];
    let done = tool.run(&options).expect(0);
    assert_parts(&done.stdout, &["EVENT TRIGGER guard", "PUBLICATION everything"]);
    assert_eq!(server.psql("deputys", "SELECT count(*) FROM item"), "5000");
    assert_eq!(
        server.psql(
            "deputys",
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ),
        "shopkeeper"
    );
}

#[test]
fn an_interrupted_restore_leaves_no_database_behind() {
    let Some((server, tool)) = ready() else { return };
    let folder = tool.path("bin");
    std::fs::create_dir(&folder).unwrap();
    // A pg_restore that gets nowhere.
    let real = server.bin_dir().display();
    for (name, script) in [
        ("pg_dump", format!("exec {real}/pg_dump \"$@\"")),
        (
            "pg_restore",
            format!("[ \"$1\" = --version ] && exec {real}/pg_restore --version; exec sleep 600"),
        ),
    ] {
        std::fs::write(folder.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let before = databases(&server);
    let tool = tool.with("FH_PG_BINDIR", folder.display().to_string());
    let mut running = tool
        .command(&["restore", "--create", "--into", "halfway"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'halfway'";
    while server.psql("postgres", busy) == "0" {
        assert!(running.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&running);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(143));
    assert_eq!(databases(&server), before);
}

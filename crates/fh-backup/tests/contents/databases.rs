//! Several databases in one set.

use std::process::Stdio;
use std::time::Duration;

use super::tool::{Tool, ran, small_server};
use super::{assert_parts, configure};

#[test]
fn several_databases_come_back_each_by_its_name() {
    let Some(server) = small_server() else { return };
    server.create_database("auth");
    server.psql(
        "auth",
        "CREATE TABLE account (id int); INSERT INTO account VALUES (1), (2)",
    );
    server.create_database("odd \"name\"");
    server.psql(
        "odd \"name\"",
        "CREATE TABLE odd (x text); INSERT INTO odd VALUES ('y')",
    );
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let databases = |arguments: &[&str]| {
        let arguments = [&["create", "--format", "json"], arguments].concat();
        let report = tool.run(&arguments).expect(0).json();
        let header = report["data"]["header"].clone();
        let names = header["databases"].as_array().unwrap().clone();
        let names: Vec<String> = names
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        (names, header["totals"]["rows"].as_u64().unwrap())
    };

    assert_eq!(databases(&[]), (vec!["shop".to_owned()], 5000));
    assert_eq!(
        databases(&["--database", "auth", "--database", "shop"]),
        (vec!["auth".to_owned(), "shop".to_owned()], 5002)
    );
    let (names, rows) = databases(&["--all-databases"]);
    assert_eq!(rows, 5003);
    for name in ["auth", "odd \"name\"", "shop"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    assert!(
        !names.iter().any(|name| name.starts_with("template")),
        "{names:?}"
    );

    tool.run(&["verify", "--full"]).expect(0);
    let show = tool.run(&["show"]).expect(0).stdout;
    assert_parts(
        &show,
        &["Database auth", "public.account", "public.odd", "public.item"],
    );

    let unclear = tool.run(&["restore", "--into", "copy"]).expect(2);
    assert_parts(
        &unclear.stderr,
        &["several databases", "auth", "shop", "--database"],
    );
    for (name, query, expected) in [
        ("auth", "SELECT count(*) FROM account", "2"),
        ("odd \"name\"", "SELECT x FROM odd", "y"),
        ("shop", "SELECT count(*) FROM item", "5000"),
    ] {
        server.create_database("copy");
        tool.run(&["restore", "--into", "copy", "--database", name])
            .expect(0);
        assert_eq!(server.psql("copy", query), expected, "{name}");
        server.drop_database("copy");
    }
}

#[test]
fn a_database_that_is_not_there_leaves_no_set() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let failed = tool
        .run(&["create", "--database", "shop", "--database", "nowhere"])
        .expect(3);
    assert_parts(&failed.stderr, &["nowhere", "does not exist"]);
    assert!(tool.sets().is_empty());

    configure(&tool, "[backup]\ndatabases = ['shop', 'nowhere']\n");
    tool.run(&["create"]).expect(3);
    // The command line replaces what the file says, about both settings.
    tool.run(&["create", "--database", "shop"]).expect(0);
    configure(&tool, "[backup]\ndatabases = ['shop']\nall_databases = true\n");
    let both = tool.run(&["create"]).expect(2);
    assert_parts(&both.stderr, &["backup.databases", "backup.all_databases"]);
    tool.run(&["create", "--all-databases"]).expect(0);
    tool.run(&["create", "--database", "a,b"]).expect(2);
    tool.run(&["create", "--database", "a", "--all-databases"])
        .expect(2);
    assert_eq!(tool.sets().len(), 2);
}

#[test]
fn a_database_that_waits_for_its_turn_gives_way_too() {
    let Some(server) = small_server() else { return };
    server.psql(
        "shop",
        "CREATE TABLE big AS SELECT n, md5(n::text) AS filler FROM generate_series(1, 100000) n",
    );
    server.create_database("auth");
    server.psql("auth", "CREATE TABLE account (id int)");
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let names = ["create", "--database", "shop", "--database", "auth"];
    // So slow that the first database cannot be done before somebody waits for the second.
    let slowly = ["--yield-after", "300ms", "--limit-upload", "20KiB"];
    let backup = tool
        .command(&[&names[..], &slowly].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let locks =
        "SELECT count(*) FROM pg_locks WHERE relation = 'account'::regclass AND mode = 'AccessShareLock'";
    while server.psql("auth", locks) == "0" {
        std::thread::sleep(Duration::from_millis(50));
    }
    // The statement returns only because the backup goes away.
    server.psql("auth", "ALTER TABLE account ADD COLUMN added int");
    let ended = ran(&backup.wait_with_output().unwrap()).expect(3);
    assert_parts(&ended.stderr, &["gave way to process", "public.account"]);
    assert!(tool.sets().is_empty());
}

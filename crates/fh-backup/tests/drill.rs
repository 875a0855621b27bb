//! Drills on a given server: what they prove, what they leave behind, and what they must not call good.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use fh_testkit::Postgres;
use serde_json::Value;
use tool::{Tool, check, evidence, listed, small_server};

fn scratch_databases(server: &Postgres) -> String {
    server.psql(
        "postgres",
        "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE datname LIKE 'fh\\_drill%'",
    )
}

/// A source, a server for drills, and a set of one in a clear repository.
struct Ready {
    source: Postgres,
    scratch: Postgres,
    tool: Tool,
}

impl Ready {
    fn new() -> Option<Self> {
        let source = small_server()?;
        let scratch = fh_testkit::start_or_skip(Postgres::try_start())?;
        let tool = Tool::new()
            .in_folder(false)
            .with("DATABASE_URL", source.url("shop"))
            .with("DRILL_URL", scratch.url("postgres"));
        tool.run(&["create"]).expect(0);
        Some(Self {
            source,
            scratch,
            tool,
        })
    }

    /// A drill on the given server with this configuration.
    fn drill(&self, config: &str, more: &[&str], code: i32) -> Value {
        std::fs::write(self.tool.path("financehub.toml"), config).unwrap();
        let mut arguments = vec!["drill", "--server-url-env", "DRILL_URL", "--format", "json"];
        arguments.extend(more);
        let report = self.tool.run(&arguments).expect(code).json();
        assert_eq!(scratch_databases(&self.scratch), "", "{report}");
        report
    }
}

/// One assertion of the configuration for each query, named 1, 2, ….
fn assertions(queries: &[(&str, &str)]) -> String {
    let mut text = "[backup.drill]\nstatement_timeout = '300ms'\n".to_owned();
    for (index, (sql, expect)) in queries.iter().enumerate() {
        let name = index + 1;
        text.push_str(&format!(
            "[[backup.drill.assertions]]\nname = '{name}'\nsql = \"{sql}\"\nexpect = '{expect}'\n"
        ));
    }
    text
}

#[test]
fn questions_limits_and_answers() {
    let Some(ready) = Ready::new() else { return };
    let items = "SELECT count(*) FROM item";

    let good = ready.drill(&assertions(&[(items, "5000"), ("SELECT true", "true")]), &[], 0);
    for id in ["assertion.1", "assertion.2", "amcheck", "constraints"] {
        assert_eq!(check(&good, id)["status"], "pass", "{id}");
    }
    assert_eq!(evidence(&ready.tool).len(), 1);

    // No answer is neither good nor bad, and no evidence. Nothing can be changed on the way.
    let queries = [
        "SELECT nonsense",
        "SELECT 1, 2",
        "SELECT 1 WHERE false",
        "VALUES (1), (2)",
        "SELECT pg_sleep(60)",
        "SELECT 1) AS a; DROP TABLE item; SELECT * FROM (SELECT 1",
        "SELECT setval('public.counter', 1)",
    ]
    .map(|sql| (sql, "1"));
    let unknown = ready.drill(&assertions(&queries), &[], 3);
    for index in 1..=queries.len() {
        assert_eq!(
            check(&unknown, &format!("assertion.{index}"))["status"],
            "unknown",
            "{index}"
        );
    }
    assert!(check(&unknown, "assertion.7").to_string().contains("read-only"));
    assert_eq!(check(&unknown, "evidence")["status"], "skip");
    assert_eq!(evidence(&ready.tool).len(), 1);

    // False: the drill is bad, and its set is a true copy all the same. NULL is no value at all.
    let bad = ready.drill(
        &assertions(&[(items, "> 5000"), ("SELECT NULL", "!= 1"), (items, "5000")]),
        &[],
        1,
    );
    for (id, status) in [
        ("assertion.1", "fail"),
        ("assertion.2", "fail"),
        ("assertion.3", "pass"),
    ] {
        assert_eq!(check(&bad, id)["status"], status, "{id}");
    }
    assert_eq!(evidence(&ready.tool).len(), 2);
    let found = listed(&ready.tool);
    assert_eq!(found["state"], "sealed");
    assert_eq!(found["evidence"]["last"]["result"], "bad");

    let slow = ready.drill("", &["--max-rto", "1ms", "--no-evidence"], 1);
    assert_eq!(check(&slow, "rto")["status"], "fail");
    assert_eq!(evidence(&ready.tool).len(), 2);

    // What cannot be asked is refused before anything is restored.
    std::fs::write(ready.tool.path("financehub.toml"), assertions(&[(items, ">=")])).unwrap();
    ready
        .tool
        .run(&["drill", "--server-url-env", "DRILL_URL"])
        .expect(2);
}

#[test]
fn the_scratch_database_is_the_only_one_that_is_touched() {
    let Some(mut ready) = Ready::new() else { return };
    let drill = |tool: &Tool, more: &[&str], code: i32| {
        let mut arguments = vec!["drill", "--server-url-env", "DRILL_URL"];
        arguments.extend(more);
        tool.run(&arguments).expect(code)
    };
    // What killed drills left goes after a day; names and comments of others stay.
    let old = "fh-backup drill begun 2020-01-01T00:00:00Z";
    for (name, comment) in [
        ("fh_drill_20200101t000000_1_2", old),
        ("fh_drill_20200101t000000_1_3", "mine"),
        ("fh_drill_Keep", old),
    ] {
        ready.scratch.create_database(name);
        ready.scratch.psql(
            "postgres",
            &format!("COMMENT ON DATABASE \"{name}\" IS '{comment}'"),
        );
    }
    let ran = drill(&ready.tool, &[], 0);
    assert!(
        ran.stdout.contains("fh_drill_20200101t000000_1_2"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        scratch_databases(&ready.scratch),
        "fh_drill_20200101t000000_1_3,fh_drill_Keep"
    );
    for name in ["fh_drill_20200101t000000_1_3", "fh_drill_Keep"] {
        ready.scratch.drop_database(name);
    }

    // One that is kept is the restored database, and the next drill leaves it alone.
    drill(&ready.tool, &["--keep"], 0);
    let kept = scratch_databases(&ready.scratch);
    assert_eq!(ready.scratch.psql(&kept, "SELECT count(*) FROM item"), "5000");
    drill(&ready.tool, &[], 0);
    assert_eq!(scratch_databases(&ready.scratch), kept);
    ready.scratch.drop_database(&kept);

    // The database that is backed up is no place for a drill.
    ready.tool.set("DRILL_URL", ready.source.url("shop"));
    let refused = drill(&ready.tool, &[], 4);
    assert!(refused.stderr.contains("is backed up"), "{}", refused.stderr);
    ready.tool.set("DRILL_URL", "");
    drill(&ready.tool, &[], 2);

    // A role that may make databases and nothing else: everything but amcheck.
    ready
        .scratch
        .psql("postgres", "CREATE ROLE driller LOGIN CREATEDB");
    ready
        .tool
        .set("DRILL_URL", ready.scratch.url_as("driller", "postgres"));
    let report = drill(&ready.tool, &["--format", "json"], 0).json();
    assert_eq!(check(&report, "rows")["status"], "pass");
    assert_eq!(check(&report, "amcheck")["status"], "skip");
    ready.scratch.psql("postgres", "ALTER ROLE driller NOCREATEDB");
    let refused = drill(&ready.tool, &[], 3);
    assert!(refused.stderr.contains("CREATEDB"), "{}", refused.stderr);
}

#[test]
fn a_damaged_set_is_bad_and_leaves_nothing() {
    let Some(ready) = Ready::new() else { return };
    let segments = tool::files(&ready.tool.path("repository/segments"));
    let (victim, whole) = segments.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    for bytes in [Some([&whole[..20], b"x", &whole[21..]].concat()), None] {
        match bytes {
            Some(bytes) => std::fs::write(victim, bytes).unwrap(),
            None => std::fs::remove_file(victim).unwrap(),
        }
        let before = evidence(&ready.tool).len();
        ready.drill("", &[], 1);
        let kept = evidence(&ready.tool);
        assert_eq!(kept.len(), before + 1);
        assert!(kept.last().unwrap().contains("\"result\":\"bad\""));
    }
    std::fs::write(victim, whole).unwrap();
    assert_eq!(listed(&ready.tool)["state"], "damaged");
    // A quick verification looks less deep than a drill, which must clear it.
    ready.tool.run(&["verify"]).expect(0);
    assert_eq!(listed(&ready.tool)["state"], "damaged");
    ready.drill("", &[], 0);
    assert_eq!(listed(&ready.tool)["state"], "sealed");

    let set = ready
        .tool
        .path("repository/sets")
        .join(format!("{}.set", ready.tool.newest()));
    let whole = std::fs::read(&set).unwrap();
    std::fs::write(&set, &whole[..whole.len() - 1]).unwrap();
    let report = ready.drill("", &[], 1);
    assert_eq!(check(&report, "set")["status"], "fail");
}

#[test]
fn a_server_that_dies_says_nothing_about_the_set() {
    let Some(mut ready) = Ready::new() else { return };
    ready.source.psql(
        "shop",
        "CREATE TABLE big AS SELECT n, repeat(md5(n::text), 6) AS filler FROM generate_series(1, 150000) n",
    );
    ready.tool.run(&["create"]).expect(0);
    let command = ready.tool.command(&["drill", "--server-url-env", "DRILL_URL"]);
    let child = std::thread::spawn(move || {
        let mut command = command;
        command.output().unwrap()
    });
    while scratch_databases(&ready.scratch).is_empty() {
        assert!(!child.is_finished(), "{:?}", child.join().unwrap());
        std::thread::sleep(Duration::from_millis(2));
    }
    ready.scratch.kill9();
    let ran = tool::ran(&child.join().unwrap()).expect(3);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert_eq!(evidence(&ready.tool), [""; 0]);
    assert_eq!(listed(&ready.tool)["state"], "sealed");
}

#[test]
fn programs_that_lie_prove_nothing() {
    let Some(mut ready) = Ready::new() else { return };
    let real = ready.source.bin_dir().to_owned();
    let major = ready.source.major();
    let bin = ready.tool.path("bin");
    let fake = |name: &str, script: &str| {
        let folder = bin.clone();
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        for program in ["pg_dump", "pg_restore", "initdb"] {
            let path = folder.join(program);
            if program == name {
                let version =
                    format!("if [ \"$1\" = --version ]; then echo '{name} (PostgreSQL) {major}.0'; exit; fi");
                std::fs::write(&path, format!("#!/bin/sh\n{version}\n{script}\n")).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            } else {
                std::os::unix::fs::symlink(real.join(program), &path).unwrap();
            }
        }
        folder.display().to_string()
    };
    let restore = real.join("pg_restore").display().to_string();
    let only_before = format!("case \"$*\" in *--use-list=*) exit 0;; esac\nexec '{restore}' \"$@\"");
    let cases = [
        // Does nothing and says that all is well.
        ("pg_restore", "exit 0", 3),
        // Makes the tables, and nothing of what it is given a list for: sequence values, and what comes after the rows.
        ("pg_restore", only_before.as_str(), 1),
        ("pg_dump", "exit 0", 3),
        ("pg_restore", "echo 'no' >&2; exit 1", 3),
    ];
    for (name, script, code) in cases {
        let folder = fake(name, script);
        ready.tool.set("FH_PG_BINDIR", folder);
        let ran = ready.tool.run(&["drill", "--server-url-env", "DRILL_URL"]);
        assert_eq!(ran.code, code, "{name} {script}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(scratch_databases(&ready.scratch), "", "{name} {script}");
    }
    assert!(
        evidence(&ready.tool)
            .iter()
            .all(|text| text.contains("\"result\":\"bad\""))
    );

    // No server beside initdb, and an initdb that fails.
    for (script, says) in [
        ("exit 0", "no server beside"),
        ("echo 'no room' >&2; exit 1", "no room"),
    ] {
        let folder = fake("initdb", script);
        if says == "no room" {
            std::os::unix::fs::symlink(real.join("postgres"), Path::new(&folder).join("postgres")).unwrap();
            // The server's user must reach the script.
            std::fs::set_permissions(ready.tool.folder.path(), std::fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        ready.tool.set("FH_PG_BINDIR", folder);
        let ran = ready.tool.run(&["drill", "--local"]).expect(3);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
}

//! Everything that can be wrong from outside: each ends with the right exit code and a text that helps, and leaves the
//! repository as it was.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fh_testkit::{Postgres, S3, require};
use tool::{Tool, files, small_server};

/// Runs, checks the exit code, and gives the error as it was printed.
fn error(tool: &Tool, arguments: &[&str], code: i32) -> String {
    let ran = tool.run(arguments).expect(code);
    assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
    tool.redact(ran.stderr.trim())
}

fn assert_parts(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

/// A server, a repository with one good set, and a check that the set stays good.
struct Ready {
    server: Postgres,
    tool: Tool,
    set: String,
}

impl Ready {
    fn new(encrypted: bool) -> Option<Self> {
        let server = small_server()?;
        let tool = Tool::new()
            .in_folder(encrypted)
            .with("DATABASE_URL", server.url("shop"));
        tool.run(&["create"]).expect(0);
        let set = tool.newest();
        Some(Self { server, tool, set })
    }

    /// File names without ending of the segments that only RESTORE.md needs.
    fn leaving(&self) -> Vec<String> {
        let shown = self.tool.run(&["show", "--format", "json"]).expect(0).json();
        let leaving = &shown["data"]["databases"][0]["leaving"];
        let stem = |what: &str| {
            let object = leaving[what]["object"].as_str().unwrap();
            Path::new(object)
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        vec![stem("script"), stem("toc")]
    }

    /// The repository lists and restores what it had, and nothing else.
    fn still_good(&mut self) {
        self.tool.set("DATABASE_URL", self.server.url("shop"));
        assert_eq!(self.tool.sets(), std::slice::from_ref(&self.set));
        self.server.create_database("again");
        self.tool
            .run(&["restore", "--into", "again", &self.set])
            .expect(0);
        assert_eq!(self.server.psql("again", "SELECT count(*) FROM item"), "5000");
        self.server.drop_database("again");
    }
}

#[test]
fn what_is_wrong_with_the_database() {
    let Some(mut ready) = Ready::new(false) else {
        return;
    };
    let protected = require!(Postgres::builder().tcp().scram("right-password").try_start());
    protected.create_database("shop");
    let good = protected.tcp_url("shop");

    ready.tool.set("DATABASE_URL", "mysql://app@db/shop");
    assert_parts(&error(&ready.tool, &["create"], 2), &["hint: "]);

    ready
        .tool
        .set("DATABASE_URL", good.replace("right-password", "wrong-password"));
    let text = error(&ready.tool, &["create"], 3);
    assert_parts(&text, &["error: ", "caused by: ", "hint: ", "password"]);
    assert!(!text.contains("wrong-password"), "{text}");

    ready.tool.set("DATABASE_URL", ready.server.url("nowhere"));
    assert_parts(
        &error(&ready.tool, &["create"], 3),
        &["nowhere", "does not exist", "hint: "],
    );

    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    ready
        .tool
        .set("DATABASE_URL", format!("postgres://app@127.0.0.1:{port}/shop"));
    assert_parts(
        &error(&ready.tool, &["create"], 3),
        &[&format!("127.0.0.1:{port}"), "refused", "hint: "],
    );

    ready.tool.set("DATABASE_URL", "");
    assert_eq!(
        error(&ready.tool, &["create"], 2),
        "error: no database is configured\nhint: set DATABASE_URL, or url in the [database] section of financehub.toml"
    );
    ready.still_good();
}

/// A `pg_dump` that does what the script says, in a folder of its own with a real `pg_restore` beside.
fn with_pg_dump(ready: &Ready, script: &str) -> std::path::PathBuf {
    let folder = ready.tool.path("bin");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("pg_dump");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn a_pg_dump_that_is_missing_too_old_or_lies() {
    let Some(mut ready) = Ready::new(false) else {
        return;
    };
    let real = ready.server.bin_dir().join("pg_dump").display().to_string();
    let major = ready.server.major();
    let version = format!("if [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) {major}.0'; exit; fi");

    ready
        .tool
        .set("FH_PG_BINDIR", ready.tool.path("empty").display().to_string());
    assert_parts(
        &error(&ready.tool, &["create"], 3),
        &["pg_dump", "hint: ", &format!("postgresql-client-{major}")],
    );

    for (script, says) in [
        ("echo 'pg_dump (PostgreSQL) 9.6.24'".to_owned(), "9.6.24"),
        ("echo hello".to_owned(), "hint: "),
        (format!("{version}; exit 0"), "gave no table of contents"),
        (format!("{version}; echo '-- SQL'"), "gave no table of contents"),
        (format!("{version}; echo 'no access' >&2; exit 1"), "no access"),
        (
            format!("{version}; '{real}' \"$@\" | head -c 500"),
            "gave no table of contents",
        ),
        // The definitions of another database: whole, and not those of this snapshot.
        (
            format!("{version}; '{real}' -Fc --schema-only \"$@\""),
            "left out the data of",
        ),
    ] {
        let folder = with_pg_dump(&ready, &script);
        ready.tool.set("FH_PG_BINDIR", folder.display().to_string());
        assert_parts(&error(&ready.tool, &["create"], 3), &[says]);
    }
    ready
        .tool
        .set("FH_PG_BINDIR", ready.server.bin_dir().display().to_string());
    ready.still_good();
}

#[test]
fn a_pg_dump_that_hangs_is_ended_by_the_deadline() {
    let Some(mut ready) = Ready::new(false) else {
        return;
    };
    let version = format!(
        "if [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) {}.0'; exit; fi",
        ready.server.major()
    );
    let folder = with_pg_dump(&ready, &format!("{version}; exec sleep 600"));
    ready.tool.set("FH_PG_BINDIR", folder.display().to_string());
    let text = error(&ready.tool, &["create", "--deadline", "2s"], 3);
    assert_parts(&text, &["the deadline passed after 2", "--deadline"]);
    ready
        .tool
        .set("FH_PG_BINDIR", ready.server.bin_dir().display().to_string());
    ready.still_good();
}

#[test]
fn what_is_wrong_with_the_repository() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new().with("DATABASE_URL", server.url("shop"));
    let nowhere = tool.path("nowhere").display().to_string();
    assert_eq!(
        error(&tool, &["create", "--repository", &nowhere], 3),
        "error: there is no backup repository in [folder]/nowhere\n\
         hint: check the place, or make one there with `fh-backup init`"
    );
    assert_parts(
        &error(&tool, &["list"], 2),
        &["no repository is configured", "--repository"],
    );
    std::fs::write(tool.path("file"), "x").unwrap();
    let file = tool.path("file/below").display().to_string();
    assert_parts(
        &error(&tool, &["init", "--repository", &file], 3),
        &["error: cannot ", "hint: "],
    );
    // Nothing can be made in /proc, by root or anybody.
    assert_parts(
        &error(&tool, &["init", "--repository", "/proc/backups"], 3),
        &["/proc/backups", "caused by: "],
    );
    assert_parts(
        &error(
            &tool,
            &[
                "init",
                "--repository",
                &nowhere,
                "--recipient",
                "age1nonsense",
                "--key-file",
                "new.key",
            ],
            2,
        ),
        &["age1nonsense", "hint: "],
    );
}

#[test]
fn a_full_disk_leaves_no_set_and_the_earlier_one_good() {
    let Some(mut ready) = Ready::new(false) else {
        return;
    };
    ready.server.psql(
        "shop",
        "CREATE TABLE more AS SELECT n, md5(n::text) FROM generate_series(1, 60000) n",
    );
    // A limit on the size of files stands for the disk: the write fails in the same place, for every user.
    let mut command = std::process::Command::new("sh");
    command.args([
        "-c",
        "trap '' XFSZ; ulimit -f 512; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_fh-backup"),
        "create",
    ]);
    let ran = tool::ran(&ready.tool.dressed(command).output().unwrap()).expect(3);
    assert_parts(&ran.stderr, &["error: cannot write", "caused by: File too large"]);
    assert!(
        !files(&ready.tool.path("repository"))
            .keys()
            .any(|path| path.to_string_lossy().contains(".tmp-"))
    );
    ready.still_good();
}

#[test]
fn what_is_wrong_with_the_bucket() {
    let Some(server) = small_server() else { return };
    let s3 = S3::start();
    let mut tool = Tool::new()
        .in_s3(&s3, false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    let sets = tool.sets();

    let elsewhere = Tool::new()
        .with("AWS_ACCESS_KEY_ID", s3.access_key())
        .with("AWS_SECRET_ACCESS_KEY", s3.secret_key())
        .with("AWS_REGION", "eu-central-1")
        .with("AWS_ENDPOINT_URL", s3.endpoint())
        .with("DATABASE_URL", server.url("shop"));
    assert_parts(
        &error(&elsewhere, &["init", "--repository", "s3://missing/x"], 3),
        &[
            "s3://missing/x",
            "NoSuchBucket",
            "hint: make the bucket missing first",
        ],
    );

    tool.set("AWS_SECRET_ACCESS_KEY", "not-the-secret-of-this-key");
    let text = error(&tool, &["create"], 3);
    assert_parts(&text, &["s3://backups/shop/main", "caused by: ", "hint: "]);
    assert!(!text.contains("not-the-secret"), "{text}");

    tool.set("AWS_SECRET_ACCESS_KEY", "");
    tool.set("AWS_ACCESS_KEY_ID", "");
    assert_parts(&error(&tool, &["list"], 3), &["hint: give AWS_ACCESS_KEY_ID"]);

    tool.set("AWS_ACCESS_KEY_ID", s3.access_key());
    tool.set("AWS_SECRET_ACCESS_KEY", s3.secret_key());
    assert_eq!(tool.sets(), sets);
    server.create_database("again");
    tool.run(&["restore", "--into", "again"]).expect(0);
}

#[test]
fn wrong_and_missing_keys() {
    let Some(mut ready) = Ready::new(true) else { return };
    let (key, identity) = (ready.tool.path("repository.key"), ready.tool.path("identity.txt"));
    let (right_key, right_identity) = (std::fs::read(&key).unwrap(), std::fs::read(&identity).unwrap());

    let other = Tool::new().in_folder(true);
    std::fs::copy(other.path("repository.key"), &key).unwrap();
    assert_parts(
        &error(&ready.tool, &["create"], 2),
        &["belongs to another repository", "hint: "],
    );
    std::fs::write(&key, "nonsense").unwrap();
    assert_parts(
        &error(&ready.tool, &["create"], 2),
        &["not in the form that `fh-backup init` writes"],
    );
    std::fs::remove_file(&key).unwrap();
    assert_parts(&error(&ready.tool, &["create"], 2), &["repository.key"]);
    std::fs::write(&key, right_key).unwrap();

    std::fs::copy(other.path("identity.txt"), &identity).unwrap();
    assert_parts(
        &error(&ready.tool, &["verify", "--full"], 2),
        &["is not encrypted to this identity", "hint: "],
    );
    std::fs::write(&identity, right_identity).unwrap();
    ready.still_good();
}

/// Changes a file of the repository and checks that verification and restore name it with exit code 1.
fn damaged(ready: &Ready, unneeded: &[String], path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let whole = std::fs::read(path).unwrap();
    let mut changed = whole.clone();
    change(&mut changed);
    std::fs::write(path, changed).unwrap();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    for verify in [&["verify"][..], &["verify", "--full"]] {
        let ran = ready.tool.run(verify).expect(1);
        assert!(
            ran.stdout.contains(&name),
            "{name} is not named in:\n{}",
            ran.stdout
        );
    }
    // The page for people and what it leads to are not needed by a restore of ours.
    if !name.ends_with("RESTORE") && !unneeded.contains(&name) {
        ready.server.create_database("damaged");
        ready.tool.run(&["restore", "--into", "damaged"]).expect(1);
        ready.server.drop_database("damaged");
    }
    std::fs::write(path, whole).unwrap();
}

#[test]
fn truncated_and_flipped_objects() {
    for encrypted in [false, true] {
        let Some(mut ready) = Ready::new(encrypted) else {
            return;
        };
        let repository = ready.tool.path("repository");
        let unneeded = ready.leaving();
        for path in files(&repository)
            .keys()
            .filter(|path| !path.ends_with("fh-backup.json"))
        {
            damaged(&ready, &unneeded, path, |bytes| bytes.truncate(bytes.len() / 2));
            damaged(&ready, &unneeded, path, |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
            });
        }
        // What was found damaged counts as damaged until something as deep has found it whole.
        ready.tool.run(&["list"]).expect(1);
        ready.tool.run(&["verify", "--full"]).expect(0);
        ready.still_good();
    }
}

#[test]
fn a_target_that_is_not_empty_is_refused_and_left_alone() {
    let Some(ready) = Ready::new(false) else { return };
    let text = error(&ready.tool, &["restore"], 4);
    assert_parts(
        &text,
        &[
            "error: the target database is not empty",
            "hint: make an empty database",
        ],
    );
    assert_eq!(ready.server.psql("shop", "SELECT count(*) FROM item"), "5000");
    let unset = error(&ready.tool, &["restore", "--target-url-env", "NOT_SET"], 2);
    assert_parts(&unset, &["NOT_SET", "hint: "]);
}

#[test]
fn wrong_configuration_and_command_lines() {
    let tool = Tool::new();
    std::fs::write(tool.path("financehub.toml"), "[backup]\nrecipient = [\"age1\"]\n").unwrap();
    let text = error(&tool, &["list"], 2);
    assert_parts(
        &text,
        &["unknown key `recipient`", "financehub.toml:2:1", "recipients"],
    );
    assert_eq!(
        tool.run(&["--config", "missing.toml", "list"]).expect(2).stdout,
        ""
    );
    tool.run(&["crate"]).expect(2);
    tool.run(&["create", "--jobs", "0"]).expect(2);
    tool.run(&["show", "--nonsense"]).expect(2);
}

#[test]
fn two_repositories_at_once_are_a_question() {
    let tool = Tool::new()
        .with("BACKUP_DIR", "/var/backups")
        .with("S3_BUCKET", "backups")
        .with("AWS_REGION", "eu-central-1");
    assert_parts(
        &error(&tool, &["list"], 2),
        &["two repositories are configured", "--repository"],
    );
}

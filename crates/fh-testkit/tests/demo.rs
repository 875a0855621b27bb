//! The demonstration believes nobody: it succeeds with a tool that restores, and fails with tools that only say so.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use fh_testkit::finance;
use fh_testkit::{Postgres, require};

/// A tool with fh-backup's command line, made of stock programs. `$AFTER` is what it does to the restored database.
const STAND_IN: &str = r##"#!/bin/sh
set -eu
verb=$1
while [ $# -gt 0 ]; do
  case $1 in
    --repository) repository=$2; shift ;;
    --to) to=$2; shift ;;
    --key-file) shift ;;
    --recipient) [ "$2" = age1standin ]; shift ;;
    --identity) grep -q AGE-SECRET-KEY "$2"; shift ;;
    --target-url-env) [ "$2" = RESTORE_URL ]; shift ;;
    --full | latest | key | generate | init | create | verify | restore) ;;
    *) echo "what is $1?" >&2; exit 2 ;;
  esac
  shift
done
case $verb in
  key) printf '# public key: age1standin\nAGE-SECRET-KEY-1\n' >"$to" ;;
  init) mkdir "$repository" ;;
  create) pg_dump -Fc -f "$repository/dump" "$DATABASE_URL" ;;
  verify) pg_restore --list "$repository/dump" >/dev/null ;;
  restore)
    pg_restore --exit-on-error -d "$RESTORE_URL" "$repository/dump"
    psql -Xq -v ON_ERROR_STOP=1 -d "$RESTORE_URL" -c "AFTER"
    ;;
esac
"##;

fn demo(script: &str, arguments: &[&str]) -> (Output, String) {
    let dir = tempfile::tempdir().unwrap();
    let tool = dir.path().join("tool");
    std::fs::write(&tool, script).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fh-demo"))
        .arg("--fh-backup")
        .arg(&tool)
        .args(["--rows", "3000"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

#[test]
fn equality_is_proven_when_it_is_there() {
    drop(require!(Postgres::try_start()));
    let (output, text) = demo(&STAND_IN.replace("AFTER", "select"), &[]);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("proven equal") && text.contains("3000 rows in 19 tables"),
        "{text}"
    );
    // It cleans up after itself.
    let server = text
        .split(" in ")
        .find_map(|rest| rest.split_whitespace().next().filter(|it| it.contains("fh-pg-")));
    assert!(!Path::new(server.unwrap()).exists());
}

#[test]
fn what_is_kept_is_named() {
    drop(require!(Postgres::try_start()));
    let (output, text) = demo(&STAND_IN.replace("AFTER", "select"), &["--keep"]);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let kept: Vec<_> = text.lines().filter(|line| line.starts_with("kept: ")).collect();
    assert_eq!(kept.len(), 2, "{text}");
    for line in kept {
        let dir = Path::new(line.rsplit(' ').next().unwrap());
        assert!(
            dir.join("data/PG_VERSION").is_file() || dir.join("repository/dump").is_file(),
            "{line}"
        );
        std::fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn one_changed_value_is_seen() {
    drop(require!(Postgres::try_start()));
    let change = "update ohlcv set volume = volume + 1 where ctid = '(0,1)'";
    let (output, text) = demo(&STAND_IN.replace("AFTER", change), &[]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("NOT PROVEN") && text.contains("table public.ohlcv was"),
        "{text}"
    );
    assert_eq!(text.matches(" was ").count(), 1, "{text}");
}

#[test]
fn a_changed_definition_is_seen() {
    drop(require!(Postgres::try_start()));
    let (output, text) = demo(&STAND_IN.replace("AFTER", "drop index events_of_user"), &[]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("the schema differs"), "{text}");
}

#[test]
fn a_tool_that_only_says_success_does_not_convince() {
    drop(require!(Postgres::try_start()));
    let idle = STAND_IN
        .replace("pg_restore --exit-on-error", "true")
        .replace("AFTER", "select");
    let (output, text) = demo(&idle, &[]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("table public.ohlcv is missing"), "{text}");
    let (output, text) = demo("#!/bin/sh\nexit 0\n", &[]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let (output, text) = demo("#!/bin/sh\necho no luck >&2\nexit 3\n", &[]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("no luck"), "{text}");
}

#[test]
fn finance_data_is_the_same_every_time_and_of_the_size_asked_for() {
    let pg = require!(Postgres::try_start());
    for name in ["one", "two"] {
        pg.create_database(name);
        finance::load(&pg, name, 2000);
    }
    let (one, two) = (pg.table_contents("one"), pg.table_contents("two"));
    assert!(one == two);
    assert_eq!(pg.fingerprint("one").unwrap(), pg.fingerprint("two").unwrap());
    let rows = |(name, text): (&String, &String)| match name.starts_with("table ") {
        true => text.split(' ').next().unwrap().parse::<u64>().unwrap(),
        false => 0,
    };
    assert_eq!(one.iter().map(rows).sum::<u64>(), 2000);
    pg.psql("two", "update documents set body = '{}' where id = 7");
    assert_ne!(pg.fingerprint("one").unwrap(), pg.fingerprint("two").unwrap());
}

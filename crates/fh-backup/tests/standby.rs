//! Backups from a hot standby: the same as from the primary, or a clear failure when the standby has to replay.

mod tool;

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use fh_testkit::Postgres;
use tool::{Tool, ran, small_server};

#[test]
fn a_standby_is_backed_up_and_restored_elsewhere() {
    let Some(primary) = small_server() else { return };
    primary.psql(
        "shop",
        "CREATE UNLOGGED TABLE cache AS SELECT 1 AS x; SELECT lo_from_bytea(4711, '\\x6162')",
    );
    let standby = primary.standby(&[]);
    standby.wait_for(&primary);
    assert_eq!(standby.psql("shop", "SELECT pg_is_in_recovery()"), "t");
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", standby.url("shop"));
    tool.run(&["create"]).expect(0);
    tool.run(&["verify", "--full"]).expect(0);
    primary.create_database("copy");
    let tool = tool.with("DATABASE_URL", primary.url("copy"));
    tool.run(&["restore"]).expect(0);
    assert_eq!(primary.psql("copy", "SELECT count(*) FROM item"), "5000");
    assert_eq!(primary.psql("copy", "SELECT last_value FROM counter"), "41");
    assert_eq!(
        primary.psql("copy", "SELECT convert_from(lo_get(4711), 'UTF8')"),
        "ab"
    );
    // A standby has the table and, by its nature, no rows of it.
    assert_eq!(primary.psql("copy", "SELECT count(*) FROM cache"), "0");
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The snapshot is taken, then the primary removes rows it still sees, and the standby may not wait.
fn conflict(primary: &Postgres) {
    primary.psql("shop", "DELETE FROM item WHERE id % 2 = 0");
    primary.psql("shop", "VACUUM item");
}

#[test]
fn a_conflict_with_recovery_ends_the_backup_and_says_what_to_set() {
    let Some(primary) = small_server() else { return };
    let standby = primary.standby(&[
        ("max_standby_streaming_delay", "0"),
        ("hot_standby_feedback", "off"),
    ]);
    standby.wait_for(&primary);
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", standby.url("shop"));

    // This pg_dump is begun when the snapshot is there and all tables are locked, and goes on when it is told to.
    let (folder, begun, go) = (tool.path("bin"), tool.path("begun"), tool.path("go"));
    std::fs::create_dir(&folder).unwrap();
    let real = primary.bin_dir().join("pg_dump");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec '{real}' --version\n: > '{}'\n\
         while [ ! -e '{}' ]; do sleep 0.05; done\nexec '{real}' \"$@\"\n",
        begun.display(),
        go.display(),
        real = real.display(),
    );
    std::fs::write(folder.join("pg_dump"), script).unwrap();
    std::fs::set_permissions(folder.join("pg_dump"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let tool = tool.with("FH_PG_BINDIR", folder.display().to_string());

    let mut command = tool.command(&["create"]);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let running = command.spawn().unwrap();
    wait_until("pg_dump", || begun.exists());
    conflict(&primary);
    wait_until("the conflict", || {
        standby.log().contains("conflict with recovery")
    });
    std::fs::write(&go, "").unwrap();
    let failed = ran(&running.wait_with_output().unwrap()).expect(3);
    for part in [
        "conflict with recovery",
        "hot_standby_feedback",
        "max_standby_streaming_delay",
    ] {
        assert!(
            failed.stderr.contains(part),
            "{part} is missing in:\n{}",
            failed.stderr
        );
    }
    assert_eq!(tool.sets().len(), 0);
}

//! Whether it is noticed that there is no fresh, proven backup.

mod library;
mod tool;

use fh_backup::evidence::Kind;
use tool::{Tool, small_server};

#[test]
fn stale_and_unproven_backups_are_noticed() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    let repository = tool.path("repository");
    let status = |arguments: &[&str], code| tool.run(&[&["status"], arguments].concat()).expect(code);
    let text = status(&[], 1).stdout;
    assert!(
        text.contains("there is no good set of this project and environment"),
        "{text}"
    );

    tool.run(&["create"]).expect(0);
    let set = tool.newest();
    let text = status(&[], 0).stdout;
    assert!(
        text.contains("no set of shop of project was ever verified"),
        "{text}"
    );
    let text = status(&["--max-age", "1ms"], 1).stdout;
    assert!(text.contains(&set) && text.contains("1ms is allowed"), "{text}");
    status(&["--max-verify-age", "2d"], 1);
    status(&["--max-drill-age", "8d"], 1);
    status(&["--database", "other"], 1);
    status(&["--database", "shop"], 0);
    // Another environment has no backup.
    std::fs::write(tool.path("financehub.toml"), "[env.staging]\n").unwrap();
    status(&["--env", "staging"], 1);

    library::evidence(&repository, &set, Kind::Drill, true);
    status(&["--max-verify-age", "2d", "--max-drill-age", "8d"], 0);
    status(&["--max-drill-age", "1ms"], 1);

    let metrics = status(&["--format", "prometheus"], 0).stdout;
    for name in [
        "fh_backup_last_success_timestamp_seconds{command=\"status\",check=\"age.shop\"} 1",
        "fh_backup_age_seconds{command=\"status\",check=\"age.shop\"} ",
        "fh_backup_last_verified_timestamp_seconds{command=\"status\",check=\"verified.shop\"} 1",
        "fh_backup_last_drilled_timestamp_seconds{command=\"status\",check=\"drilled.shop\"} 1",
        "fh_backup_rows{command=\"status\",check=\"age.shop\"} 5000",
        "fh_backup_plain_bytes{",
        "fh_backup_stored_bytes{",
        "fh_backup_damaged_sets{command=\"status\",check=\"damaged\"} 0",
    ] {
        assert!(metrics.contains(name), "{name:?} is missing in:\n{metrics}");
    }
    let nagios = status(&["--format", "nagios", "--max-age", "1ms"], 2).stdout;
    assert!(nagios.starts_with("FH-BACKUP STATUS CRITICAL - "), "{nagios}");

    // What a drill found damaged is no backup.
    library::evidence(&repository, &set, Kind::Drill, false);
    let text = status(&[], 1).stdout;
    assert!(text.contains("there is no good set"), "{text}");
    assert!(
        text.contains("found damaged by a verification or drill"),
        "{text}"
    );

    // A set that went without a record is missed.
    let made = tool.run(&["create", "--format", "json"]).expect(0).json();
    let newest = made["data"]["set"].as_str().unwrap();
    status(&[], 1);
    std::fs::remove_file(repository.join(format!("sets/{newest}.set"))).unwrap();
    let metrics = status(&["--format", "prometheus"], 1).stdout;
    let missed = "fh_backup_check_status{command=\"status\",check=\"rollback\"} 2";
    assert!(metrics.contains(missed), "{metrics}");

    std::fs::remove_dir_all(&repository).unwrap();
    status(&[], 3);
}

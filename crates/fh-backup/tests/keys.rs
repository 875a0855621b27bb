//! Keys: which fit, what a rotation changes, and what it cannot change.

mod tool;

use tool::{Tool, small_server};

#[test]
fn a_rotation_is_for_later_sets_and_older_ones_keep_their_keys() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    let first = tool.newest();
    let report = tool.run(&["key", "check"]).expect(0);
    assert!(report.stdout.contains("only one"), "{}", report.stdout);
    assert!(report.stdout.contains("1 of 1 sets"), "{}", report.stdout);

    let pair = |name: &str| {
        let made = tool
            .run(&["--format", "json", "key", "generate", "--to", name])
            .expect(0);
        made.json()["data"]["recipient"].as_str().map(str::to_owned)
    };
    let (Some(new), Some(offline)) = (pair("new.txt"), pair("offline.txt")) else {
        panic!("no recipient was printed");
    };
    let old = tool.run(&["--format", "json", "key", "check"]).expect(0).json()["data"]["recipients"][0]
        .as_str()
        .map(str::to_owned)
        .unwrap_or_default();
    tool.run(&["key", "rotate"]).expect(2);
    tool.run(&["key", "rotate", "--remove", &new]).expect(2);
    let refused = tool.run(&["key", "rotate", "--remove", &old]).expect(4);
    assert!(
        refused.stderr.contains("no recipient would be left"),
        "{}",
        refused.stderr
    );
    let rotated = tool
        .run(&[
            "key", "rotate", "--add", &new, "--add", &offline, "--remove", &old,
        ])
        .expect(0);
    assert!(
        rotated.stdout.contains("still opens every set from before"),
        "{}",
        rotated.stdout
    );

    tool.run(&["create"]).expect(0);
    let second = tool.newest();
    // Later calls are given another identity than the one of the fixture: the last one counts.
    let with = |identity: &'static str, set: &str, database: &str, code: i32| {
        server.create_database(database);
        let ran = tool
            .run_with_identity(identity, &["restore", "--into", database, set])
            .expect(code);
        if code == 0 {
            assert_eq!(server.psql(database, "SELECT count(*) FROM item"), "5000");
        }
        ran.stderr
    };
    with("identity.txt", &first, "old_by_old", 0);
    with("new.txt", &second, "new_by_new", 0);
    with("offline.txt", &second, "new_by_offline", 0);
    let error = with("new.txt", &first, "old_by_new", 2);
    assert!(
        error.contains("is not encrypted to this identity") && error.contains(&old),
        "{error}"
    );
    let error = with("identity.txt", &second, "new_by_old", 2);
    assert!(
        error.contains("is not encrypted to this identity") && error.contains(&new),
        "{error}"
    );

    let of_old = tool.run(&["key", "check"]).expect(0);
    assert!(
        of_old.stdout.contains("later sets are not for it"),
        "{}",
        of_old.stdout
    );
    let of_new = tool.run_with_identity("new.txt", &["key", "check"]).expect(0);
    assert!(of_new.stdout.contains("1 of 2 sets"), "{}", of_new.stdout);
    let unfit = tool.run_with_identity("nobody.txt", &["key", "check"]).expect(2);
    assert!(unfit.stderr.contains("nobody.txt"), "{}", unfit.stderr);
}

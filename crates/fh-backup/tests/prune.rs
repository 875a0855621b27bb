//! Removing what is not kept: never what is needed, never in silence, and whatever happens meanwhile.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod library;
mod tool;

use std::path::Path;
use std::time::{Duration, SystemTime};

use fh_backup::evidence::Kind;
use fh_testkit::Postgres;
use fh_testkit::kill::{When, kill9};
use tool::{Ran, Tool, ran, small_server};

const KEEP: &str = "--keep-last=1";

/// A server and a repository with so many sets, each with something new in it.
fn with_sets(count: usize) -> Option<(Postgres, Tool, Vec<String>)> {
    let server = small_server()?;
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    for _ in 0..count {
        server.psql("shop", "UPDATE item SET name = name || '.'");
        tool.run(&["create"]).expect(0);
    }
    let sets = tool.sets();
    assert_eq!(sets.len(), count);
    Some((server, tool, sets))
}

fn prove(tool: &Tool, sets: &[String]) {
    for set in sets {
        library::evidence(&tool.path("repository"), set, Kind::VerifyFull, true);
    }
}

fn has(ran: &Ran, parts: &[&str]) {
    let text = format!("{}{}", ran.stdout, ran.stderr);
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

/// Makes everything look as if it had been written two days ago.
fn age(folder: &Path) {
    for path in tool::files(folder).into_keys() {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(48))
            .unwrap();
    }
}

#[test]
fn only_proven_sets_let_others_go_and_never_the_last_ones() {
    let Some((_server, tool, sets)) = with_sets(5) else {
        return;
    };
    let repository = tool.path("repository");
    has(
        &tool.run(&["prune"]).expect(2),
        &["there is no rule that says which sets to keep"],
    );
    has(&tool.run(&["prune", KEEP, "--min", "0"]).expect(2), &[]);
    has(
        &tool.run(&["prune", KEEP]).expect(0),
        &["5 kept, 0 to go", "no set is proven yet: nothing goes"],
    );
    prove(&tool, &sets[..3]);
    // Two newer ones that nobody verified do not push the proven ones out; the floor is two.
    let ran = tool.run(&["prune", KEEP, "--dry-run"]).expect(0);
    has(
        &ran,
        &[
            "4 kept, 1 would go",
            "not proven, and newer than the newest proven set",
            "last 1/1",
            "floor 2/2",
            "no rule keeps it",
        ],
    );
    assert_eq!(tool.sets(), sets);

    // A damaged set neither counts nor goes.
    library::evidence(&repository, &sets[2], Kind::VerifyQuick, false);
    has(
        &tool.run(&["prune", KEEP]).expect(0),
        &["5 kept, 0 to go", "found damaged"],
    );
    library::evidence(&repository, &sets[2], Kind::VerifyFull, true);

    has(&tool.run(&["prune", KEEP]).expect(0), &["1 set(s) are gone"]);
    assert_eq!(tool.sets(), sets[1..]);
    assert!(
        !repository
            .join("evidence")
            .join(&sets[0])
            .read_dir()
            .is_ok_and(|mut files| files.next().is_some())
    );
    let records = tool::files(&repository.join("removals"));
    assert_eq!(records.len(), 1);
    assert!(String::from_utf8_lossy(records.values().next().unwrap()).contains(&sets[0]));

    // Another run with other rules is at work: together they might leave nothing.
    let record = library::removal(&repository, &sets[2]);
    let ran = tool.run(&["prune", KEEP, "--min", "1"]).expect(4);
    has(&ran, &["on elsewhere is removing set", &sets[2]]);
    assert_eq!(tool.sets(), sets[1..]);
    assert_eq!(tool::files(&repository.join("removals")).len(), 2);
    std::fs::remove_file(record).unwrap();

    // An unreadable set is told, kept, and goes only when that is asked for.
    std::fs::write(repository.join(format!("sets/{}.set", sets[3])), "nonsense").unwrap();
    let ran = tool.run(&["prune", KEEP]).expect(1);
    has(
        &ran,
        &[
            "cannot be read and do not count: 1 kept",
            "nobody knows which segments",
        ],
    );
    has(&tool.run(&["status"]).expect(1), &["1 set(s) are damaged"]);
    tool.run(&["prune", KEEP, "--damaged"]).expect(0);
    assert_eq!(tool.sets(), [&sets[1..3], &sets[4..]].concat());
    for set in tool.sets() {
        tool.run(&["verify", "--full", &set]).expect(0);
    }
}

#[test]
fn more_than_half_goes_only_with_the_number_and_a_protected_environment_only_with_its_name() {
    let Some((_server, tool, sets)) = with_sets(4) else {
        return;
    };
    prove(&tool, &sets);
    let keep = ["prune", KEEP, "--min", "1"];
    let with = |more: &[&str]| tool.run(&[&keep[..], more].concat());
    has(
        &with(&[]).expect(4),
        &[
            "3 of the 4 sets of shop of project would go, which is more than half",
            "--yes-delete 3",
        ],
    );
    has(
        &with(&["--yes-delete", "2"]).expect(4),
        &["--yes-delete says 2, but 3 set(s) would go"],
    );
    assert_eq!(tool.sets(), sets);

    // The sets of another environment are none of this one's.
    std::fs::write(
        tool.path("financehub.toml"),
        "[env.production]\nprotected = true\n",
    )
    .unwrap();
    has(
        &with(&["--env", "production"]).expect(0),
        &[
            "there is no set of this project and environment",
            "4 set(s) of other projects",
        ],
    );
    assert_eq!(tool.sets(), sets);
    std::fs::write(tool.path("financehub.toml"), "protected = true\n").unwrap();
    has(&with(&["--yes-delete", "3"]).expect(4), &["is protected"]);
    assert_eq!(tool.sets(), sets);
    with(&["--yes-delete", "3", "--confirm", "project"]).expect(0);
    assert_eq!(tool.sets(), sets[3..]);
    tool.run(&["verify", "--full", "latest"]).expect(0);
}

#[test]
fn what_no_set_needs_goes_later_and_what_one_needs_stays() {
    let Some((server, tool, sets)) = with_sets(3) else {
        return;
    };
    let repository = tool.path("repository");
    prove(&tool, &sets);
    let segments = || tool::files(&repository.join("segments")).len();
    let before = segments();
    tool.run(&["prune", KEEP, "--min", "1", "--yes-delete", "2"])
        .expect(0);
    assert_eq!(segments(), before, "too young");
    std::fs::write(tool.path("financehub.toml"), "backup.gc_grace = '10m'\n").unwrap();
    has(&tool.run(&["prune", "--gc-only"]).expect(2), &["at least 1h"]);
    std::fs::remove_file(tool.path("financehub.toml")).unwrap();

    age(&repository.join("segments"));
    has(
        &tool.run(&["prune", "--gc-only", "--dry-run"]).expect(0),
        &["would be listed to go later"],
    );
    assert!(!repository.join("gc").exists());
    has(
        &tool.run(&["prune", "--gc-only"]).expect(0),
        &["listed to go later"],
    );
    has(&tool.run(&["prune", "--gc-only"]).expect(0), &["waiting"]);
    assert_eq!(segments(), before);

    // A backup beside the list reuses nothing that is on it, and is whole after it was carried out.
    tool.run(&["create"]).expect(0);
    let collected = library::collect(&repository, 25);
    assert!(
        collected.removed > 0 && collected.doubtful.is_empty(),
        "{collected:?}"
    );
    assert!(segments() < before);
    for set in tool.sets() {
        tool.run(&["verify", "--full", &set]).expect(0);
    }
    server.create_database("again");
    tool.run(&["restore", "--into", "again"]).expect(0);
    assert_eq!(server.psql("again", "SELECT count(*) FROM item"), "5000");
}

#[test]
fn a_killed_prune_loses_nothing_and_the_next_one_finishes() {
    let Some((_server, tool, sets)) = with_sets(5) else {
        return;
    };
    prove(&tool, &sets);
    let (repository, saved) = (tool.path("repository"), tool.path("saved"));
    library::copy(&repository, &saved);
    let arguments = ["prune", KEEP, "--min", "1", "--yes-delete", "4"];
    let mut killed = 0;
    // Before anything, after the record, and after each of the four sets.
    for left in (1..=6).rev() {
        std::fs::remove_dir_all(&repository).unwrap();
        library::copy(&saved, &repository);
        let mut come = || {
            let count = |folder: &str| tool::files(&repository.join(folder)).len();
            if left == 6 {
                true
            } else {
                repository.join("removals").exists() && count("sets") <= left
            }
        };
        let outcome = kill9(tool.command(&arguments), When::Condition(&mut come)).unwrap();
        killed += usize::from(outcome.killed);
        let there = tool.sets();
        assert!(there.contains(&sets[4]), "{there:?}");
        for set in &there {
            tool.run(&["verify", set]).expect(0);
        }
        let going = (there.len() - 1).to_string();
        tool.run(&["prune", KEEP, "--min", "1", "--yes-delete", &going])
            .expect(0);
        assert_eq!(tool.sets(), sets[4..]);
        let beside = tool::files(&repository.join("evidence"));
        assert!(
            beside
                .keys()
                .all(|path| path.to_string_lossy().contains(&sets[4])),
            "{beside:?}"
        );
    }
    assert!(killed >= 3, "only {killed} of 6 runs were killed in time");
    tool.run(&["verify", "--full", "latest"]).expect(0);
}

#[test]
fn two_backups_and_a_prune_at_once() {
    let Some((server, tool, sets)) = with_sets(3) else {
        return;
    };
    prove(&tool, &sets);
    age(&tool.path("repository/segments"));
    server.psql("shop", "UPDATE item SET name = name || '!' WHERE id % 2 = 0");
    let mut children = Vec::new();
    for arguments in [
        &["create"][..],
        &["prune", KEEP, "--min", "1", "--yes-delete", "2"],
        &["create"],
    ] {
        let mut command = tool.command(arguments);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        children.push(command.spawn().unwrap());
    }
    for child in children {
        ran(&child.wait_with_output().unwrap()).expect(0);
    }
    let there = tool.sets();
    assert_eq!(there.len(), 3, "{there:?}");
    assert_eq!(there[0], sets[2]);
    // Whatever was listed meanwhile and is needed now is spared.
    library::collect(&tool.path("repository"), 25);
    for set in there {
        tool.run(&["verify", "--full", &set]).expect(0);
    }
}

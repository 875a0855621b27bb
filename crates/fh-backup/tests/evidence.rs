//! What verifications leave behind, who is believed, and what is missed when it is gone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use std::path::PathBuf;

use fh_repository::{Access, Location, Repository, S3Options, open_store};
use serde_json::{Value, json};
use tool::{Tool, check, small_server};

/// Two sets that share the segment of one table.
fn two_sets(encrypted: bool) -> Option<(fh_testkit::Postgres, Tool, [String; 2])> {
    let server = small_server()?;
    let tool = Tool::new()
        .in_folder(encrypted)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql("shop", "INSERT INTO empty VALUES (1)");
    tool.run(&["create"]).expect(0);
    let sets = tool.sets();
    let sets = [sets[0].clone(), sets[1].clone()];
    Some((server, tool, sets))
}

/// What `list` says about each set.
fn listed(tool: &Tool, code: i32) -> Vec<Value> {
    let list = tool.run(&["list", "--format", "json"]).expect(code).json();
    list["data"]["sets"].as_array().unwrap().clone()
}

fn documents(tool: &Tool) -> Vec<PathBuf> {
    let files = tool::files(&tool.path("repository"));
    let evidence = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "evidence");
    files.into_keys().filter(evidence).collect()
}

fn segment(tool: &Tool) -> PathBuf {
    let files = tool::files(&tool.path("repository/segments"));
    files.into_iter().max_by_key(|(_, bytes)| bytes.len()).unwrap().0
}

#[test]
fn evidence_is_kept_listed_and_shown() {
    let Some((_server, tool, sets)) = two_sets(true) else {
        return;
    };
    assert_eq!(listed(&tool, 0)[0]["evidence"]["last_verified"], Value::Null);

    tool.run(&["verify", "--no-evidence"]).expect(0);
    assert_eq!(documents(&tool), [""; 0].map(PathBuf::from));
    let report = tool
        .run(&["verify", "--full", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(check(&report, "evidence")["status"], "pass");
    let [document] = &documents(&tool)[..] else {
        panic!("one document: {:?}", documents(&tool));
    };
    let text = std::fs::read_to_string(document).unwrap();
    for part in [
        &sets[1],
        "\"verify-full\"",
        "\"rows\":5001",
        "\"result\":\"good\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let list = listed(&tool, 0);
    assert_eq!(list[0]["evidence"]["last_verified"], Value::Null);
    assert_eq!(list[1]["evidence"]["verified_kind"], "verify-full");
    let shown = tool.run(&["show"]).expect(0).stdout;
    assert!(shown.contains("verify-full") && shown.contains("good"), "{shown}");
    assert!(tool.run(&["list"]).expect(0).stdout.contains("Z full"));

    // The older set alone has none; then nothing is left, which is an answer and not silence.
    let report = tool
        .run(&["verify", "--unverified", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(report["data"]["sets"].as_array().unwrap().len(), 1);
    assert_eq!(report["data"]["sets"][0]["set"], sets[0].as_str());
    let report = tool
        .run(&["verify", "--unverified", "--format", "json"])
        .expect(0)
        .json();
    assert!(
        check(&report, "verified")["summary"]
            .as_str()
            .unwrap()
            .contains("already"),
        "{report}"
    );
    let full = tool
        .run(&["verify", "--unverified", "--full", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(full["data"]["sets"][0]["set"], sets[0].as_str());

    // Of two sets that share a segment the second does not read it again, and both are judged.
    let all = tool
        .run(&["verify", "--all", "--format", "json"])
        .expect(0)
        .json();
    for set in &sets {
        assert_eq!(check(&all, &format!("{set}.segments"))["status"], "pass");
    }
}

#[test]
fn evidence_is_kept_in_a_bucket() {
    let Some(server) = small_server() else { return };
    let s3 = fh_testkit::S3::start();
    let tool = Tool::new()
        .in_s3(&s3, true)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    let report = tool.run(&["verify", "--format", "json"]).expect(0).json();
    assert_eq!(check(&report, "evidence")["status"], "pass");
    assert_eq!(listed(&tool, 0)[0]["evidence"]["verified_kind"], "verify-quick");
}

#[test]
fn parts_are_evidence_once_they_make_a_whole() {
    let Some((_server, tool, sets)) = two_sets(false) else {
        return;
    };
    for part in ["1/3", "2/3"] {
        tool.run(&["verify", "--subset", part]).expect(0);
    }
    assert_eq!(listed(&tool, 0)[1]["evidence"]["last_verified"], Value::Null);
    let last = tool
        .run(&["verify", "--subset", "3/3", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(last["data"]["subset"], json!({ "part": 3, "of": 3 }));
    assert_ne!(listed(&tool, 0)[1]["evidence"]["last_verified"], Value::Null);

    // Damage is found by exactly one of the parts.
    let victim = segment(&tool);
    let whole = std::fs::read(&victim).unwrap();
    std::fs::remove_file(&victim).unwrap();
    let mut codes: Vec<i32> = ["1/3", "2/3", "3/3"]
        .map(|part| tool.run(&["verify", "--subset", part, &sets[1]]).code)
        .to_vec();
    codes.sort_unstable();
    assert_eq!(codes, [0, 0, 1]);
    assert_eq!(listed(&tool, 1)[1]["state"], "damaged");

    // It stays so until something as deep has found it whole.
    std::fs::write(&victim, whole).unwrap();
    listed(&tool, 1);
    tool.run(&["verify"]).expect(0);
    assert_eq!(listed(&tool, 0)[1]["state"], "sealed");

    for wrong in ["4/3", "0/3", "x/3", "3"] {
        tool.run(&["verify", "--subset", wrong]).expect(2);
    }
    tool.run(&["verify", "--subset", "1/3", "--full"]).expect(2);
    tool.run(&["verify", "--all", &sets[0]]).expect(2);
}

#[test]
fn a_damaged_segment_is_found_in_every_set_that_needs_it_and_bad_results_are_kept() {
    let Some((_server, tool, sets)) = two_sets(false) else {
        return;
    };
    let victim = segment(&tool);
    let mut bytes = std::fs::read(&victim).unwrap();
    let whole = bytes.clone();
    bytes[20] ^= 1;
    std::fs::write(&victim, bytes).unwrap();
    let name = victim.file_name().unwrap().to_string_lossy().into_owned();
    let ran = tool
        .run(&["verify", "--all", "--format", "json"])
        .expect(1)
        .json();
    for set in &sets {
        let found = check(&ran, &format!("{set}.segments"));
        assert_eq!(found["status"], "fail");
        assert!(found.to_string().contains(&name), "{found}");
    }
    assert_eq!(documents(&tool).len(), 2);
    assert!(
        documents(&tool)
            .iter()
            .all(|path| std::fs::read_to_string(path).unwrap().contains(&name))
    );
    std::fs::write(&victim, whole).unwrap();
    // A set that its evidence calls damaged is not verified.
    let report = tool
        .run(&["verify", "--unverified", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(report["data"]["sets"].as_array().unwrap().len(), 2);
    listed(&tool, 0);
}

#[test]
fn who_may_not_write_can_verify() {
    let Some((_server, tool, _)) = two_sets(false) else {
        return;
    };
    // A link that leads nowhere is no folder, for root either.
    std::os::unix::fs::symlink("/nonexistent", tool.path("repository/evidence")).unwrap();
    let report = tool.run(&["verify", "--format", "json"]).expect(0).json();
    let found = check(&report, "evidence");
    assert_eq!(found["status"], "warn");
    assert!(found.to_string().contains("--no-evidence"), "{found}");
    tool.run(&["verify", "--fail-on", "warning"]).expect(1);
    tool.run(&["verify", "--fail-on", "warning", "--no-evidence"])
        .expect(0);
}

#[test]
fn a_set_that_goes_without_a_word_is_missed() {
    let Some((_server, mut tool, sets)) = two_sets(false) else {
        return;
    };
    let files = tool.path("repository/sets");
    let newest = files.join(format!("{}.set", sets[1]));
    let aside = tool.path("aside.set");
    // Nothing was verified yet: `create` remembers what it made.
    let rollback = |tool: &Tool, code: i32| {
        let report = tool
            .run(&["verify", "--no-evidence", "--format", "json"])
            .expect(code)
            .json();
        check(&report, "rollback").clone()
    };
    std::fs::rename(&newest, &aside).unwrap();
    // The older set is whole, and the next run does not get used to the loss.
    for _ in 0..2 {
        let found = rollback(&tool, 1);
        assert_eq!(found["status"], "fail");
        assert!(found.to_string().contains(&sets[1]), "{found}");
    }
    // Another host remembers nothing, until there is evidence.
    tool.set("FH_STATE_DIR", tool.path("other-host").display().to_string());
    assert_eq!(rollback(&tool, 0)["status"], "pass");
    std::fs::rename(&aside, &newest).unwrap();
    tool.run(&["verify"]).expect(0);
    std::fs::rename(&newest, &aside).unwrap();
    tool.set("FH_STATE_DIR", tool.path("third-host").display().to_string());
    assert!(rollback(&tool, 1).to_string().contains(&sets[1]));

    // A copy has the same identity, and not every set.
    tool.run(&["copy", "--to", "second", &sets[0]]).expect(0);
    let second = tool.path("second").display().to_string();
    let report = Tool::new()
        .with("FH_STATE_DIR", tool.path(".local/state/fh").display().to_string())
        .run(&[
            "verify",
            "--no-evidence",
            "--repository",
            &second,
            "--format",
            "json",
        ])
        .expect(0)
        .json();
    assert_eq!(check(&report, "rollback")["status"], "pass");
    let status = tool.run(&["status", "--format", "json"]).expect(1).json();
    assert_eq!(check(&status, "rollback")["status"], "fail");

    // Removed on purpose, and said so by somebody with the key.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let place = tool.path("repository").display().to_string();
    runtime.block_on(async {
        let location = Location::parse(&place).unwrap();
        let store = open_store(&location, &S3Options::default(), fh_core::Deadline::never())
            .await
            .unwrap();
        let repository = Repository::open(store, Access::default()).await.unwrap();
        let removal = json!({ "sets": [{ "set": sets[1], "reason": "a test" }] });
        repository
            .put_document("removals/1.json", &removal)
            .await
            .unwrap();
    });
    assert_eq!(rollback(&tool, 0)["status"], "pass");
}

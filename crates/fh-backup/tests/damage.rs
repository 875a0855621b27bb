//! Every object of a small repository flipped, cut, deleted and swapped, one at a time: `verify` names it and ends with 1.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use std::path::{Path, PathBuf};

use tool::{Tool, files, small_server};

/// The ways to hurt a file, with the bytes it has then; `None` is a deletion.
fn damages(whole: &[u8], other: &[u8]) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let flipped = |position: usize| {
        let mut bytes = whole.to_vec();
        bytes[position] ^= 1;
        Some(bytes)
    };
    vec![
        ("flipped at the start", flipped(1)),
        ("flipped in the middle", flipped(whole.len() / 2)),
        ("flipped near the end", flipped(whole.len() - 2)),
        ("cut by one byte", Some(whole[..whole.len() - 1].to_vec())),
        ("emptied", Some(Vec::new())),
        ("swapped with another of its kind", Some(other.to_vec())),
        ("deleted", None),
    ]
}

fn hurt(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => std::fs::write(path, bytes).unwrap(),
        None => std::fs::remove_file(path).unwrap(),
    }
}

/// Another file of the same folder tree, so that segments stand in for segments and sets for sets.
fn another(all: &[PathBuf], path: &Path, kind: &str) -> PathBuf {
    all.iter()
        .find(|other| *other != path && other.display().to_string().contains(kind))
        .unwrap()
        .clone()
}

#[test]
fn verify_names_every_damaged_object_and_ends_with_1() {
    let Some(server) = small_server() else { return };
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql("shop", "INSERT INTO empty VALUES (1)");
    tool.run(&["create"]).expect(0);
    tool.run(&["verify"]).expect(0);
    tool.run(&["verify"]).expect(0);
    // Runs with `--no-evidence` leave the repository as it is.
    let verify = || tool.run(&["verify", "--all", "--no-evidence"]);
    verify().expect(0);

    let root = tool.path("repository");
    let contents = files(&root);
    let all: Vec<PathBuf> = contents.keys().cloned().collect();
    let mut kinds = [0; 3];
    for (path, whole) in &contents {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let kind = ["/segments/", "/sets/", "/evidence/"]
            .into_iter()
            .position(|kind| path.display().to_string().contains(kind));
        let Some(kind) = kind else { continue };
        kinds[kind] += 1;
        let other = another(&all, path, ["/segments/", "/sets/", "/evidence/"][kind]);
        for (what, bytes) in damages(whole, &contents[&other]) {
            // Evidence that is gone only means that nobody has verified.
            if bytes.is_none() && kind == 2 {
                continue;
            }
            hurt(path, bytes.as_deref());
            let ran = verify();
            let id = name.trim_end_matches(".set");
            assert!(
                ran.code == 1 && ran.stdout.contains(id),
                "{name} {what}: {}\n{}{}",
                ran.code,
                ran.stdout,
                ran.stderr
            );
            hurt(path, Some(whole));
        }
    }
    assert!(kinds.iter().all(|count| *count >= 2), "{kinds:?}");

    // The description decides whether anything can be opened at all; none of its damages is ever called good.
    let description = root.join("fh-backup.json");
    let whole = &contents[&description];
    for (what, bytes) in damages(whole, &contents[&all[1]]) {
        hurt(&description, bytes.as_deref());
        let ran = verify();
        let cosmetic = bytes.as_deref().is_some_and(|bytes| same(bytes, whole));
        assert!(
            (ran.code != 0 && !ran.stderr.is_empty()) || cosmetic,
            "fh-backup.json {what}: {}",
            ran.stdout
        );
        hurt(&description, Some(whole));
    }
    verify().expect(0);
}

/// Whether two texts are the same JSON: a lost newline changes nothing.
fn same(one: &[u8], two: &[u8]) -> bool {
    let value = |text| serde_json::from_slice::<serde_json::Value>(text).ok();
    value(one).is_some() && value(one) == value(two)
}

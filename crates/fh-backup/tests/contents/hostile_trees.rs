//! Trees whose set is whole and says what is not so, by mistake or by ill will.

use fh_backup::files::Tree;

use super::files::ready;
use super::tool::Tool;
use super::tree::{look, plant};
use super::{assert_parts, block_on, newest_body, open};

/// What the hashes of objects cannot tell: the objects are whole, and the set says something else about them.
#[test]
fn a_set_that_contradicts_itself_is_found() {
    let Some((_server, tool)) = ready(false) else {
        return;
    };
    plant(&tool.path("media"));
    tool.run(&["create"]).expect(0);
    block_on(async {
        let repository = open(&tool).await;
        let tree = newest_body(&repository).await.files.remove(0);
        let problems = async |tree: &Tree| {
            let verified = fh_backup::files::verify(&repository, tree, |_| {}).await.unwrap();
            verified.problems.join("\n")
        };
        assert_eq!(problems(&tree).await, "");

        let mut other = tree.clone();
        other.segments.swap(0, 1);
        assert_parts(
            &problems(&other).await,
            &["its content is not the one that was read"],
        );
        other = tree.clone();
        drop(other.segments.pop());
        assert_parts(&problems(&other).await, &["the set says"]);
        other = tree.clone();
        other.counts.files += 1;
        assert_parts(&problems(&other).await, &["the index has"]);
        other = tree.clone();
        other.index.clear();
        assert_parts(&problems(&other).await, &["the index has 0 files"]);
        other.index.clone_from(&tree.segments);
        assert_parts(&problems(&other).await, &["the index of media"]);
    });
}

/// A set by somebody who holds the key of the repository and means ill: a link, and a file through it.
#[test]
fn a_restore_writes_nothing_outside_its_folder() {
    let tool = Tool::new().in_folder(false);
    let outside = tool.path("outside");
    std::fs::create_dir(&outside).unwrap();
    let content = b"evil";
    let file = |path: &str| {
        let hash = blake3::hash(content).to_hex().to_string();
        serde_json::json!({
            "path": path, "kind": "file", "mode": 0o644, "uid": 0, "gid": 0, "mtime": [0, 0], "skip": 0, "size": 4, "hash": hash
        })
    };
    let link = |path: &str, target: &std::path::Path| {
        serde_json::json!({
            "path": path, "kind": "link", "mode": 0o777, "uid": 0, "gid": 0, "mtime": [0, 0], "skip": 0, "link": target
        })
    };
    let folder = serde_json::json!({
        "path": "a", "kind": "folder", "mode": 0o755, "uid": 0, "gid": 0, "mtime": [0, 0], "skip": 0
    });
    let absolute = outside.join("x").display().to_string();
    let evil = [
        vec![link("a", &outside), file("a/x")],
        vec![folder.clone(), link("a", &outside), file("a/x")],
        vec![folder.clone(), file("a/../../outside/x")],
        vec![file("../outside/x")],
        vec![file(&absolute)],
        vec![link("x", &outside.join("x")), file("x")],
    ];
    block_on(async {
        let repository = open(&tool).await;
        let writer = repository.writer(1).await.unwrap();
        let segments = vec![writer.put(content.to_vec().into()).await.unwrap()];
        for (at, entries) in evil.into_iter().enumerate() {
            let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
            let tree = Tree {
                name: "evil".into(),
                bytes: 4,
                segments: segments.clone(),
                index: vec![writer.put(lines.into()).await.unwrap()],
                ..Tree::default()
            };
            let to = tool.path(&format!("out{at}"));
            let error = fh_backup::files::restore(&repository, &tree, &to, None, |_| {})
                .await
                .unwrap_err();
            assert_eq!(error.exit(), fh_core::Exit::Bad, "{at}: {}", error.render());
            assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "{at}");
            assert!(look(&to, &[]).values().all(|what| what.5.is_empty()), "{at}");
        }
        // The same without the trick is fine, so the entries are readable.
        let tree = Tree {
            name: "good".into(),
            bytes: 4,
            segments,
            index: vec![
                writer
                    .put(format!("{folder}\n{}\n", file("a/x")).into())
                    .await
                    .unwrap(),
            ],
            ..Tree::default()
        };
        fh_backup::files::restore(&repository, &tree, &tool.path("good"), None, |_| {})
            .await
            .unwrap();
        assert_eq!(std::fs::read(tool.path("good/a/x")).unwrap(), content);
    });
}

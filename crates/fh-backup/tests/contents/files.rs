//! File trees: byte for byte, with odd names, in few segments, and never outside the target.

use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use fh_backup::body::Body;
use fh_backup::files::Tree;
use fh_testkit::Postgres;

use super::tool::{Tool, small_server};
use super::tree::{assert_same, look, noise, plant};
use super::{assert_parts, block_on, configure, newest_body, open, with_flipped_bit};

const CONFIG: &str = "[[backup.files]]\nname = 'media'\npath = 'media'\nexclude = ['*.tmp', '/cache']\n";
const EXCLUDED: [&str; 3] = ["skip/me.tmp", "cache", "socket"];

pub(super) fn ready(encrypted: bool) -> Option<(Postgres, Tool)> {
    let server = small_server()?;
    let tool = Tool::new()
        .in_folder(encrypted)
        .with("DATABASE_URL", server.url("shop"));
    configure(&tool, CONFIG);
    std::fs::create_dir(tool.path("media")).unwrap();
    Some((server, tool))
}

fn segments(tree: &Tree) -> BTreeSet<String> {
    tree.segments.iter().map(|segment| segment.id.clone()).collect()
}

#[test]
fn a_tree_comes_back_byte_for_byte() {
    let Some((_server, tool)) = ready(false) else {
        return;
    };
    let media = tool.path("media");
    plant(&media);
    let _socket = UnixListener::bind(media.join("socket")).unwrap();
    let there = look(&media, &EXCLUDED);
    let files = there
        .values()
        .filter(|what| what.0 & 0o170_000 == 0o100_000)
        .count();

    let created = tool.run(&["create"]).expect(0);
    assert_parts(
        &created.stdout,
        &[&format!("{files} files"), "socket: a socket, left out"],
    );
    tool.run(&["create", "--fail-on", "warning"]).expect(1);
    tool.run(&["verify", "--full"]).expect(0);
    assert_parts(&tool.run(&["show"]).expect(0).stdout, &["File trees", "media"]);

    let restored = tool
        .run(&["restore", "--files", "media", "--to", "out"])
        .expect(0);
    assert_parts(
        &restored.stdout,
        &[&format!("{files} files"), "every hash is right", "socket"],
    );
    assert_same(&there, &look(&tool.path("out"), &[]));

    let (first, second) = block_on(async {
        let repository = open(&tool).await;
        let sets = repository.list_sets().await.unwrap();
        let mut bodies = Vec::new();
        for set in sets {
            let set = repository.open_set(&set.id).await.unwrap();
            bodies.push(repository.read_body::<Body>(&set).unwrap());
        }
        let stream = stream(&repository, &bodies[0].files[0]).await;
        stock_tar(&stream, &tool, &there);
        (bodies.remove(0).files.remove(0), bodies.remove(0).files.remove(0))
    });
    assert_eq!(first, second, "the same tree gave other segments");

    // One byte more at the front of the large file: its other bytes are the same, elsewhere.
    let film = [b"x", &noise(24 << 20, 1)[..]].concat();
    std::fs::write(media.join("big/film.bin"), film).unwrap();
    tool.run(&["create"]).expect(0);
    let third = block_on(async { newest_body(&open(&tool).await).await.files.remove(0) });
    let new = segments(&third).difference(&segments(&first)).count();
    assert!(
        (1..=4).contains(&new) && third.segments.len() > 6,
        "{new} of {} segments are new",
        third.segments.len()
    );
}

async fn stream(repository: &fh_repository::Repository, tree: &Tree) -> Vec<u8> {
    let mut stream = Vec::new();
    for segment in &tree.segments {
        stream.extend(repository.read_segment(segment).await.unwrap());
    }
    assert_eq!(stream.len() as u64, tree.bytes);
    stream
}

/// What stock tar makes of the stream. It knows whole seconds, and none before 1970.
fn stock_tar(stream: &[u8], tool: &Tool, there: &super::tree::Seen) {
    let out = tool.path("by-tar");
    std::fs::create_dir(&out).unwrap();
    let mut child = Command::new("tar")
        .args([
            "--extract",
            "--preserve-permissions",
            "--numeric-owner",
            "--directory",
        ])
        .arg(&out)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), stream).unwrap();
    assert!(child.wait().unwrap().success());
    let whole = |seen: &super::tree::Seen| {
        let mut seen = seen.clone();
        for what in seen.values_mut() {
            (what.3, what.4) = (what.3.max(0), 0);
        }
        seen
    };
    assert_same(&whole(there), &whole(&look(&out, &[])));
}

#[test]
fn a_part_is_restored_from_the_segments_that_it_needs() {
    let Some((_server, tool)) = ready(true) else {
        return;
    };
    plant(&tool.path("media"));
    tool.run(&["create"]).expect(0);
    let run = |to: &str, path: &str| {
        let json = [
            "restore", "--files", "media", "--to", to, "--path", path, "--format", "json",
        ];
        tool.run(&json).expect(0).json()
    };
    let read = |report: &serde_json::Value| {
        let measures = report["checks"][0]["measures"].as_array().unwrap().clone();
        let read = measures
            .iter()
            .find(|measure| measure["name"] == "segments read")
            .unwrap();
        read["value"].as_f64().unwrap()
    };
    let there = look(&tool.path("media"), &[]);
    let part = |seen: &super::tree::Seen, wanted: &[&str]| {
        let mut seen = seen.clone();
        seen.retain(|name, _| wanted.iter().any(|wanted| name == wanted.as_bytes()));
        seen
    };

    let report = run("folder", "sub/dir");
    assert_same(
        &part(&there, &["sub", "sub/dir", "sub/dir/one", "sub/dir/two"]),
        &look(&tool.path("folder"), &[]),
    );
    assert!(read(&report) <= 2.0, "{report}");
    run("file", "/sub/dir/two/");
    assert_same(
        &part(&there, &["sub", "sub/dir", "sub/dir/two"]),
        &look(&tool.path("file"), &[]),
    );
    run("big", "big");
    assert_same(
        &part(&there, &["big", "big/film.bin"]),
        &look(&tool.path("big"), &[]),
    );

    let restore =
        |arguments: &[&str], code| tool.run(&[&["restore"], arguments].concat()).expect(code).stderr;
    let refused = restore(&["--files", "media", "--to", "folder"], 4);
    assert_parts(&refused, &["is not empty", "nothing was changed"]);
    restore(&["--files", "media", "--to", "financehub.toml"], 4);
    assert_parts(
        &restore(&["--files", "medium", "--to", "x"], 2),
        &["no file tree \"medium\"", "it holds media"],
    );
    assert_parts(
        &restore(&["--files", "media", "--to", "x1", "--path", "nothing"], 2),
        &["has no path nothing"],
    );
    for escape in ["../media", "..", "a/../..", ""] {
        restore(&["--files", "media", "--to", "x2", "--path", escape], 2);
    }
    restore(&["--files", "media"], 2);
    restore(&["--to", "x3", "--path", "sub"], 2);
    assert!(!tool.path("x2").exists() && !tool.path("x3").exists());
}

#[test]
fn a_flipped_bit_is_found_and_named() {
    let Some((_server, tool)) = ready(false) else {
        return;
    };
    std::fs::write(tool.path("media/film"), noise(3 << 20, 2)).unwrap();
    std::fs::write(tool.path("media/text"), "short").unwrap();
    tool.run(&["create"]).expect(0);
    let tree = block_on(async { newest_body(&open(&tool).await).await.files.remove(0) });
    for (at, segment) in tree.segments.iter().chain(&tree.index).enumerate() {
        with_flipped_bit(&tool, segment, || {
            for verify in [&["verify"][..], &["verify", "--full"]] {
                assert_parts(&tool.run(verify).expect(1).stdout, &[&segment.id]);
            }
            let to = format!("out{at}");
            let failed = tool.run(&["restore", "--files", "media", "--to", &to]).expect(1);
            assert_parts(&failed.stderr, &[&segment.id]);
        });
    }
    tool.run(&["verify", "--full"]).expect(0);
}

/// Deeper than a path may be long: not even the superuser can read it.
fn too_deep(root: &std::path::Path) {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    let name = "d".repeat(250);
    let mut folder = rustix::fs::open(root, OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..20 {
        mkdirat(&folder, &*name, Mode::from_raw_mode(0o755)).unwrap();
        folder = openat(&folder, &*name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
}

#[test]
fn what_cannot_be_read_is_no_backup_unless_it_is_allowed() {
    let Some((_server, tool)) = ready(false) else {
        return;
    };
    std::fs::write(tool.path("media/good"), "content").unwrap();
    too_deep(&tool.path("media"));
    let failed = tool.run(&["create"]).expect(3);
    assert_parts(
        &failed.stderr,
        &["cannot read ddd", "caused by: ", "on_unreadable"],
    );
    assert!(tool.sets().is_empty());

    configure(&tool, &format!("{CONFIG}on_unreadable = 'warn'\n"));
    assert_parts(
        &tool.run(&["create"]).expect(0).stdout,
        &["cannot be read", "left out", "warning"],
    );
    tool.run(&["create", "--fail-on", "warning"]).expect(1);
    tool.run(&["verify", "--full"]).expect(0);

    for (config, code, says) in [
        (
            "[[backup.files]]\nname = 'x'\npath = 'not-there'\n",
            3,
            "not-there",
        ),
        (
            "[[backup.files]]\nname = 'x'\npath = 'media/good'\n",
            2,
            "is no folder",
        ),
        ("[[backup.files]]\nname = ' '\npath = 'media'\n", 2, "name"),
        (
            "[[backup.files]]\nname = 'x'\npath = 'media'\nexclude = ['[a]']\n",
            2,
            "[a]",
        ),
        (
            "[[backup.files]]\nname = 'x'\npath = 'a'\n[[backup.files]]\nname = 'x'\npath = 'b'\n",
            2,
            "twice",
        ),
        ("[[backup.files]]\nname = 'x'\n", 2, "path"),
        (
            "[[backup.files]]\nname = 'x'\npath = 'media'\nexlude = []\n",
            2,
            "exclude",
        ),
    ] {
        configure(&tool, config);
        assert_parts(&tool.run(&["create"]).expect(code).stderr, &[says]);
    }
}

#[test]
fn a_file_that_is_written_to_is_marked_and_not_cut() {
    let Some((_server, tool)) = ready(false) else {
        return;
    };
    let path = tool.path("media/log");
    std::fs::write(&path, noise(32 << 20, 4)).unwrap();
    let done = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
            while !done.load(Ordering::Relaxed) {
                std::io::Write::write_all(&mut file, b"line\n").unwrap();
                std::thread::yield_now();
            }
        });
        let ran = tool.run(&["create"]);
        done.store(true, Ordering::Relaxed);
        ran
    });
    assert_parts(
        &ran.expect(0).stdout,
        &["log: changed while it was read", "warning"],
    );
    tool.run(&["verify", "--full"]).expect(0);
    let restored = tool
        .run(&["restore", "--files", "media", "--to", "out"])
        .expect(0);
    assert_parts(&restored.stdout, &["log: changed while it was read"]);
    let (there, here) = (
        std::fs::read(&path).unwrap(),
        std::fs::read(tool.path("out/log")).unwrap(),
    );
    assert!(
        here.len() >= 32 << 20 && there.starts_with(&here),
        "{} bytes",
        here.len()
    );
}

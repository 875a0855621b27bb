//! A folder with everything that makes trees hard, and how two folders are compared.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Bytes that look random and are the same everywhere.
pub(crate) fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        bytes.extend(state.to_be_bytes()[..4].iter());
    }
    bytes.truncate(count);
    bytes
}

/// Makes the folder.
pub(crate) fn plant(root: &Path) {
    let file = |name: &[u8], content: &[u8], mode: u32| {
        let path = root.join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let long = "n".repeat(180);
    file(b"a b.txt", b"spaces", 0o640);
    file(b"new\nline and \"quotes\"", b"odd", 0o600);
    file(b"not-utf8-\xff\xfe/\xfe.bin", b"\0\x01\xff", 0o644);
    file("umlaut-ä/日本".as_bytes(), b"text", 0o644);
    file(b"empty", b"", 0o444);
    file(format!("{long}/{long}/long").as_bytes(), b"long names", 0o755);
    file(b"set-user-id", b"#!/bin/sh\n", 0o4755);
    file(b"exactly-one-block", &noise(512, 3), 0o644);
    file(b"big/film.bin", &noise(24 << 20, 1), 0o644);
    file(b"sub/dir/one", b"1", 0o644);
    file(b"sub/dir/two", b"22", 0o644);
    file(b"sub-sibling", b"beside", 0o644);
    file(b"skip/me.tmp", b"excluded", 0o644);
    file(b"cache/deep/x", b"excluded", 0o644);
    std::fs::create_dir(root.join("empty folder")).unwrap();
    symlink("a b.txt", root.join("link")).unwrap();
    symlink("nowhere/at all", root.join("dangling")).unwrap();
    symlink("/etc", root.join("absolute")).unwrap();
    symlink("sub", root.join("link-to-folder")).unwrap();
    symlink(format!("{long}/{long}/long"), root.join("link-to-long")).unwrap();
    std::fs::hard_link(root.join("big/film.bin"), root.join("hard-link")).unwrap();
    std::fs::set_permissions(root.join("empty folder"), std::fs::Permissions::from_mode(0o700)).unwrap();
    // Times apart from now: a whole file, a folder, and one before 1970.
    for (name, time) in [
        (
            "a b.txt",
            SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789),
        ),
        ("sub", SystemTime::UNIX_EPOCH + Duration::new(1_200_000_000, 1)),
        ("empty", SystemTime::UNIX_EPOCH - Duration::new(86_400, 0)),
    ] {
        std::fs::File::open(root.join(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
}

/// What is in a folder: for each path its kind, mode, owner, time, and content or target.
pub(crate) type Seen = BTreeMap<Vec<u8>, (u32, u32, u32, i64, i64, Vec<u8>)>;

/// Looks at every path but sockets and pipes; `skip` leaves paths out.
pub(crate) fn look(root: &Path, skip: &[&str]) -> Seen {
    let mut seen = Seen::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
            if skip.iter().any(|skip| name == skip.as_bytes()) {
                continue;
            }
            let metadata = path.symlink_metadata().unwrap();
            let content = if metadata.is_symlink() {
                std::fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()
            } else if metadata.is_file() {
                std::fs::read(&path).unwrap()
            } else if metadata.is_dir() {
                folders.push(path);
                Vec::new()
            } else {
                continue;
            };
            let what = (
                metadata.mode(),
                metadata.uid(),
                metadata.gid(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                content,
            );
            drop(seen.insert(name, what));
        }
    }
    seen
}

/// Fails with the first path that differs.
pub(crate) fn assert_same(there: &Seen, here: &Seen) {
    let names = |seen: &Seen| {
        seen.keys()
            .map(|name| name.escape_ascii().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(there), names(here));
    for (name, what) in there {
        let other = &here[name];
        assert!(
            what.5 == other.5,
            "the content of {} differs",
            name.escape_ascii()
        );
        assert_eq!(
            (what.0, what.1, what.2, what.3, what.4),
            (other.0, other.1, other.2, other.3, other.4),
            "{}",
            name.escape_ascii()
        );
    }
}

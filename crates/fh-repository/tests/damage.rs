//! Every object of a small repository, damaged in every way, one at a time: it must be named, and never called good.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod small;

use std::fs;
use std::path::{Path, PathBuf};

use small::{Small, open};

/// Files of the repository that a set needs, apart from the description.
fn objects(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("fh-backup.json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a verification of the small repository's set says is wrong.
async fn complaints(small: &Small) -> Vec<String> {
    let repository = open(small).await;
    let set = match repository.open_set(&small.set).await {
        Ok(set) => set,
        Err(error) => return vec![error.message()],
    };
    let findings = repository.verify_objects(&set, |_| ()).await.unwrap();
    findings
        .problems
        .into_iter()
        .map(|finding| format!("{} {}", finding.object, finding.problem))
        .collect()
}

async fn every_damage_is_named(encrypted: bool) {
    let small = Small::new(encrypted).await;
    let files = objects(small.folder.path());
    assert_eq!(files.len(), 4, "three segments and a set: {files:?}");
    assert_eq!(complaints(&small).await, [""; 0]);
    for (index, file) in files.iter().enumerate() {
        let whole = fs::read(file).unwrap();
        let other = fs::read(&files[(index + 1) % files.len()]).unwrap();
        let mut damages = vec![
            ("emptied", Vec::new()),
            ("cut by one byte", whole[..whole.len() - 1].to_vec()),
            ("grown by one byte", [&whole[..], b"x"].concat()),
            ("swapped with another", other),
        ];
        for position in [0, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[position] ^= 1;
            damages.push(("flipped", flipped));
        }
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let name = name.strip_suffix(".set").unwrap_or(&name);
        for (what, bytes) in damages {
            fs::write(file, bytes).unwrap();
            let said = complaints(&small).await;
            assert!(
                said.len() == 1 && said[0].contains(name),
                "{name} {what}: {said:?}"
            );
        }
        fs::remove_file(file).unwrap();
        let said = complaints(&small).await;
        assert!(
            said.len() == 1 && said[0].contains(name),
            "{name} deleted: {said:?}"
        );
        fs::write(file, whole).unwrap();
    }
    assert_eq!(complaints(&small).await, [""; 0]);
}

#[tokio::test]
async fn every_damage_of_a_clear_repository_is_named() {
    every_damage_is_named(false).await;
}

#[tokio::test]
async fn every_damage_of_an_encrypted_repository_is_named() {
    every_damage_is_named(true).await;
}

#[tokio::test]
async fn a_damaged_set_is_listed_as_damaged_and_latest_does_not_pass_over_it() {
    let small = Small::new(false).await;
    let path = small
        .folder
        .path()
        .join("sets")
        .join(format!("{}.set", small.set));
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 1]).unwrap();
    let repository = open(&small).await;
    let sets = repository.list_sets().await.unwrap();
    assert!(
        matches!(&sets[0].state, fh_repository::SetState::Damaged(why) if why.contains("cut")),
        "{sets:?}"
    );
    assert_eq!(repository.resolve("latest").await.unwrap(), small.set);
}

#[tokio::test]
async fn a_set_of_another_repository_is_not_accepted() {
    let (one, two) = (Small::new(false).await, Small::new(false).await);
    let name = format!("sets/{}.set", one.set);
    fs::copy(one.folder.path().join(&name), two.folder.path().join(&name)).unwrap();
    let error = open(&two).await.open_set(&one.set).await.unwrap_err();
    assert!(
        error.message().contains("belongs to another repository"),
        "{error}"
    );
}

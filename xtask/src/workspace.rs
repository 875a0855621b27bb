//! The repository: its root, its crates and the files that belong to it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use xshell::Shell;

/// This repository, with a shell that stands in its root.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) shell: Shell,
}

impl Workspace {
    /// Finds the root: the folder above this crate when cargo started us, else the nearest one with a `[workspace]`.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let from_cargo = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = match from_cargo.as_deref().and_then(Path::parent) {
            Some(parent) if is_root(parent) => parent.to_owned(),
            _ => {
                let here = std::env::current_dir().context("reading the current folder")?;
                let root = here.ancestors().find(|folder| is_root(folder));
                root.context("not inside the repository: no Cargo.toml with [workspace] here or above")?
                    .to_owned()
            }
        };
        Self::at(root)
    }

    /// A workspace whose root is known.
    pub(crate) fn at(root: PathBuf) -> anyhow::Result<Self> {
        let shell = Shell::new().context("reading the current folder")?;
        shell.change_dir(&root);
        Ok(Self { root, shell })
    }

    /// Where cargo builds: `CARGO_TARGET_DIR` as cargo reads it, else `target`.
    pub(crate) fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if !folder.is_empty() => self.root.join(folder),
            _ => self.root.join("target"),
        }
    }

    /// Where `cargo xtask setup` installs cargo and Python tools. Always under `target`, so that fh-testkit knows it too.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join("target/tools")
    }

    /// The Python environment inside [`Self::tools`].
    pub(crate) fn venv(&self) -> PathBuf {
        self.tools().join("venv")
    }

    /// Folders of the member crates, relative to the root, in the order of `members` in the root manifest.
    pub(crate) fn crates(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.root.join("crates")).context("reading the folder crates")? {
            let path = entry?.path();
            if path.join("Cargo.toml").is_file() {
                found.push(path.strip_prefix(&self.root)?.to_owned());
            }
        }
        found.sort();
        found.push(PathBuf::from("xtask"));
        Ok(found)
    }

    /// Every file that belongs to the repository, committed or about to be, relative to the root and sorted.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let output = std::process::Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .context("starting git to list the repository's files; please install git")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!(
                "git ls-files failed, so there is no list of files to check: {}",
                why.trim()
            );
        }
        let mut files: Vec<PathBuf> = output
            .stdout
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
            // A file deleted but not yet committed as deleted is still listed.
            .filter(|path| self.root.join(path).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}

fn is_root(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_has_crates_and_files() {
        let workspace = Workspace::find().unwrap();
        let crates = workspace.crates().unwrap();
        assert!(crates.contains(&PathBuf::from("crates/fh-core")));
        assert_eq!(crates.last(), Some(&PathBuf::from("xtask")));
        let files = workspace.files().unwrap();
        assert!(files.contains(&PathBuf::from("xtask/src/workspace.rs")));
        assert!(files.iter().all(|file| !file.starts_with("target")));
    }
}

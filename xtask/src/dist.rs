//! `cargo xtask dist`: what a release is made of, under target/dist: stripped binaries, completions, man pages, the
//! configuration's JSON schema, an SBOM for each binary, and checksums of all of it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::cli::{Part, SetupOptions};
use crate::process::{cargo, clean};
use crate::tidy::manifest::Manifest;
use crate::workspace::Workspace;
use crate::{find, setup, tools, ui};

/// Binaries that only developers run.
pub(crate) const NOT_SHIPPED: &[&str] = &["fh-docs", "fh-testkit", "xtask"];

/// Whether all was built.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    if find::find(workspace, &tools::CYCLONEDX).is_err() {
        let only = SetupOptions {
            only: vec![Part::Dist],
            ..SetupOptions::default()
        };
        ensure!(
            setup::run(workspace, &only)?,
            "the SBOM tool is not there, so nothing was built"
        );
    }
    let crates = shipped(workspace)?;
    ensure!(!crates.is_empty(), "there is no crate with a binary to ship");
    let dist = workspace.target().join("dist");
    let shell = &workspace.shell;
    shell.remove_path(&dist)?;
    for folder in ["bin", "completions", "man", "sbom"] {
        shell.create_dir(dist.join(folder))?;
    }

    // Only what ships, so that features of test crates are not in it.
    let mut build = cargo(workspace).args(["build", "--release", "--locked", "--bins"]);
    for shipped in &crates {
        build = build.args(["-p", &shipped.name]);
    }
    build.run()?;
    for binary in crates.iter().flat_map(|shipped| &shipped.binaries) {
        shell.copy_file(
            workspace.target().join("release").join(binary),
            dist.join("bin").join(binary),
        )?;
    }
    documents(workspace, &dist)?;
    sboms(workspace, &crates, &dist)?;
    let files = checksums(workspace, &dist)?;
    ui::result(&format!(
        "{}: {files} files, listed in SHA256SUMS",
        dist.display()
    ));
    Ok(true)
}

/// A crate that ships, and its binaries.
struct Shipped {
    name: String,
    folder: PathBuf,
    binaries: Vec<String>,
}

fn shipped(workspace: &Workspace) -> anyhow::Result<Vec<Shipped>> {
    let mut all = Vec::new();
    for folder in workspace.crates()? {
        let path = folder.join("Cargo.toml");
        let manifest = Manifest::parse(&std::fs::read_to_string(workspace.root.join(&path))?);
        let name = manifest
            .string("package", "name")
            .with_context(|| format!("{} has no name", path.display()))?;
        let binaries = binaries(&workspace.root.join(&folder), &name, &manifest)?;
        if !binaries.is_empty() && !NOT_SHIPPED.contains(&name.as_str()) {
            all.push(Shipped {
                name,
                folder,
                binaries,
            });
        }
    }
    Ok(all)
}

/// The names of a crate's binaries: the crate's own for `src/main.rs`, those under `src/bin`, and `[[bin]]` entries.
pub(crate) fn binaries(folder: &Path, name: &str, manifest: &Manifest) -> anyhow::Result<Vec<String>> {
    let mut found: Vec<String> = manifest.strings("bin", "name");
    if folder.join("src/main.rs").is_file() && found.is_empty() {
        found.push(name.to_owned());
    }
    let bin = folder.join("src/bin");
    if bin.is_dir() {
        for entry in std::fs::read_dir(&bin).with_context(|| format!("reading {}", bin.display()))? {
            if let Some(stem) = entry?.path().file_stem().and_then(|stem| stem.to_str()) {
                found.push(stem.to_owned());
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Completions, man pages and the schema, by fh-docs.
fn documents(workspace: &Workspace, dist: &Path) -> anyhow::Result<()> {
    cargo(workspace)
        .args(["build", "--workspace", "--all-targets", "--locked", "--quiet"])
        .run()?;
    let program = workspace.target().join("debug/fh-docs");
    let docs = || clean(workspace.shell.cmd(&program));
    docs()
        .args(["completions", "--out"])
        .arg(dist.join("completions"))
        .run()?;
    docs().args(["man", "--out"]).arg(dist.join("man")).run()?;
    for folder in ["completions", "man"] {
        let empty = std::fs::read_dir(dist.join(folder))?.next().is_none();
        ensure!(!empty, "fh-docs {folder} wrote nothing");
    }
    let schema = docs().arg("schema").read()?;
    ensure!(
        schema.trim_start().starts_with('{'),
        "fh-docs schema printed no JSON object"
    );
    workspace
        .shell
        .write_file(dist.join("financehub.schema.json"), format!("{schema}\n"))?;
    Ok(())
}

/// cargo-cyclonedx writes into the folder of every workspace member. The files of what ships are moved, the others are
/// removed, whatever happens in between.
fn sboms(workspace: &Workspace, crates: &[Shipped], dist: &Path) -> anyhow::Result<()> {
    const NAME: &str = "xtask-sbom";
    let program = find::find(workspace, &tools::CYCLONEDX).map_err(|missing| anyhow::anyhow!("{missing}"))?;
    let command = clean(workspace.shell.cmd(program)).args(["cyclonedx", "--format", "json"]);
    let command = command.args(["--all", "--no-build-deps", "--override-filename", NAME]);
    let made = command.run().context("making the SBOMs");
    let written = |folder: &Path| workspace.root.join(folder).join(format!("{NAME}.json"));
    let root = format!("{}/", workspace.root.display());
    let moved = made.and_then(|()| {
        for shipped in crates {
            let path = written(&shipped.folder);
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            // References name our own crates by where they were built, which is nobody's business.
            let target = dist.join("sbom").join(format!("{}.cdx.json", shipped.name));
            workspace.shell.write_file(target, text.replace(&root, ""))?;
        }
        Ok(())
    });
    for folder in workspace.crates()? {
        workspace.shell.remove_path(written(&folder))?;
    }
    moved
}

/// Writes SHA256SUMS, in the form that `sha256sum --check` reads, and says how many files it names.
fn checksums(workspace: &Workspace, dist: &Path) -> anyhow::Result<usize> {
    let mut files = Vec::new();
    collect(dist, dist, &mut files)?;
    files.sort();
    let (program, arguments): (_, &[&str]) = match find::on_path("sha256sum") {
        Some(program) => (program, &[]),
        None => (PathBuf::from("shasum"), &["-a", "256"]),
    };
    let in_dist = workspace.shell.push_dir(dist);
    let sums = workspace
        .shell
        .cmd(program)
        .args(arguments)
        .args(&files)
        .quiet()
        .read()?;
    drop(in_dist);
    ensure!(
        sums.lines().count() == files.len(),
        "there are {} files and other checksums",
        files.len()
    );
    workspace
        .shell
        .write_file(dist.join("SHA256SUMS"), format!("{sums}\n"))?;
    Ok(files.len())
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path.strip_prefix(root)?.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_found_where_cargo_finds_them() {
        let folder = std::env::temp_dir().join(format!("xtask-dist-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src/bin")).unwrap();
        let none = Manifest::parse("[package]\nname = \"fh-x\"\n");
        assert!(binaries(&folder, "fh-x", &none).unwrap().is_empty());
        std::fs::write(folder.join("src/main.rs"), "").unwrap();
        std::fs::write(folder.join("src/bin/other.rs"), "").unwrap();
        assert_eq!(binaries(&folder, "fh-x", &none).unwrap(), ["fh-x", "other"]);
        let named = Manifest::parse("[[bin]]\nname = \"tool\"\npath = \"src/main.rs\"\n");
        assert_eq!(binaries(&folder, "fh-x", &named).unwrap(), ["other", "tool"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn checksums_name_every_file_and_can_be_checked() {
        let folder = std::env::temp_dir().join(format!("xtask-sums-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        std::fs::write(folder.join("bin/fh-x"), "abc").unwrap();
        std::fs::write(folder.join("schema.json"), "{}").unwrap();
        let workspace = Workspace::at(folder.clone()).unwrap();
        assert_eq!(checksums(&workspace, &folder).unwrap(), 2);
        let sums = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
        // FIPS 180-2, appendix B.1.
        assert!(
            sums.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  bin/fh-x"),
            "{sums}"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}

//! Rules on the crates' manifests and on who may depend on whom.

use std::collections::BTreeSet;

use super::Finding;
use super::manifest::{Entry, Manifest};
use crate::dist::{NOT_SHIPPED, binaries};
use crate::workspace::Workspace;

/// What every crate takes from the root manifest.
const INHERITED: &[&str] = &[
    "version",
    "edition",
    "rust-version",
    "license",
    "repository",
    "publish",
];

/// Checks every crate of the workspace.
pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let mut members = Vec::new();
    let mut with_binaries = BTreeSet::new();
    for folder in workspace.crates()? {
        let path = folder.join("Cargo.toml").to_string_lossy().into_owned();
        let manifest = Manifest::parse(&std::fs::read_to_string(workspace.root.join(&path))?);
        let name = manifest.string("package", "name").unwrap_or_default();
        let folder_name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !binaries(&workspace.root.join(&folder), &name, &manifest)?.is_empty() {
            with_binaries.insert(name.clone());
        }
        members.push((path, folder_name, name, manifest));
    }
    let mut findings = Vec::new();
    for (path, folder, name, manifest) in &members {
        findings.extend(inheritance(path, folder, name, manifest));
        findings.extend(dependencies(path, name, manifest, &with_binaries));
    }
    Ok(findings)
}

fn inheritance(path: &str, folder: &str, name: &str, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |what: String| findings.push(Finding::new(path, 0, what));
    if manifest.value("lints", "workspace") != Some("true") {
        found("the workspace's lints do not apply; please add `[lints]` with `workspace = true`".to_owned());
    }
    if manifest
        .string("package", "description")
        .is_none_or(|text| text.trim().is_empty())
    {
        found("there is no description; please say in one line what the crate is for".to_owned());
    }
    for key in INHERITED {
        if manifest.value("package", &format!("{key}.workspace")) != Some("true") {
            found(format!(
                "{key} is not the workspace's; please write `{key}.workspace = true`"
            ));
        }
    }
    if name != folder {
        found(format!(
            "the crate {name:?} is in the folder {folder:?}; please give both one name"
        ));
    }
    if folder != "xtask" && !folder.starts_with("fh-") {
        found(format!(
            "{folder:?} does not begin with \"fh-\"; please name it so"
        ));
    }
    findings
}

/// Versions live in the root manifest only; the shape of the workspace is that of ARCHITECTURE.md.
fn dependencies(
    path: &str,
    name: &str,
    manifest: &Manifest,
    with_binaries: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in manifest.entries() {
        let Some((kind, dependency, inherits)) = dependency(entry) else {
            continue;
        };
        let mut found = |what: String| findings.push(Finding::new(path, entry.line, what));
        if !inherits {
            found(format!(
                "{dependency} has a version of its own; please move it to [workspace.dependencies] and write \
                 `{dependency}.workspace = true`"
            ));
        }
        if name == "xtask" && dependency.starts_with("fh-") {
            found(format!(
                "xtask must stay quick to build; please move what needs {dependency} to fh-docs"
            ));
            continue;
        }
        let for_tests = kind.ends_with("dev-dependencies");
        let development_only = NOT_SHIPPED.contains(&name);
        if NOT_SHIPPED.contains(&dependency.as_str()) {
            if !for_tests && !development_only {
                found(format!(
                    "{dependency} is for development only; please move it to [dev-dependencies]"
                ));
            }
        } else if with_binaries.contains(&dependency) && !development_only {
            found(format!(
                "{dependency} is a tool, and no tool depends on another; please move what both need to a library crate"
            ));
        }
    }
    findings
}

/// The section, the name of the dependency and whether it takes its version from the workspace.
fn dependency(entry: &Entry) -> Option<(&str, String, bool)> {
    if entry.section.ends_with("dependencies") {
        let (name, rest) = entry.key.split_once('.').unwrap_or((&entry.key, ""));
        let inherits = rest == "workspace" && entry.value == "true"
            || entry.value.replace(' ', "").contains("workspace=true");
        return Some((&entry.section, name.trim_matches('"').to_owned(), inherits));
    }
    // `[dependencies.tokio]`: of its entries, the one that decides stands for all.
    let (kind, name) = entry.section.rsplit_once('.')?;
    let decides = matches!(entry.key.as_str(), "workspace" | "version" | "path" | "git");
    (kind.ends_with("dependencies") && decides).then(|| {
        (
            kind,
            name.to_owned(),
            entry.key == "workspace" && entry.value == "true",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    fn of_dependencies(name: &str, text: &str) -> Vec<String> {
        let with_binaries = ["fh-backup", "fh-health", "fh-docs", "fh-testkit"]
            .map(str::to_owned)
            .into();
        texts(&dependencies(
            "Cargo.toml",
            name,
            &Manifest::parse(text),
            &with_binaries,
        ))
    }

    #[test]
    fn a_good_crate_has_no_findings() {
        let good = "[package]\nname = \"fh-x\"\ndescription = \"X\"\nversion.workspace = true\nedition.workspace = true\n\
            rust-version.workspace = true\nlicense.workspace = true\nrepository.workspace = true\n\
            publish.workspace = true\n[lints]\nworkspace = true\n";
        assert!(inheritance("p", "fh-x", "fh-x", &Manifest::parse(good)).is_empty());
        let findings = inheritance(
            "p",
            "y",
            "fh-x",
            &Manifest::parse("[package]\nname = \"fh-x\"\nversion = \"1\"\n"),
        );
        assert_eq!(findings.len(), 2 + INHERITED.len() + 2, "{findings:?}");
    }

    #[test]
    fn versions_live_in_the_root_manifest() {
        let good = "[dependencies]\nclap.workspace = true\ntokio = { workspace = true, features = [\"rt\"] }\n\
            [dev-dependencies.insta]\nworkspace = true\nfeatures = [\"json\"]\n";
        assert!(of_dependencies("fh-x", good).is_empty());
        for bad in [
            "[dependencies]\nclap = \"4\"\n",
            "[target.'cfg(unix)'.dependencies]\nclap = { version = \"4\" }\n",
            "[build-dependencies]\nclap = { path = \"../clap\" }\n",
            "[dependencies.clap]\nversion = \"4\"\n",
        ] {
            let findings = of_dependencies("fh-x", bad);
            assert!(
                findings[0].contains(":2: clap has a version of its own"),
                "{bad}: {findings:?}"
            );
        }
    }

    #[test]
    fn no_tool_depends_on_another() {
        let on_tool = "[dependencies]\nfh-health.workspace = true\n";
        assert!(of_dependencies("fh-backup", on_tool)[0].contains("no tool depends on another"));
        assert!(of_dependencies("fh-pg", on_tool)[0].contains("no tool depends on another"));
        assert!(
            of_dependencies("fh-docs", on_tool).is_empty(),
            "fh-docs reads every command line"
        );
        assert!(of_dependencies("fh-backup", "[dependencies]\nfh-core.workspace = true\n").is_empty());
    }

    #[test]
    fn development_crates_do_not_ship() {
        let as_usual = "[dependencies]\nfh-testkit.workspace = true\n";
        assert!(of_dependencies("fh-backup", as_usual)[0].contains("[dev-dependencies]"));
        assert!(of_dependencies("fh-backup", "[dev-dependencies]\nfh-testkit.workspace = true\n").is_empty());
        assert!(of_dependencies("fh-docs", "[dependencies]\nxtask.workspace = true\n").is_empty());
        assert!(
            of_dependencies("xtask", "[dependencies]\nfh-core.workspace = true\n")[0]
                .contains("xtask must stay")
        );
    }
}

//! Where a pinned tool is on this machine: what `cargo xtask setup` installed first, then PATH.
//!
//! Versions are read from the installer's own records where there are any, because that costs no process and because
//! not every tool tells its version (cargo-shear says "dev").

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::tools::{Kind, Tool};
use crate::workspace::Workspace;

/// Why a tool cannot be used, with the line that installs it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Missing(pub(crate) String);

impl std::fmt::Display for Missing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The path of `tool` in a version that does.
pub(crate) fn find(workspace: &Workspace, tool: &Tool) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    look(&workspace.tools(), &path, tool)
}

/// The first program of this name on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    all_on_path(&std::env::var_os("PATH").unwrap_or_default(), program).next()
}

fn look(tools: &Path, path: &OsStr, tool: &Tool) -> Result<PathBuf, Missing> {
    let (installed, recorded) = match tool.kind {
        Kind::Cargo => (tools.join("bin").join(tool.program), cargo_record(tools, tool)),
        Kind::Python => (
            tools.join("venv/bin").join(tool.program),
            python_record(&tools.join("venv"), tool),
        ),
    };
    let mut others = Vec::new();
    if installed.is_file() {
        match recorded {
            Some(version) if tool.accepts(&version) => return Ok(installed),
            version => others.push((installed, version)),
        }
    }
    for program in all_on_path(path, tool.program) {
        // DIR/bin/tool of a `cargo install --root DIR`, ~/.cargo among them.
        let root = program.parent().and_then(Path::parent);
        let version = root
            .and_then(|root| cargo_record(root, tool))
            .or_else(|| ask(&program, tool));
        match version {
            Some(version) if tool.accepts(&version) => return Ok(program),
            version => others.push((program, version)),
        }
    }
    Err(missing(tool, &others))
}

fn missing(tool: &Tool, others: &[(PathBuf, Option<String>)]) -> Missing {
    let install = match tool.program {
        "cargo-cyclonedx" => "cargo xtask setup --only dist",
        _ => "cargo xtask setup",
    };
    let (program, version) = (tool.program, tool.version);
    Missing(match others.first() {
        None => format!("{program} {version} is not installed; please run `{install}`"),
        Some((path, found)) => {
            let found = found.as_deref().unwrap_or("of unknown version");
            let path = path.display();
            format!("{program} {version} is needed and {path} is {found}; please run `{install}`")
        }
    })
}

fn all_on_path(path: &OsStr, program: &str) -> impl Iterator<Item = PathBuf> {
    let candidates: Vec<PathBuf> = std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .collect();
    candidates.into_iter().filter(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// What cargo recorded in `ROOT/.crates.toml`: lines such as `"cargo-deny 0.20.2 (registry+…)" = ["cargo-deny"]`.
fn cargo_record(root: &Path, tool: &Tool) -> Option<String> {
    let records = std::fs::read_to_string(root.join(".crates.toml")).ok()?;
    let start = format!("\"{} ", tool.package);
    let rest = records.lines().find_map(|line| line.strip_prefix(&start))?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// What pip recorded: a folder `NAME-VERSION.dist-info`, with `_` for `-` in the name.
fn python_record(venv: &Path, tool: &Tool) -> Option<String> {
    let start = format!("{}-", tool.bare_package().replace('-', "_"));
    for python in std::fs::read_dir(venv.join("lib")).ok()?.flatten() {
        let Ok(packages) = std::fs::read_dir(python.path().join("site-packages")) else {
            continue;
        };
        for package in packages.flatten() {
            let name = package.file_name();
            let version = name
                .to_str()?
                .strip_prefix(&start)
                .and_then(|rest| rest.strip_suffix(".dist-info"));
            if let Some(version) = version {
                return Some(version.to_owned());
            }
        }
    }
    None
}

/// The first thing that looks like a version in what the program says about itself.
fn ask(program: &Path, tool: &Tool) -> Option<String> {
    let output = std::process::Command::new(program)
        .args(tool.ask_version)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.split_whitespace()
        .find(|word| word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::tools::{DENY, NEXTEST, TYPOS};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-find-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("bin")).unwrap();
        folder
    }

    fn program(path: &Path, says: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn nothing_there_names_the_install_line() {
        let tools = folder("none");
        let missing = look(&tools, OsStr::new("/nowhere"), &DENY).unwrap_err();
        assert_eq!(
            missing.0,
            "cargo-deny 0.20.2 is not installed; please run `cargo xtask setup`"
        );
        std::fs::remove_dir_all(tools).unwrap();
    }

    #[test]
    fn what_setup_installed_comes_first_and_needs_the_right_record() {
        let tools = folder("cargo");
        program(&tools.join("bin/cargo-deny"), "cargo-deny 9.9.9");
        std::fs::write(
            tools.join(".crates.toml"),
            "[v1]\n\"cargo-deny 0.20.2 (registry)\" = [\"cargo-deny\"]\n",
        )
        .unwrap();
        assert_eq!(
            look(&tools, OsStr::new(""), &DENY),
            Ok(tools.join("bin/cargo-deny"))
        );
        std::fs::write(
            tools.join(".crates.toml"),
            "[v1]\n\"cargo-deny 0.19.0 (registry)\" = [\"cargo-deny\"]\n",
        )
        .unwrap();
        assert!(
            look(&tools, OsStr::new(""), &DENY)
                .unwrap_err()
                .0
                .contains("is 0.19.0")
        );
        std::fs::remove_dir_all(tools).unwrap();
    }

    #[test]
    fn a_python_package_is_known_by_its_dist_info() {
        let tools = folder("python");
        program(&tools.join("venv/bin/typos"), "typos-cli");
        let packages = tools.join("venv/lib/python3.11/site-packages");
        std::fs::create_dir_all(packages.join(format!("typos-{}.dist-info", TYPOS.version))).unwrap();
        assert_eq!(
            look(&tools, OsStr::new(""), &TYPOS),
            Ok(tools.join("venv/bin/typos"))
        );
        std::fs::remove_dir_all(tools).unwrap();
    }

    #[test]
    fn on_path_the_program_is_asked() {
        let tools = folder("path");
        program(
            &tools.join("other/cargo-nextest"),
            "cargo-nextest 0.9.150 (abc 2026-08-04)",
        );
        let path = tools.join("other");
        assert_eq!(
            look(&tools, path.as_os_str(), &NEXTEST),
            Ok(path.join("cargo-nextest"))
        );
        program(&tools.join("other/cargo-nextest"), "cargo-nextest 0.9.98");
        let missing = look(&tools, path.as_os_str(), &NEXTEST).unwrap_err();
        assert!(
            missing.0.contains("is 0.9.98") && missing.0.contains("cargo xtask setup"),
            "{missing}"
        );
        std::fs::remove_dir_all(tools).unwrap();
    }
}

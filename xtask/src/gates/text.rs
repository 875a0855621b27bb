//! Linters for what is not Rust. Each is told exactly which files to check, and finding none to check is a failure.

use std::path::PathBuf;

use super::{Outcome, Run, verdict};
use crate::tools;

pub(super) fn typos(run: &Run) -> anyhow::Result<Outcome> {
    let program = match run.tool(&tools::TYPOS) {
        Ok(program) => program,
        Err(missing) => return Ok(Outcome::Unavailable(missing.to_string())),
    };
    let typos = || run.workspace.shell.cmd(&program).args(["--config", "typos.toml"]);
    if run.how.fix {
        // What it cannot decide alone makes it fail here; the check below reports it.
        typos().arg("--write-changes").ignore_status().run()?;
    }
    let advice = "correct the word (`cargo xtask typos --fix`), or add it to typos.toml with a reason";
    Ok(verdict(&typos(), advice))
}

pub(super) fn taplo(run: &Run) -> anyhow::Result<Outcome> {
    let program = match run.tool(&tools::TAPLO) {
        Ok(program) => program,
        Err(missing) => return Ok(Outcome::Unavailable(missing.to_string())),
    };
    let files = files(run, |path| {
        path.extension().is_some_and(|extension| extension == "toml")
    })?;
    if files.is_empty() {
        return Ok(Outcome::Fail("no TOML file found to check".to_owned()));
    }
    let taplo = || run.workspace.shell.cmd(&program).env("RUST_LOG", "warn");
    if run.how.fix {
        taplo().arg("fmt").args(&files).run()?;
    }
    // Schemas are off because they are fetched.
    if let Outcome::Fail(why) = verdict(&taplo().args(["lint", "--no-schema"]).args(&files), "") {
        return Ok(Outcome::Fail(why));
    }
    let advice = "`cargo xtask taplo --fix` formats";
    Ok(counted(
        verdict(&taplo().args(["fmt", "--check"]).args(&files), advice),
        files.len(),
    ))
}

pub(super) fn shellcheck(run: &Run) -> anyhow::Result<Outcome> {
    let program = match run.tool(&tools::SHELLCHECK) {
        Ok(program) => program,
        Err(missing) => return Ok(Outcome::Unavailable(missing.to_string())),
    };
    let root = run.workspace.root.clone();
    let files = files(run, |path| is_shell(&root.join(path)))?;
    if files.is_empty() {
        return Ok(Outcome::Fail("no shell script found to check".to_owned()));
    }
    let check = run
        .workspace
        .shell
        .cmd(program)
        .arg("--external-sources")
        .args(&files);
    Ok(counted(verdict(&check, ""), files.len()))
}

pub(super) fn workflows(run: &Run) -> anyhow::Result<Outcome> {
    let program = match run.tool(&tools::ZIZMOR) {
        Ok(program) => program,
        Err(missing) => return Ok(Outcome::Unavailable(missing.to_string())),
    };
    let files = files(run, |path| path.starts_with(".github/workflows"))?;
    if files.is_empty() {
        return Ok(Outcome::Fail("no GitHub workflow found to check".to_owned()));
    }
    let check = run
        .workspace
        .shell
        .cmd(program)
        .args(["--offline", "--no-progress", "--quiet"])
        .args(&files);
    Ok(counted(verdict(&check, ""), files.len()))
}

fn files(run: &Run, wanted: impl Fn(&PathBuf) -> bool) -> anyhow::Result<Vec<PathBuf>> {
    Ok(run.workspace.files()?.into_iter().filter(wanted).collect())
}

fn counted(outcome: Outcome, files: usize) -> Outcome {
    match outcome {
        Outcome::Pass(_) => Outcome::Pass(format!("{files} {}", if files == 1 { "file" } else { "files" })),
        other => other,
    }
}

/// By name, or by a first line such as `#!/usr/bin/env bash`.
fn is_shell(path: &std::path::Path) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("sh" | "bash") => true,
        Some(_) => false,
        None => {
            let text = std::fs::read(path).unwrap_or_default();
            let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
            first.starts_with(b"#!") && first.ends_with(b"sh")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_script_is_known_by_name_or_first_line() {
        let folder = std::env::temp_dir().join(format!("xtask-shell-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name)
        };
        assert!(is_shell(&write("run", "#!/usr/bin/env bash\nexit 0\n")));
        assert!(is_shell(&write("plain", "#!/bin/sh\n")));
        assert!(is_shell(&write("named.sh", "")));
        assert!(!is_shell(&write("script.py", "#!/usr/bin/env bash\n")));
        assert!(!is_shell(&write("python", "#!/usr/bin/env python3\n")));
        assert!(!is_shell(&write("LICENSE", "MIT\n")));
        std::fs::remove_dir_all(folder).unwrap();
    }
}

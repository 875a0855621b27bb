//! `cargo xtask demo`: a real backup and restore on this machine, from nothing. The work is done by the binary fh-demo
//! of fh-testkit; this sets up what is missing and builds.

use crate::cli::{DemoOptions, Part, SetupOptions};
use crate::process::{cargo, clean};
use crate::services::{self, OLDEST_POSTGRES};
use crate::workspace::Workspace;
use crate::{setup, ui};

/// Whether the demo ended well.
pub(crate) fn run(workspace: &Workspace, options: &DemoOptions) -> anyhow::Result<bool> {
    need_postgres(workspace, "demo")?;
    ui::say("demo: building (several minutes the first time)");
    cargo(workspace).args(build(options.release)).run()?;
    let folder = workspace
        .target()
        .join(if options.release { "release" } else { "debug" });
    let demo = clean(workspace.shell.cmd(folder.join("fh-demo")));
    let demo = demo
        .arg("--fh-backup")
        .arg(folder.join("fh-backup"))
        .args(arguments(options));
    demo.run()?;
    Ok(true)
}

/// Installs PostgreSQL where there is none that will do; `task` is who asks.
pub(crate) fn need_postgres(workspace: &Workspace, task: &str) -> anyhow::Result<()> {
    let enough = || services::postgres().is_some_and(|found| found.major >= OLDEST_POSTGRES);
    if enough() {
        return Ok(());
    }
    ui::say(&format!(
        "{task}: it needs PostgreSQL {OLDEST_POSTGRES} or newer, server and client"
    ));
    let services = SetupOptions {
        only: vec![Part::Services],
        ..SetupOptions::default()
    };
    setup::run(workspace, &services)?;
    anyhow::ensure!(
        enough(),
        "there is still no PostgreSQL {OLDEST_POSTGRES} or newer, so the {task} cannot run"
    );
    Ok(())
}

/// The debug build is that of every gate, so that neither makes the other build again. The optimised one is of the two
/// crates alone: there is nothing to share it with.
pub(crate) fn build(release: bool) -> &'static [&'static str] {
    if release {
        &[
            "build",
            "--release",
            "-p",
            "fh-backup",
            "-p",
            "fh-testkit",
            "--bins",
            "--locked",
        ]
    } else {
        &["build", "--workspace", "--all-targets", "--locked"]
    }
}

fn arguments(options: &DemoOptions) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(rows) = options.rows {
        arguments.extend(["--rows".to_owned(), rows.to_string()]);
    }
    if options.keep {
        arguments.push("--keep".to_owned());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_handed_on() {
        assert!(arguments(&DemoOptions::default()).is_empty());
        let options = DemoOptions {
            rows: Some(5000),
            keep: true,
            release: false,
        };
        assert_eq!(arguments(&options), ["--rows", "5000", "--keep"]);
    }
}

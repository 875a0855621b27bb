//! The documentation check: fh-docs knows every command line of the toolkit.

use super::{Outcome, Run, verdict};
use crate::process::{cargo, clean};

/// Builds all and runs the binary itself: `cargo run -p` would build shared crates anew with fewer features.
pub(super) fn check(run: &Run) -> anyhow::Result<Outcome> {
    cargo(run.workspace)
        .args(["build", "--workspace", "--all-targets", "--locked", "--quiet"])
        .run()?;
    let program = run.workspace.target().join("debug/fh-docs");
    let command = clean(run.workspace.shell.cmd(program)).arg("check");
    Ok(verdict(
        &command,
        "the documentation names a command, option or link that is not there",
    ))
}

//! What the Rust toolchain itself checks.
//!
//! Every build is `--workspace --all-targets`: another choice of crates or targets switches features of shared
//! dependencies on or off and so builds the AWS crates anew.

use super::{Outcome, Run, verdict};
use crate::process::cargo;

pub(super) fn fmt(run: &Run) -> anyhow::Result<Outcome> {
    if run.how.fix {
        cargo(run.workspace).args(["fmt", "--all"]).run()?;
    }
    let check = cargo(run.workspace).args(["fmt", "--all", "--", "--check"]);
    Ok(verdict(&check, "`cargo xtask fmt --fix` formats"))
}

pub(super) fn clippy(run: &Run) -> anyhow::Result<Outcome> {
    const WHAT: [&str; 3] = ["clippy", "--workspace", "--all-targets"];
    if run.how.fix {
        cargo(run.workspace)
            .args(WHAT)
            .args(["--fix", "--allow-dirty", "--allow-staged"])
            .run()?;
    }
    let check = cargo(run.workspace)
        .args(WHAT)
        .args(["--locked", "--", "-D", "warnings"]);
    Ok(verdict(&check, "`cargo xtask clippy --fix` repairs some of it"))
}

pub(super) fn build(run: &Run) -> anyhow::Result<Outcome> {
    Ok(verdict(
        &cargo(run.workspace).args(["build", "--workspace", "--all-targets", "--locked"]),
        "",
    ))
}

pub(super) fn doctest(run: &Run) -> anyhow::Result<Outcome> {
    Ok(verdict(
        &cargo(run.workspace).args(["test", "--doc", "--workspace", "--locked"]),
        "",
    ))
}

pub(super) fn rustdoc(run: &Run) -> anyhow::Result<Outcome> {
    let doc = cargo(run.workspace).args(["doc", "--no-deps", "--workspace", "--locked"]);
    Ok(verdict(&doc.env("RUSTDOCFLAGS", "-D warnings"), ""))
}

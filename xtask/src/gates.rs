//! The gates of `cargo xtask ci`, in the order in which they run: cheap ones that fail often first within each kind.

mod dependencies;
mod docs;
mod rust;
mod testing;
mod text;

use std::cell::RefCell;
use std::path::PathBuf;

use crate::cli::GateOptions;
use crate::find::{self, Missing};
use crate::tools::Tool;
use crate::workspace::Workspace;

/// One gate.
pub(crate) struct Gate {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    run: fn(&Run) -> anyhow::Result<Outcome>,
}

/// What a gate found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It ran and all is good; with a number worth showing, or nothing.
    Pass(String),
    /// It ran and found something.
    Fail(String),
    /// It could not run, and this is why. A failure under `--strict`.
    Unavailable(String),
    /// It could not run for want of a network, which no setup can install; not a failure even under `--strict`.
    Unreachable(String),
}

/// What the gates of one run share.
pub(crate) struct Run<'w> {
    pub(crate) workspace: &'w Workspace,
    pub(crate) how: GateOptions,
    /// Left by the test gate for the coverage gate.
    pub(crate) tests: RefCell<Option<TestRun>>,
}

/// What the test run left behind.
#[derive(Clone, Debug)]
pub(crate) struct TestRun {
    pub(crate) counts: Option<Counts>,
    /// Whether every test passed in an instrumented build, or why there is nothing to measure.
    pub(crate) measured: Result<(), String>,
}

/// How many tests ran, as nextest's JUnit file tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

const fn gate(name: &'static str, about: &'static str, run: fn(&Run) -> anyhow::Result<Outcome>) -> Gate {
    Gate { name, about, run }
}

/// All gates.
pub(crate) const GATES: &[Gate] = &[
    gate("fmt", "Rust files are formatted (rustfmt)", rust::fmt),
    gate("tidy", "this repository's own rules hold", crate::tidy::gate),
    gate("typos", "no misspelt words", text::typos),
    gate("taplo", "TOML files are formatted and valid", text::taplo),
    gate(
        "shellcheck",
        "shell scripts have no known mistakes",
        text::shellcheck,
    ),
    gate(
        "workflows",
        "GitHub workflows have no known weakness (zizmor, offline)",
        text::workflows,
    ),
    gate(
        "deny",
        "licences, banned crates and sources (cargo-deny)",
        dependencies::deny,
    ),
    gate(
        "advisories",
        "no dependency has a known vulnerability (cargo-deny)",
        dependencies::advisories,
    ),
    gate(
        "shear",
        "no dependency is unused (cargo-shear)",
        dependencies::shear,
    ),
    gate(
        "clippy",
        "no compiler or clippy warnings in any target",
        rust::clippy,
    ),
    gate("build", "every target of every crate builds", rust::build),
    gate("doctest", "examples in the API documentation run", rust::doctest),
    gate(
        "rustdoc",
        "API documentation builds without warnings",
        rust::rustdoc,
    ),
    gate(
        "docs",
        "commands and links in the documentation are real (fh-docs)",
        docs::check,
    ),
    gate(
        "test",
        "all tests pass, with every service there (nextest)",
        testing::test,
    ),
    gate(
        "coverage",
        "the tests run enough of the lines (llvm-cov)",
        testing::coverage,
    ),
];

/// The gate of this name.
pub(crate) fn find(name: &str) -> Option<&'static Gate> {
    GATES.iter().find(|gate| gate.name == name)
}

impl Gate {
    /// Runs it. An error on the way is a failure, because the gate did not find all good.
    pub(crate) fn run(&self, run: &Run) -> Outcome {
        (self.run)(run).unwrap_or_else(|error| Outcome::Fail(format!("{error:#}")))
    }
}

impl Run<'_> {
    /// The path of a pinned tool.
    fn tool(&self, tool: &Tool) -> Result<PathBuf, Missing> {
        find::find(self.workspace, tool)
    }
}

/// Runs `command` with its output going through: good is a pass, anything else a failure with this advice.
fn verdict(command: &xshell::Cmd<'_>, advice: &str) -> Outcome {
    match command.run() {
        Ok(()) => Outcome::Pass(String::new()),
        Err(error) => Outcome::Fail(match exit_code(&error.to_string()) {
            Some(code) if advice.is_empty() => format!("exit code {code}"),
            Some(code) => format!("exit code {code}; {advice}"),
            // It could not be started, or was killed: the advice is for what it would have found.
            None => error.to_string(),
        }),
    }
}

/// The code in xshell's message "command exited with non-zero code `…`: 1"; the command line itself was printed when it
/// started.
fn exit_code(error: &str) -> Option<&str> {
    let (start, code) = error.rsplit_once("`: ")?;
    start.starts_with("command exited").then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_a_few_words() {
        let shell = xshell::Shell::new().unwrap();
        let fails = shell.cmd("sh").args(["-c", "exit 7"]);
        assert_eq!(
            verdict(&fails, "do this"),
            Outcome::Fail("exit code 7; do this".into())
        );
        assert_eq!(verdict(&shell.cmd("true"), ""), Outcome::Pass(String::new()));
        let Outcome::Fail(why) = verdict(&shell.cmd("/no/such/program"), "do this") else {
            panic!("it cannot start")
        };
        assert!(
            why.contains("/no/such/program") && !why.contains("do this"),
            "{why}"
        );
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = GATES.iter().map(|gate| gate.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), GATES.len());
    }
}

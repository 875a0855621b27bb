//! Development tasks of this repository, run as `cargo xtask TASK`. Everything that a person or a CI system does here
//! is one of these commands, so that both do the same.
//!
//! This is a table of contents: each task is a file, and each gate of `cargo xtask ci` is a row of the table in
//! `gates.rs`. The crate is a library so that fh-docs can check the commands in our documentation against [`command`]:
//!
//! ```
//! assert!(xtask::command().try_get_matches_from(["xtask", "ci", "--only", "fmt,tidy"]).is_ok());
//! assert!(xtask::command().try_get_matches_from(["xtask", "ci", "--no-such-flag"]).is_err());
//! ```

mod bench; //     cargo xtask bench: ratios against peers
mod ci; //        cargo xtask ci: choose gates, run them, table, exit code
mod cli; //       what may be typed
mod coverage; //  the floor and the report of the instrumented test run
mod demo; //      cargo xtask demo: a real backup and restore, from nothing
mod dist; //      cargo xtask dist: release binaries and what ships with them
mod find; //      where a pinned tool is on this machine, and in which version
mod gates; //     the gates, in order
mod llvm; //      LLVM's coverage tools, of the compiler's own major version
mod process; //   starting other programs
mod services; //  PostgreSQL and Redis on this machine
mod setup; //     cargo xtask setup: from a bare machine to where everything runs
mod tidy; //      this repository's own rules, as code
mod tools; //     the one table of pinned tool versions
mod ui; //        the one place that prints
mod workspace; // the repository: its root, crates and files

use std::ffi::OsString;
use std::process::ExitCode;

/// The command line of `cargo xtask`, as clap sees it.
#[must_use]
pub fn command() -> clap::Command {
    cli::command()
}

/// Runs the task named in `args` (the program's name first). The exit code is 0 when everything asked for was done and
/// is good, 1 when it is not, and 2 for a mistake in the command line.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let task = match cli::parse(args) {
        Ok(task) => task,
        Err(stop) => {
            // Help and version are asked for, so they are no error; clap knows which stream each belongs to.
            let _ = stop.print();
            return if stop.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match start(task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            ui::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Whether the task found everything good.
fn start(task: cli::Task) -> anyhow::Result<bool> {
    let workspace = workspace::Workspace::find()?;
    match task {
        cli::Task::Ci(options) => ci::run(&workspace, &options),
        cli::Task::Setup(options) => setup::run(&workspace, &options),
        cli::Task::Bench(cli::Bench::Backup(options)) => bench::run(&workspace, &options),
        cli::Task::Bench(cli::Bench::Health(options)) => bench::checks(&workspace, "health", &options),
        cli::Task::Bench(cli::Bench::Smoke(options)) => bench::checks(&workspace, "smoke", &options),
        cli::Task::Demo(options) => demo::run(&workspace, &options),
        cli::Task::Dist => dist::run(&workspace),
    }
}

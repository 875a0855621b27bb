//! The benchmarks behind `cargo xtask bench health` and `cargo xtask bench smoke`: our checks and what people use instead,
//! against the same servers on this machine, in turns.
//!
//! A peer that is not installed is named as left out. Ratios are ours to theirs, of medians: below one is better.

mod health;
mod hung;
mod smoke;
mod table;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};

use crate::host::without_settings;
use crate::process::Workdir;
use table::Table;

const EXAMPLES: &str = "\
Examples:
  fh-bench-checks health
  fh-bench-checks smoke --runs 5";

/// Measures fh-health and fh-smoke against what people use instead.
///
/// Everything happens on this machine and is removed at the end. The tables on stdout are Markdown.
#[derive(Debug, Clone, Parser)]
#[command(name = "fh-bench-checks", version, before_help = EXAMPLES)]
pub struct Options {
    /// What to measure.
    #[command(subcommand)]
    pub tool: Tool,
}

/// What to measure.
#[derive(Debug, Clone, Subcommand)]
pub enum Tool {
    /// fh-health against curl and check_pgactivity.
    Health(Runs),
    /// fh-smoke against curl in bash, and Newman.
    Smoke(Runs),
}

/// How to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Runs {
    /// Where the optimised programs are; the folder of this one when not given.
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// How often each is run; the tables show medians.
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=999))]
    pub runs: u32,
}

/// Runs the benchmark. Success means that everything that was measured also worked.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    let tables = match &options.tool {
        Tool::Health(runs) => health::bench(runs),
        Tool::Smoke(runs) => smoke::bench(runs),
    };
    match tables {
        Ok(tables) => {
            let text: Vec<String> = tables.iter().map(Table::markdown).collect();
            match writeln!(std::io::stdout().lock(), "{}", text.join("\n")) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "bench: NOT MEASURED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One of our programs, in a folder of its own and without the caller's configuration.
fn program(runs: &Runs, name: &str, workdir: &Workdir) -> Result<Command> {
    let folder = match &runs.programs {
        Some(folder) => std::path::absolute(folder)?,
        None => std::env::current_exe()?
            .parent()
            .context("this program lies in no folder")?
            .to_owned(),
    };
    let path = folder.join(name);
    ensure!(path.is_file(), "{} is not there: build it first", path.display());
    let mut command = Command::new(path);
    command.current_dir(workdir.path());
    without_settings(&mut command);
    Ok(command)
}

fn bash(script: &Path) -> Command {
    let mut command = Command::new("bash");
    command.arg(script);
    command
}

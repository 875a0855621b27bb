//! What may be typed: the fixed tasks by clap's derive, and one subcommand for each row of the gate table.

use std::ffi::OsString;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::gates;

const EXAMPLES: &str = "\
Examples:
  cargo xtask setup                  install what the gates and tests need (says what first)
  cargo xtask ci                     every gate, in order
  cargo xtask ci --fix --skip test   repair what can be repaired, and check the rest
  cargo xtask clippy                 one gate
  cargo xtask demo                   a real backup and restore on this machine

Exit codes: 0 good; 1 a gate or task failed, or nothing ran; 2 a mistake in the command line.";

#[derive(Debug, Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    about = "Development tasks of this repository"
)]
#[command(before_help = EXAMPLES, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

/// One task with its options.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Run the gates in order, and print a table of the results
    Ci(CiOptions),
    /// Install what is missing: PostgreSQL, Redis, a C compiler, LLVM's tools, cargo and Python tools
    Setup(SetupOptions),
    /// Fill a throw-away PostgreSQL, back it up, destroy it, restore it, and prove that nothing is lost
    Demo(DemoOptions),
    /// Measure a tool against what people use instead, in turns, and print a table of ratios
    #[command(subcommand)]
    Bench(Bench),
    /// Build what ships, under target/dist: binaries, completions, man pages, checksums, SBOM
    Dist,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CiOptions {
    /// Run only these gates (comma-separated; see --list)
    #[arg(long, value_name = "GATES", value_delimiter = ',', value_parser = gate_name)]
    pub(crate) only: Vec<String>,
    /// Leave these gates out; they are listed as skipped
    #[arg(long, value_name = "GATES", value_delimiter = ',', value_parser = gate_name)]
    pub(crate) skip: Vec<String>,
    /// Print the gates and what each one checks, and run nothing
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) how: GateOptions,
    /// Stop at the first gate that fails
    #[arg(long)]
    pub(crate) fail_fast: bool,
}

/// What `ci` and each gate's own subcommand have in common.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct GateOptions {
    /// Repair first what a tool can repair (formatting, some lints, spelling)
    #[arg(long)]
    pub(crate) fix: bool,
    /// Count a gate that could not run as failed (advisories without a network excepted)
    #[arg(long)]
    pub(crate) strict: bool,
    /// Install missing tools first, as `cargo xtask setup --yes` does
    #[arg(long)]
    pub(crate) setup: bool,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SetupOptions {
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask before starting (nothing is asked either when standard input is no terminal)
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Only this part (may be repeated, or comma-separated); without it, everything but `dist`
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
}

/// A part of the setup.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Part {
    /// PostgreSQL server and client, Redis, C compiler, git, LLVM's coverage tools
    Services,
    /// Cargo subcommands that the gates use
    Cargo,
    /// Linters and test servers that come as Python packages
    Python,
    /// What only `cargo xtask dist` needs
    Dist,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DemoOptions {
    /// How many rows to make up, over all tables together (default: one million)
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<u64>,
    /// Keep the server's data and the backup for a look, and print where they are
    #[arg(long)]
    pub(crate) keep: bool,
    /// Build and run optimised binaries: a longer build, and times that mean something
    #[arg(long)]
    pub(crate) release: bool,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// fh-backup against pg_dump with gzip and zstd, its own formats, and restic
    Backup(BenchOptions),
    /// fh-health against curl in bash, and check_pgactivity
    Health(CheckBenchOptions),
    /// fh-smoke against curl in bash and Newman; how exactly a deadline is kept
    Smoke(CheckBenchOptions),
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CheckBenchOptions {
    /// How often each is run; the tables show medians (default: 11)
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<u64>,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct BenchOptions {
    /// Rows of the data set (default: 16 million, about 1.5 GB of COPY text)
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<u64>,
    /// How often each is run; the table shows medians (default: 3)
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<u64>,
    /// Sessions of everything that can use several (default: 2)
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<u64>,
    /// Only one part
    #[arg(long, value_name = "PART", value_parser = ["backup", "again", "restore"])]
    pub(crate) only: Option<String>,
}

/// The whole tree.
pub(crate) fn command() -> clap::Command {
    let mut command = Cli::command();
    for gate in gates::GATES {
        // The description comes last: augmenting replaces it by that of the options.
        let gate_command = GateOptions::augment_args(clap::Command::new(gate.name));
        command = command.subcommand(
            gate_command
                .about(format!("Gate: {}", gate.about))
                .long_about(None),
        );
    }
    command
}

/// What `args` ask for. A gate's own subcommand is `ci --only` with that gate.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Task, clap::Error> {
    let matches = command().try_get_matches_from(args)?;
    if let Some((name, gate_matches)) = matches.subcommand()
        && gates::find(name).is_some()
    {
        let how = GateOptions::from_arg_matches(gate_matches)?;
        return Ok(Task::Ci(CiOptions {
            only: vec![name.to_owned()],
            how,
            ..CiOptions::default()
        }));
    }
    Ok(Cli::from_arg_matches(&matches)?.task)
}

fn gate_name(text: &str) -> Result<String, String> {
    if gates::find(text).is_some() {
        return Ok(text.to_owned());
    }
    let names: Vec<&str> = gates::GATES.iter().map(|gate| gate.name).collect();
    Err(format!("no such gate; the gates are {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(args: &[&str]) -> Result<Task, clap::Error> {
        parse(
            std::iter::once("xtask")
                .chain(args.iter().copied())
                .map(OsString::from),
        )
    }

    #[test]
    fn the_tree_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_gate_of_its_own_is_ci_with_that_gate_only() {
        match task(&["clippy", "--fix"]).unwrap() {
            Task::Ci(options) => {
                assert_eq!(options.only, ["clippy"]);
                assert!(options.how.fix);
                assert!(!options.how.strict);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn gates_are_given_as_a_list_and_checked() {
        match task(&["ci", "--only", "fmt,tidy", "--skip", "deny"]).unwrap() {
            Task::Ci(options) => {
                assert_eq!(options.only, ["fmt", "tidy"]);
                assert_eq!(options.skip, ["deny"]);
            }
            other => panic!("{other:?}"),
        }
        let error = task(&["ci", "--only", "fmt,clipy"]).unwrap_err().to_string();
        assert!(error.contains("clipy") && error.contains("clippy,"), "{error}");
    }

    #[test]
    fn no_task_is_a_usage_error() {
        assert!(task(&[]).unwrap_err().use_stderr());
        assert!(
            task(&["--help"])
                .unwrap_err()
                .to_string()
                .contains("Gate: Rust files")
        );
    }
}

//! The command line of `fh-docs`, which `cargo xtask` calls.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;

use crate::{check, emit, trees};

/// Checks the documentation against the tools, and makes what ships beside them.
#[derive(Debug, Parser)]
#[command(name = "fh-docs")]
enum Cli {
    /// Checks every command and link in README, docs and runbooks.
    Check {
        /// Root of the repository.
        #[arg(long, default_value = ".")]
        root: PathBuf,
    },
    /// Writes man pages into a folder.
    Man {
        /// The folder.
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes shell completions into a folder.
    Completions {
        /// The folder.
        #[arg(long)]
        out: PathBuf,
    },
    /// Prints the JSON Schema of the configuration file.
    Schema {
        /// Write it to this file instead.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Prints the JSON Schema of the suites of fh-smoke.
    SuiteSchema {
        /// Write it to this file instead.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// Parses the command line and runs it: 0 when all is well, 1 otherwise.
#[must_use]
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<String> {
    match cli {
        Cli::Check { root } => run_check(&root),
        Cli::Man { out } => Ok(format!("{} man pages in {}\n", emit::man(&out)?, out.display())),
        Cli::Completions { out } => Ok(format!(
            "{} completion files in {}\n",
            emit::completions(&out)?,
            out.display()
        )),
        Cli::Schema { out } => written(emit::schema()?, out.as_deref()),
        Cli::SuiteSchema { out } => written(emit::suite_schema()?, out.as_deref()),
    }
}

/// The text, or the file that it was written to.
fn written(text: String, out: Option<&Path>) -> Result<String> {
    let Some(file) = out else { return Ok(text) };
    fs_err::write(file, text)?;
    Ok(format!("{}\n", file.display()))
}

fn run_check(root: &Path) -> Result<String> {
    let outcome = check::run(root, &trees::all())?;
    if !outcome.wrong.is_empty() {
        bail!(
            "{} thing(s) in the documentation are wrong:\n  {}",
            outcome.wrong.len(),
            outcome.wrong.join("\n  ")
        );
    }
    if outcome.commands == 0 {
        bail!(
            "no command was found in {} pages: nothing was checked",
            outcome.pages
        );
    }
    for (file, command, text) in [
        ("docs/financehub.schema.json", "schema", emit::schema()?),
        ("docs/fh-smoke.schema.json", "suite-schema", emit::suite_schema()?),
    ] {
        let schema = root.join(file);
        if fs_err::read_to_string(&schema)? != text {
            bail!(
                "{0} is not what the types say; write it anew: cargo run -p fh-docs -- {command} --out {0}",
                schema.display()
            );
        }
    }
    Ok(format!(
        "{} pages, {} commands: all accepted; links lead somewhere; the schemas are current\n",
        outcome.pages, outcome.commands
    ))
}

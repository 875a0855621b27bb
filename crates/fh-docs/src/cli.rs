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
    /// Prints the JSON Schema of the configuration file, or compares it with a file.
    Schema {
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
        Cli::Schema { out: None } => emit::schema(),
        Cli::Schema { out: Some(file) } => {
            fs_err::write(&file, emit::schema()?)?;
            Ok(format!("{}\n", file.display()))
        }
    }
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
    let schema = root.join("docs/financehub.schema.json");
    if fs_err::read_to_string(&schema)? != emit::schema()? {
        bail!(
            "{0} is not what the configuration types say; write it anew: cargo run -p fh-docs -- schema --out {0}",
            schema.display()
        );
    }
    Ok(format!(
        "{} pages, {} commands: all accepted; links lead somewhere; the schema is current\n",
        outcome.pages, outcome.commands
    ))
}

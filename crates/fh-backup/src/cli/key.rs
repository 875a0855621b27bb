//! Command line of `fh-backup key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const CHECK_EXAMPLES: &str = "\
Examples:
  fh-backup key check
  fh-backup key check --identity offline-identity.txt";
const ROTATE_EXAMPLES: &str = "\
Examples:
  fh-backup key rotate --add age1… --remove age1…
  fh-backup key check --identity new-identity.txt";

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Makes an age key pair: the identity goes to a file, the recipient is printed.
    Generate(Generate),
    /// Says which keys fit this repository and which sets the identity opens.
    #[command(before_help = CHECK_EXAMPLES)]
    Check,
    /// Changes whom later sets are encrypted to. What is stored stays as it is: a removed key still opens older sets.
    #[command(before_help = ROTATE_EXAMPLES)]
    Rotate(Rotate),
}

/// Options of `key generate`.
#[derive(Debug, Args)]
pub struct Generate {
    /// File for the identity. It is made with mode 0600 and never overwritten.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// Options of `key rotate`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Rotate {
    /// Encrypt later sets to this age recipient, too. The next backup writes everything again, so that it can read all.
    #[arg(long, value_name = "AGE1…")]
    pub add: Vec<String>,
    /// Encrypt later sets to this recipient no more.
    #[arg(long, value_name = "AGE1…")]
    pub remove: Vec<String>,
}

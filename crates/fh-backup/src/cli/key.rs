//! Command line of `fh-backup key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Makes an age key pair: the identity goes to a file, the recipient is printed.
    Generate(Generate),
}

/// Options of `key generate`.
#[derive(Debug, Args)]
pub struct Generate {
    /// File for the identity. It is made with mode 0600 and never overwritten.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

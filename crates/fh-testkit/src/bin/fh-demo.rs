//! `fh-demo`: proves on a throw-away PostgreSQL that a backup restores to what it was taken from.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    fh_testkit::demo::run(&fh_testkit::demo::Options::parse())
}

//! `fh-bench`: measures fh-backup and its peers side by side.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    fh_testkit::bench::run(&fh_testkit::bench::Options::parse())
}

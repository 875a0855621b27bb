//! `fh-bench-checks`: measures fh-health and fh-smoke beside their peers.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    fh_testkit::bench_checks::run(&fh_testkit::bench_checks::Options::parse())
}

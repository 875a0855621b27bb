//! `fh-smoke`: parses, calls the library, ends with the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    fh_core::app::main::<fh_smoke::Cli>()
}

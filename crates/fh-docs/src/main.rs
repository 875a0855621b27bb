//! `fh-docs`: parses, calls the library, ends with the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    fh_docs::cli::main()
}

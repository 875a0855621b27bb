//! `cargo xtask`: see the library beside this file, which is the table of contents.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::run(std::env::args_os())
}

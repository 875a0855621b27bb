//! Links every tool's command line and configuration type, for what must agree with them: the documentation check, man
//! pages, shell completions and the configuration schema. Development only: `cargo xtask` runs it.
//!
//! ```
//! let trees = fh_docs::trees::all();
//! let wrong = fh_docs::commands::check_line("fh-backup crate", &trees);
//! assert!(wrong[0].contains("unrecognized subcommand"));
//! ```

pub mod check;
pub mod cli;
pub mod commands;
pub mod emit;
pub mod links;
pub mod markdown;
pub mod trees;

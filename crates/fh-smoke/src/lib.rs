//! Decides whether a deploy is really good: the right version on every address, scenarios with expectations, the assets
//! that a page names, its security headers and its certificate, all within one deadline.
//!
//! ```
//! use clap::Parser;
//! let cli = fh_smoke::Cli::try_parse_from(["fh-smoke", "suite.toml", "--env", "staging", "--tag", "critical"]).unwrap();
//! assert!(cli.command.is_none(), "running is what happens without a sub-command");
//! ```

mod assets;
mod certificate;
mod cli;
mod command;
mod engine;
mod findings;
mod gate;
mod hurl;
mod openapi;
mod page;
mod record;
mod security;
mod session;
mod toml_text;

pub use cli::{Cli, Command};

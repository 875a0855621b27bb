//! One file for each subcommand: what it does, and the report of it.

pub mod check;
pub mod config;
pub mod explain;
pub mod init;
pub mod list;
pub mod slo;
pub mod watch;

/// Name of the tool in its reports.
pub const TOOL: &str = "fh-health";

//! One file for each subcommand: what it does, and the report of it.

pub mod check;
pub mod list;

/// Name of the tool in its reports.
pub const TOOL: &str = "fh-health";

//! One file for each subcommand: what it does, and the report of it.

pub mod accept;
pub mod copy;
pub mod create;
pub mod drill;
pub mod export;
pub mod init;
pub mod key;
pub mod list;
pub mod parts;
pub mod prune;
pub mod restore;
pub mod rotate;
pub mod show;
pub mod status;
pub mod verify;

use fh_core::report::Report;

/// Name of the tool in its reports.
pub const TOOL: &str = "fh-backup";

/// A report with checks: its exit code says whether they passed.
fn verdict(command: &str, title: impl Into<String>) -> Report {
    Report::verdict_run(TOOL, command, title)
}

/// A report that only tells.
fn listing(command: &str, title: impl Into<String>) -> Report {
    Report::listing(TOOL, command, title)
}

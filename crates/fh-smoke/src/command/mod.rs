//! What each sub-command does.

pub(crate) mod check;
pub(crate) mod convert;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod run;
mod write;

/// The binary's name.
pub(crate) const TOOL: &str = "fh-smoke";

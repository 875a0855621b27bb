//! What each sub-command does.

pub(crate) mod check;
pub(crate) mod list;
pub(crate) mod run;

/// The binary's name.
pub(crate) const TOOL: &str = "fh-smoke";

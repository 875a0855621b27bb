//! Command line of `fh-backup verify`.

use clap::Args;

use super::SetChoice;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup verify latest
  fh-backup verify --full --identity backup-identity.txt 2026-11-23T020000Z-7f3a91";

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    pub(crate) set: SetChoice,
    /// Also decrypt and decompress everything and recount every row.
    #[arg(long)]
    pub full: bool,
}

//! Command line of `fh-backup restore`.

use clap::Args;

use super::{Override, PartChoice, SetChoice};

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup restore --into app_restored --identity backup-identity.txt
  RESTORE_URL=postgres://admin@other/app fh-backup restore --target-url-env RESTORE_URL latest
  fh-backup restore --globals --dry-run
  fh-backup restore --files media --to /srv/media-restored --path 2026/11
  fh-backup restore --config-files --to restored-configuration
  RESTORE_REDIS=redis://other:6379 fh-backup restore --redis --redis-url-env RESTORE_REDIS";

/// Options of `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    pub(crate) set: SetChoice,
    /// Restore into this database on the server of the configured URL. It must exist and be empty.
    #[arg(long, value_name = "DATABASE", conflicts_with = "target_url_env")]
    pub into: Option<String>,
    /// Take the target's connection URL from this environment variable instead of the configuration.
    #[arg(long, value_name = "VARIABLE")]
    pub target_url_env: Option<String>,
    /// Which database of the set, when it holds several.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Connections that load at the same time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// Make everything belong to the role that restores.
    #[arg(long)]
    pub no_owner: bool,
    /// Leave GRANT and REVOKE out.
    #[arg(long)]
    pub no_privileges: bool,
    #[command(flatten)]
    pub(crate) part: PartChoice,
}

impl Restore {
    pub(super) fn overrides(&self) -> Vec<Override> {
        vec![("backup.jobs", self.jobs.map(|jobs| jobs.to_string()), "--jobs")]
    }
}

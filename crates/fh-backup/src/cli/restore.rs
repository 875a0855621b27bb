//! Command line of `fh-backup restore`.

use clap::Args;

use super::{Override, PartChoice};
use crate::restore::ProofOf;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup restore --create --into app_restored --identity backup-identity.txt
  fh-backup restore --replace --dry-run
  fh-backup restore --table public.orders --into-schema restored --diff
  RESTORE_URL=postgres://admin@other/app fh-backup restore --target-url-env RESTORE_URL latest
  fh-backup restore --globals --dry-run
  fh-backup restore --files media --to /srv/media-restored --path 2026/11
  fh-backup restore --config-files --to restored-configuration
  RESTORE_REDIS=redis://other:6379 fh-backup restore --redis --redis-url-env RESTORE_REDIS";

/// Options of `restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// A set's id, the beginning of one, or `latest`. Without it, a person is shown the sets and asked; a script gets
    /// the newest.
    #[arg(value_name = "SET")]
    pub set: Option<String>,
    /// Restore into this database on the server of the configured URL. It must exist and be empty, unless --create or
    /// --replace says otherwise.
    #[arg(long, value_name = "DATABASE", conflicts_with = "target_url_env")]
    pub into: Option<String>,
    /// Take the target's connection URL from this environment variable instead of the configuration.
    #[arg(long, value_name = "VARIABLE")]
    pub target_url_env: Option<String>,
    /// Make the target database, with the encoding, locale and owner it had; it is dropped again when the restore fails.
    #[arg(long, conflicts_with = "replace")]
    pub create: bool,
    /// Replace the target database, which is in use: restore beside it, prove the new one, then swap their names. The
    /// old one stays.
    #[arg(long)]
    pub replace: bool,
    /// Name the database that --replace replaces, instead of being asked for it.
    #[arg(long, value_name = "NAME", requires = "replace")]
    pub confirm_database: Option<String>,
    /// Which database of the set, when it holds several.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Restore only this table, with its schema: public.orders. May be given several times. Without --into-schema and
    /// --into-table it goes where it was, and must not be there.
    #[arg(long, value_name = "SCHEMA.TABLE", conflicts_with_all = ["create", "replace"])]
    pub table: Vec<String>,
    /// Put the table(s) into this schema, which is made when it is not there.
    #[arg(long, value_name = "SCHEMA", requires = "table")]
    pub into_schema: Option<String>,
    /// Give the table this name.
    #[arg(long, value_name = "TABLE", requires = "table")]
    pub into_table: Option<String>,
    /// Compare the restored table(s) with the live ones, by primary key.
    #[arg(long, requires = "table")]
    pub diff: bool,
    /// Compare and leave nothing behind.
    #[arg(long, requires = "table", conflicts_with_all = ["into_schema", "into_table"])]
    pub diff_only: bool,
    /// Keys to show of each kind of difference.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub diff_keys: u32,
    /// End with exit code 1 when a live table differs.
    #[arg(long, requires = "table")]
    pub fail_on_diff: bool,
    /// Replace personal data on the way in, by the rules of [backup.anonymize] in the configuration.
    #[arg(long, conflicts_with_all = ["replace", "table"])]
    pub anonymize: bool,
    /// Only look at the target and say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// What must be shown before the restore is called good. `count` saves reading all rows again; they are hashed on
    /// their way in all the same.
    #[arg(long, value_enum, value_name = "PROOF", default_value_t, conflicts_with_all = ["replace", "anonymize", "table"])]
    pub proof: ProofOf,
    /// Connections that load at the same time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// Restore in this role, which the log-in role must be a member of.
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
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

//! Command line of `fh-backup prune`.

use clap::Args;
use fh_core::duration::Period;

use super::Override;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup prune --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run
  fh-backup --env production prune --confirm production
  fh-backup prune --gc-only";

/// Options of `prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// Keep the newest N sets.
    #[arg(long, value_name = "N")]
    pub keep_last: Option<u32>,
    /// Keep the newest set of each of N hours that have one.
    #[arg(long, value_name = "N")]
    pub keep_hourly: Option<u32>,
    /// Keep the newest set of each of N days that have one.
    #[arg(long, value_name = "N")]
    pub keep_daily: Option<u32>,
    /// Keep the newest set of each of N weeks that have one.
    #[arg(long, value_name = "N")]
    pub keep_weekly: Option<u32>,
    /// Keep the newest set of each of N months that have one.
    #[arg(long, value_name = "N")]
    pub keep_monthly: Option<u32>,
    /// Keep the newest set of each of N years that have one.
    #[arg(long, value_name = "N")]
    pub keep_yearly: Option<u32>,
    /// Keep every set that is at most this much older than the newest proven one, such as 30d.
    #[arg(long, value_name = "DURATION")]
    pub keep_within: Option<Period>,
    /// Keep at least the newest N proven sets, whatever the rules say.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub min: Option<u32>,
    /// Show what would be removed and why, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Remove damaged sets too, unless there is no proven one.
    #[arg(long)]
    pub damaged: bool,
    /// The exact number of sets to be removed, when that is more than half of the sets of a database.
    #[arg(long, value_name = "N")]
    pub yes_delete: Option<usize>,
    /// Remove no set, only data that no set needs.
    #[arg(long, conflicts_with_all = ["damaged", "yes_delete"])]
    pub gc_only: bool,
}

impl Prune {
    pub(super) fn overrides(&self) -> Vec<Override> {
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        vec![
            (
                "backup.retention.keep_last",
                number(self.keep_last),
                "--keep-last",
            ),
            (
                "backup.retention.keep_hourly",
                number(self.keep_hourly),
                "--keep-hourly",
            ),
            (
                "backup.retention.keep_daily",
                number(self.keep_daily),
                "--keep-daily",
            ),
            (
                "backup.retention.keep_weekly",
                number(self.keep_weekly),
                "--keep-weekly",
            ),
            (
                "backup.retention.keep_monthly",
                number(self.keep_monthly),
                "--keep-monthly",
            ),
            (
                "backup.retention.keep_yearly",
                number(self.keep_yearly),
                "--keep-yearly",
            ),
            (
                "backup.retention.keep_within",
                self.keep_within.map(|period| period.to_string()),
                "--keep-within",
            ),
            ("backup.retention.min", number(self.min), "--min"),
        ]
    }
}

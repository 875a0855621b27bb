//! Command line of `fh-backup create`.

use clap::Args;
use fh_core::duration::Period;
use fh_core::size::Size;

use super::Override;

pub(super) const EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://app@db/app fh-backup create --repository /var/backups/app
  fh-backup --env production create --jobs 4 --limit-upload 20MiB
  fh-backup create --database shop --database auth
  fh-backup create --all-databases";

/// Options of `create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Back up this database of the server instead of the one that the URL names. May be given several times.
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with = "all_databases")]
    pub database: Vec<String>,
    /// Back up every database of the server, templates left out.
    #[arg(long)]
    pub all_databases: bool,
    /// Connections that read at the same time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// zstd level: 1 is fast, higher levels hardly make database rows smaller.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(1..=19))]
    pub compression_level: Option<i32>,
    /// Send no more than this much to the repository each second, such as 10MiB.
    #[arg(long, value_name = "SIZE")]
    pub limit_upload: Option<Size>,
    /// End with exit code 3 when another session waits longer than this for a lock of the backup; 0s never gives way.
    #[arg(long, value_name = "DURATION")]
    pub yield_after: Option<Period>,
    /// The database holds less than it did, and that is right.
    #[arg(long)]
    pub accept_collapse: bool,
}

/// Several names become one list with commas.
fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(',') || text.trim() != text {
        Err("such a name can only be given in the configuration, as backup.databases".into())
    } else {
        Ok(text.to_owned())
    }
}

impl Create {
    pub(super) fn overrides(&self) -> Vec<Override> {
        let names = (!self.database.is_empty()).then(|| self.database.join(","));
        // One of the two flags replaces what the configuration says about both.
        let (names, all) = match names {
            None if self.all_databases => (Some(String::new()), Some("true".to_owned())),
            Some(names) => (Some(names), Some("false".to_owned())),
            None => (None, None),
        };
        vec![
            ("backup.databases", names, "--database"),
            ("backup.all_databases", all, "--all-databases"),
            ("backup.jobs", self.jobs.map(|jobs| jobs.to_string()), "--jobs"),
            (
                "backup.compression_level",
                self.compression_level.map(|level| level.to_string()),
                "--compression-level",
            ),
            (
                "backup.limit_upload",
                self.limit_upload.map(|size| size.to_string()),
                "--limit-upload",
            ),
            (
                "backup.yield_after",
                self.yield_after.map(|period| period.to_string()),
                "--yield-after",
            ),
        ]
    }
}

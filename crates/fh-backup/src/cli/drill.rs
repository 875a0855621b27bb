//! Command line of `fh-backup drill`.

use clap::Args;

use super::{Override, SetChoice};

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup drill --local --identity backup-identity.txt
  DRILL_URL=postgres://drill@scratch-db/postgres fh-backup drill --server-url-env DRILL_URL
  fh-backup drill --format junit --output drill.xml";

/// Options of `drill`.
#[derive(Debug, Args)]
pub struct Drill {
    #[command(flatten)]
    pub(crate) set: SetChoice,
    /// Restore into a throw-away server on this machine. The default, unless backup.drill.server_url is configured.
    #[arg(long, conflicts_with = "server_url_env")]
    pub local: bool,
    /// Restore into a new database on the server whose connection URL is in this environment variable.
    #[arg(long, value_name = "VARIABLE")]
    pub server_url_env: Option<String>,
    /// Which database of the set, when it holds several.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Fail when the restore takes longer than this, such as 30m or 2h.
    #[arg(long, value_name = "DURATION")]
    pub max_rto: Option<String>,
    /// Connections that load and check at the same time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// Leave the restored database, and a throw-away server, for a look.
    #[arg(long)]
    pub keep: bool,
    /// Write no evidence into the repository.
    #[arg(long)]
    pub no_evidence: bool,
}

impl Drill {
    pub(super) fn overrides(&self) -> Vec<Override> {
        vec![
            ("backup.jobs", self.jobs.map(|jobs| jobs.to_string()), "--jobs"),
            ("backup.drill.database", self.database.clone(), "--database"),
            ("backup.drill.max_rto", self.max_rto.clone(), "--max-rto"),
        ]
    }
}

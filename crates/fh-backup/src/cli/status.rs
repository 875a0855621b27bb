//! Command line of `fh-backup status`.

use clap::Args;
use fh_core::duration::Period;

use super::Override;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup status --max-age 26h --max-verify-age 2d --max-drill-age 8d
  fh-backup status --format prometheus --output /var/lib/node_exporter/textfile/backup.prom
  fh-backup status --format nagios";

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// How old the newest set may be.
    #[arg(long, value_name = "DURATION")]
    pub max_age: Option<Period>,
    /// How long ago a set may last have been verified.
    #[arg(long, value_name = "DURATION")]
    pub max_verify_age: Option<Period>,
    /// How long ago a set may last have been restored by a drill.
    #[arg(long, value_name = "DURATION")]
    pub max_drill_age: Option<Period>,
    /// Look only at sets that hold this database. May be given several times.
    #[arg(long, value_name = "NAME")]
    pub database: Vec<String>,
}

impl Status {
    pub(super) fn overrides(&self) -> Vec<Override> {
        let text = |period: Option<Period>| period.map(|period| period.to_string());
        vec![
            ("backup.status.max_age", text(self.max_age), "--max-age"),
            (
                "backup.status.max_verify_age",
                text(self.max_verify_age),
                "--max-verify-age",
            ),
            (
                "backup.status.max_drill_age",
                text(self.max_drill_age),
                "--max-drill-age",
            ),
        ]
    }
}

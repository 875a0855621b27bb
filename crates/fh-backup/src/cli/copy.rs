//! Command line of `fh-backup copy`.

use clap::Args;

use super::Override;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup copy --to /mnt/disk/backups latest
  fh-backup copy --all --to s3://shop-backups-elsewhere/main";

/// Options of `copy`.
#[derive(Debug, Args)]
pub struct Copy {
    /// Sets to copy: ids, beginnings of ids, or `latest`, which is also the default.
    #[arg(value_name = "SET", conflicts_with = "all")]
    pub sets: Vec<String>,
    /// Copy every set that is not there yet.
    #[arg(long)]
    pub all: bool,
    /// The second repository: a folder, or s3://BUCKET/PREFIX.
    #[arg(long, value_name = "PLACE")]
    pub to: Option<String>,
    /// Endpoint of the second repository's store, when it is S3-compatible.
    #[arg(long, value_name = "URL")]
    pub to_s3_endpoint: Option<String>,
}

impl Copy {
    pub(super) fn overrides(&self) -> Vec<Override> {
        vec![
            ("backup.copy.to", self.to.clone(), "--to"),
            (
                "backup.copy.s3.endpoint_url",
                self.to_s3_endpoint.clone(),
                "--to-s3-endpoint",
            ),
        ]
    }
}

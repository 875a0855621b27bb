//! Command line of `fh-backup init`.

use clap::Args;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup init --repository /var/backups/app
  fh-backup init --repository s3://backups/app --recipient age1… --recipient age1… --key-file repository.key";

/// Options of `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Encrypt to this age recipient (public key). Give it twice: one key for operations, one kept offline.
    #[arg(long, value_name = "AGE1…")]
    pub recipient: Vec<String>,
}

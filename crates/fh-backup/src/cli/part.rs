//! What `restore` brings back when it is not a database.

use std::path::PathBuf;

use clap::Args;

/// Options of `restore` that are about a database, and mean nothing for a file or a key of Redis.
const OF_DATABASES: [&str; 14] = [
    "into",
    "target_url_env",
    "create",
    "replace",
    "database",
    "table",
    "anonymize",
    "dry_run",
    "proof",
    "jobs",
    "role",
    "no_owner",
    "no_privileges",
    "diff_keys",
];
/// Those that mean nothing for roles, of which --dry-run shows the SQL.
const OF_ROWS: [&str; 10] = [
    "create",
    "replace",
    "database",
    "table",
    "anonymize",
    "proof",
    "jobs",
    "no_owner",
    "no_privileges",
    "diff_keys",
];

/// Options of `restore` for the other parts of a set.
#[derive(Debug, Args)]
#[command(next_help_heading = "Other parts of a set")]
pub struct PartChoice {
    /// Create the server's missing roles, with memberships and settings and without passwords. Existing roles are left as
    /// they are; how they differ is told. With --dry-run, the SQL is shown.
    #[arg(long, conflicts_with_all = ["files", "config_files", "redis", "to"],
        conflicts_with_all = OF_ROWS)]
    pub globals: bool,
    /// Restore this file tree.
    #[arg(long, value_name = "NAME", requires = "to", conflicts_with_all = ["config_files", "redis"],
        conflicts_with_all = OF_DATABASES)]
    pub files: Option<String>,
    /// Only this path of the tree, and what is below.
    #[arg(long, value_name = "PATH", requires = "files")]
    pub path: Option<String>,
    /// Restore the configuration files, each at its whole path below the folder of --to.
    #[arg(long, requires = "to", conflicts_with = "redis", conflicts_with_all = OF_DATABASES)]
    pub config_files: bool,
    /// The folder to restore files into: a new or an empty one.
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,
    /// Restore the keys of Redis into an empty server.
    #[arg(long, requires = "redis_url_env", conflicts_with = "to", conflicts_with_all = OF_DATABASES)]
    pub redis: bool,
    /// Take that server's URL from this environment variable.
    #[arg(long, value_name = "VARIABLE", requires = "redis")]
    pub redis_url_env: Option<String>,
}

impl PartChoice {
    /// Whether anything but a database is wanted.
    #[must_use]
    pub fn is_chosen(&self) -> bool {
        self.globals || self.files.is_some() || self.config_files || self.redis || self.to.is_some()
    }
}

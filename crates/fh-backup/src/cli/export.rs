//! Command line of `fh-backup export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::SetChoice;

pub(super) const EXAMPLES: &str = "\
Examples:
  fh-backup export --identity backup-identity.txt --to app-dump latest
  pg_restore -j 4 -d app_restored app-dump
  fh-backup export --identity backup-identity.txt --as sql --to - | psql -v ON_ERROR_STOP=1 app_restored";

/// What PostgreSQL's own programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// A folder for pg_restore, as pg_dump --format=directory makes it.
    Directory,
    /// Plain SQL for psql, made by pg_restore.
    Sql,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub(crate) set: SetChoice,
    /// What to write.
    #[arg(long = "as", value_enum, value_name = "SHAPE", default_value = "directory")]
    pub shape: Shape,
    /// The folder or file to make; it must not exist. For SQL, - is standard output.
    #[arg(long, value_name = "PATH")]
    pub to: PathBuf,
    /// Which database of the set, when it holds several.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// Tables read at the same time, for a folder.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// Leave out who owns what, in SQL. With a folder, pg_restore has the same option.
    #[arg(long)]
    pub no_owner: bool,
    /// Leave GRANT and REVOKE out, in SQL. With a folder, pg_restore has the same option.
    #[arg(long)]
    pub no_privileges: bool,
}

impl Export {
    /// Whether standard output is for the SQL.
    pub(super) fn to_stdout(&self) -> bool {
        self.shape == Shape::Sql && self.to.as_os_str() == "-"
    }
}

//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use fh_core::Result;
use fh_core::app::{Common, ConfigCommand, Session, Tool};
use fh_core::report::Report;

use crate::{command, context};

/// Logical PostgreSQL backups that prove themselves.
///
/// A backup is a set: one manifest and the segments it names, in a folder or an S3 bucket. The manifest is written last,
/// so a set that is listed is whole. For every table it holds a row count and a content hash taken in the dump's own
/// snapshot, and a restore is only called good when the restored rows give the same.
#[derive(Debug, Parser)]
#[command(name = "fh-backup", version, before_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) place: Place,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  fh-backup key generate --to backup-identity.txt
  fh-backup init --repository s3://backups/app --recipient age1… --key-file repository.key
  DATABASE_URL=postgres://… fh-backup create --repository s3://backups/app --key-file repository.key
  fh-backup list --repository s3://backups/app --key-file repository.key
  fh-backup restore --repository s3://backups/app --identity backup-identity.txt --into app_restored";

/// Where the backups are and what opens them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Repository options")]
pub struct Place {
    /// The repository: a folder, or s3://BUCKET/PREFIX.
    #[arg(long, global = true, value_name = "PLACE")]
    pub repository: Option<String>,
    /// File with the repository key, which `init` wrote. Needed to write to an encrypted repository.
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// File with the age identity (private key). Needed to read what is encrypted.
    #[arg(long, global = true, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Endpoint of an S3-compatible store, for example http://127.0.0.1:9000.
    #[arg(long, global = true, value_name = "URL")]
    pub s3_endpoint: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a new, empty repository.
    #[command(before_help = INIT_EXAMPLES)]
    Init(Init),
    /// Takes a backup of a database.
    #[command(before_help = CREATE_EXAMPLES)]
    Create(Create),
    /// Lists the sets of the repository, damaged ones too.
    #[command(before_help = LIST_EXAMPLES)]
    List,
    /// Shows what a set holds.
    #[command(before_help = SHOW_EXAMPLES)]
    Show(SetChoice),
    /// Checks that a set is whole and unchanged.
    #[command(before_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Restores a database into an empty one, and proves that the rows are the same.
    #[command(before_help = RESTORE_EXAMPLES)]
    Restore(Restore),
    /// Makes age key pairs.
    #[command(subcommand)]
    Key(Key),
    /// Shows the configuration that is in force and where each value comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
}

const INIT_EXAMPLES: &str = "\
Examples:
  fh-backup init --repository /var/backups/app
  fh-backup init --repository s3://backups/app --recipient age1… --recipient age1… --key-file repository.key";
const CREATE_EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://app@db/app fh-backup create --repository /var/backups/app
  fh-backup --env production create --jobs 4";
const LIST_EXAMPLES: &str = "\
Examples:
  fh-backup list --repository /var/backups/app
  fh-backup list --format json";
const SHOW_EXAMPLES: &str = "\
Examples:
  fh-backup show latest
  fh-backup show 2026-11-23T0200 --identity backup-identity.txt";
const VERIFY_EXAMPLES: &str = "\
Examples:
  fh-backup verify latest
  fh-backup verify --full --identity backup-identity.txt 2026-11-23T020000Z-7f3a91";
const RESTORE_EXAMPLES: &str = "\
Examples:
  fh-backup restore --into app_restored --identity backup-identity.txt
  RESTORE_URL=postgres://admin@other/app fh-backup restore --target-url-env RESTORE_URL latest";

/// Options of `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Encrypt to this age recipient (public key). Give it twice: one key for operations, one kept offline.
    #[arg(long, value_name = "AGE1…")]
    pub recipient: Vec<String>,
}

/// Options of `create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Connections that read at the same time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// zstd level: 1 is fast, higher levels hardly make database rows smaller.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(1..=19))]
    pub compression_level: Option<i32>,
}

/// Which set.
#[derive(Debug, Args)]
pub struct SetChoice {
    /// A set's id, the beginning of one, or `latest`.
    #[arg(value_name = "SET", default_value = "latest")]
    pub set: String,
}

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    pub(crate) set: SetChoice,
    /// Also decrypt and decompress everything and recount every row.
    #[arg(long)]
    pub full: bool,
}

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
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Makes an age key pair: the identity goes to a file, the recipient is printed.
    Generate(Generate),
}

/// Options of `key generate`.
#[derive(Debug, Args)]
pub struct Generate {
    /// File for the identity. It is made with mode 0600 and never overwritten.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

impl Tool for Cli {
    const NAME: &'static str = command::TOOL;

    fn common(&self) -> &Common {
        &self.common
    }

    fn flags(&self) -> Vec<(String, String, &'static str)> {
        let path = |path: &PathBuf| path.display().to_string();
        let (jobs, level) = match &self.command {
            Command::Create(create) => (create.jobs, create.compression_level),
            Command::Restore(restore) => (restore.jobs, None),
            _ => (None, None),
        };
        let place = &self.place;
        [
            ("backup.repository", place.repository.clone(), "--repository"),
            ("backup.key.file", place.key_file.as_ref().map(path), "--key-file"),
            (
                "backup.identity.file",
                place.identity.as_ref().map(path),
                "--identity",
            ),
            (
                "backup.s3.endpoint_url",
                place.s3_endpoint.clone(),
                "--s3-endpoint",
            ),
            ("backup.jobs", jobs.map(|jobs| jobs.to_string()), "--jobs"),
            (
                "backup.compression_level",
                level.map(|level| level.to_string()),
                "--compression-level",
            ),
        ]
        .into_iter()
        .filter_map(|(key, value, flag)| Some((key.to_owned(), value?, flag)))
        .collect()
    }

    fn execute(self, session: &Session) -> Result<Report> {
        match self.command {
            Command::Key(Key::Generate(generate)) => command::key::generate(&generate.to),
            Command::Config(config) => Ok(config.report(Self::NAME, &session.loaded)),
            command => context::block_on(session, execute(session, command, self.place.key_file.as_deref())),
        }
    }
}

async fn execute(session: &Session, command: Command, key_file: Option<&Path>) -> Result<Report> {
    if let Command::Init(init) = &command {
        return command::init::run(session, init, key_file).await;
    }
    if matches!(command, Command::Create(_)) {
        return command::create::run(session).await;
    }
    let repository = context::repository(session).await?;
    match command {
        Command::Show(choice) => command::show::run(&repository, &choice.set).await,
        Command::Verify(verify) => command::verify::run(session, &repository, &verify).await,
        Command::Restore(restore) => command::restore::run(session, &repository, &restore).await,
        _ => command::list::run(&repository).await,
    }
}

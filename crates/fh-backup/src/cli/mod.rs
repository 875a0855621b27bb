//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use fh_core::Result;
use fh_core::app::{Common, ConfigCommand, Session, Tool};
use fh_core::report::Report;

use crate::{command, context, hooks, notify};

mod copy;
mod create;
mod drill;
mod export;
mod init;
mod key;
mod part;
mod prune;
mod restore;
mod status;
mod verify;

pub use copy::Copy;
pub use create::Create;
pub use drill::Drill;
pub use export::{Export, Shape};
pub use init::Init;
pub use key::{Generate, Key, Rotate};
pub use part::PartChoice;
pub use prune::Prune;
pub use restore::Restore;
pub use status::Status;
pub use verify::Verify;

/// A setting that the command line overrides: dotted path, value if it was given, name of the flag.
type Override = (&'static str, Option<String>, &'static str);

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

impl Place {
    fn overrides(&self) -> Vec<Override> {
        let path = |path: &PathBuf| path.display().to_string();
        vec![
            ("backup.repository", self.repository.clone(), "--repository"),
            ("backup.key.file", self.key_file.as_ref().map(path), "--key-file"),
            (
                "backup.identity.file",
                self.identity.as_ref().map(path),
                "--identity",
            ),
            (
                "backup.s3.endpoint_url",
                self.s3_endpoint.clone(),
                "--s3-endpoint",
            ),
        ]
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a new, empty repository.
    #[command(before_help = init::EXAMPLES)]
    Init(Init),
    /// Takes a backup: databases, roles, files, configuration and Redis in one set.
    #[command(before_help = create::EXAMPLES)]
    Create(Create),
    /// Lists the sets of the repository, damaged ones too.
    #[command(before_help = LIST_EXAMPLES)]
    List,
    /// Shows what a set holds.
    #[command(before_help = SHOW_EXAMPLES)]
    Show(SetChoice),
    /// Checks that a set is whole and unchanged.
    #[command(before_help = verify::EXAMPLES)]
    Verify(Verify),
    /// Restores a database into an empty one, and proves that the rows are the same; or another part of a set.
    #[command(before_help = restore::EXAMPLES)]
    Restore(Box<Restore>),
    /// Copies sets to a second repository, byte for byte.
    #[command(before_help = copy::EXAMPLES)]
    Copy(Copy),
    /// Writes a database of a set for PostgreSQL's own programs: a folder for pg_restore, or SQL for psql.
    #[command(before_help = export::EXAMPLES)]
    Export(Export),
    /// Restores a set into a scratch database, looks at everything, and keeps what was found as evidence.
    #[command(before_help = drill::EXAMPLES)]
    Drill(Drill),
    /// Says whether there are fresh, proven backups.
    #[command(before_help = status::EXAMPLES)]
    Status(Status),
    /// Accepts that a set holds less than the one before it.
    #[command(before_help = ACCEPT_EXAMPLES)]
    Accept(AcceptChoice),
    /// Removes sets that no rule keeps, and data that no set needs.
    #[command(before_help = prune::EXAMPLES)]
    Prune(Prune),
    /// Makes age key pairs, checks which keys fit, and changes the recipients.
    #[command(subcommand)]
    Key(Key),
    /// Shows the configuration that is in force and where each value comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
}

const LIST_EXAMPLES: &str = "\
Examples:
  fh-backup list --repository /var/backups/app
  fh-backup list --format json";
const ACCEPT_EXAMPLES: &str = "\
Examples:
  fh-backup accept 2026-11-23T020000Z-7f3a91";
const SHOW_EXAMPLES: &str = "\
Examples:
  fh-backup show latest
  fh-backup show 2026-11-23T0200 --identity backup-identity.txt";

/// Which set.
#[derive(Debug, Args)]
pub struct SetChoice {
    /// A set's id, the beginning of one, or `latest`.
    #[arg(value_name = "SET", default_value = "latest")]
    pub set: String,
}

/// Which set to accept.
#[derive(Debug, Args)]
pub struct AcceptChoice {
    /// The set's id, the beginning of one, or `latest`.
    #[arg(value_name = "SET")]
    pub set: String,
}

impl Tool for Cli {
    const NAME: &'static str = command::TOOL;

    fn common(&self) -> &Common {
        &self.common
    }

    fn flags(&self) -> Vec<(String, String, &'static str)> {
        let of_command = match &self.command {
            Command::Create(create) => create.overrides(),
            Command::Restore(restore) => restore.overrides(),
            Command::Copy(copy) => copy.overrides(),
            Command::Drill(drill) => drill.overrides(),
            Command::Prune(prune) => prune.overrides(),
            Command::Status(status) => status.overrides(),
            _ => Vec::new(),
        };
        let all = self.place.overrides().into_iter().chain(of_command);
        all.filter_map(|(key, value, flag)| Some((key.to_owned(), value?, flag)))
            .collect()
    }

    fn stdout_is_data(&self) -> bool {
        matches!(&self.command, Command::Export(export) if export.to_stdout())
    }

    fn execute(self, session: &Session) -> Result<Report> {
        let (command, key_file) = (self.command, self.place.key_file);
        let run = |command| context::block_on(session, execute(session, command, key_file.as_deref()));
        let Some(name) = told(&command) else {
            return run(command);
        };
        let hooked = matches!(command, Command::Create(_));
        notify::around(session, name, || {
            if hooked {
                hooks::around(session, name, || run(command))
            } else {
                run(command)
            }
        })
    }
}

/// The name of a command whose end people and watchdogs are told of.
fn told(command: &Command) -> Option<&'static str> {
    match command {
        Command::Create(_) => Some("create"),
        Command::Drill(_) => Some("drill"),
        Command::Status(_) => Some("status"),
        Command::Prune(prune) if !prune.dry_run => Some("prune"),
        _ => None,
    }
}

async fn execute(session: &Session, command: Command, key_file: Option<&Path>) -> Result<Report> {
    match command {
        Command::Init(init) => command::init::run(session, &init, key_file).await,
        Command::Create(create) => command::create::run(session, create.accept_collapse).await,
        Command::Status(status) => {
            command::status::run(session, &context::repository(session).await?, &status).await
        }
        Command::Accept(choice) => {
            command::accept::run(&context::repository(session).await?, &choice.set).await
        }
        Command::Prune(prune) => command::prune::run(session, &prune).await,
        Command::List => command::list::run(&context::repository(session).await?).await,
        Command::Show(choice) => command::show::run(&context::repository(session).await?, &choice.set).await,
        Command::Verify(verify) => {
            command::verify::run(session, &context::repository(session).await?, &verify).await
        }
        Command::Restore(restore) if restore.part.is_chosen() => {
            command::parts::restore(session, &context::repository(session).await?, &restore).await
        }
        Command::Restore(restore) => {
            command::restore::run(session, &context::repository(session).await?, &restore).await
        }
        Command::Export(export) => {
            command::export::run(session, &context::repository(session).await?, &export).await
        }
        Command::Key(Key::Check) => command::rotate::check(&context::repository(session).await?).await,
        Command::Key(Key::Rotate(rotate)) => {
            command::rotate::rotate(&context::repository(session).await?, &rotate).await
        }
        Command::Copy(copy) => command::copy::run(session, &context::repository(session).await?, &copy).await,
        Command::Drill(drill) => {
            command::drill::run(session, &context::repository(session).await?, &drill).await
        }
        Command::Key(Key::Generate(generate)) => command::key::generate(&generate.to),
        Command::Config(config) => Ok(config.report(Cli::NAME, &session.loaded)),
    }
}

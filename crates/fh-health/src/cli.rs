//! The command line.

use clap::{Args, Parser, Subcommand};
use fh_core::Result;
use fh_core::app::{Common, ConfigCommand, Session, Tool};
use fh_core::report::Report;

use crate::command;
use crate::selection::Selection;

/// What is wrong, where, and since when.
///
/// Looks at web addresses, certificates, DNS, ports, commands, this host, PostgreSQL, Redis, AWS and backups, all at once
/// and under one deadline. What could not be found out is unknown and never good. Without a configuration it checks what
/// DATABASE_URL and REDIS_URL name.
#[derive(Debug, Parser)]
#[command(name = "fh-health", version, before_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// What to do; `check` when not given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://… REDIS_URL=redis://… fh-health
  fh-health check --only 'http.*' --only postgres.main
  fh-health list";

/// Which checks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Choice of checks")]
pub struct Choice {
    /// Only checks whose id fits, such as postgres.main or 'http.*'. May be given several times.
    #[arg(long, global = true, value_name = "ID")]
    pub only: Vec<String>,
    /// No checks whose id fits. May be given several times.
    #[arg(long, global = true, value_name = "ID")]
    pub skip: Vec<String>,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Runs every check once.
    #[command(before_help = CHECK_EXAMPLES)]
    Check,
    /// Lists every check with its thresholds.
    #[command(before_help = LIST_EXAMPLES)]
    List,
    /// Shows the configuration that is in force and where each value comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
}

const CHECK_EXAMPLES: &str = "\
Examples:
  fh-health check --format prometheus --output /var/lib/node_exporter/fh-health.prom
  fh-health check --only 'http.*' --deadline 10s";
const LIST_EXAMPLES: &str = "\
Examples:
  fh-health list
  fh-health list --only 'postgres.*' --format json";

impl Tool for Cli {
    const NAME: &'static str = command::TOOL;

    fn common(&self) -> &Common {
        &self.common
    }

    fn execute(self, session: &Session) -> Result<Report> {
        let selection = Selection {
            only: self.choice.only,
            skip: self.choice.skip,
        };
        match self.command.unwrap_or(Command::Check) {
            Command::Check => command::check::run(session, &selection),
            Command::List => command::list::run(session, &selection),
            Command::Config(config) => Ok(config.report(Self::NAME, &session.loaded)),
        }
    }
}

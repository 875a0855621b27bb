//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use fh_core::Result;
use fh_core::app::{Common, ConfigCommand, Session, Tool};
use fh_core::duration::Period;
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
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    /// What to do; `check` when not given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://… REDIS_URL=redis://… fh-health
  fh-health check --only 'http.*' --only postgres.main
  fh-health watch
  fh-health explain postgres.main.connections";

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

/// What is remembered, and who is told.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Memory options")]
pub struct Keeping {
    /// Neither read nor write the memory between runs; then nobody is told either.
    #[arg(long, global = true)]
    pub stateless: bool,
    /// Tell neither Slack nor the ping address.
    #[arg(long, global = true)]
    pub no_notify: bool,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Runs every check once.
    #[command(before_help = CHECK_EXAMPLES)]
    Check,
    /// Runs rounds one after the other and shows them as a live table. Tells nobody.
    #[command(before_help = WATCH_EXAMPLES)]
    Watch(Watch),
    /// Says how the service level objectives stand.
    #[command(before_help = SLO_EXAMPLES)]
    Slo,
    /// Lists every check with its thresholds.
    #[command(before_help = LIST_EXAMPLES)]
    List,
    /// Says what a check looks at and what it needs: SQL, GRANTs, IAM actions, network.
    #[command(before_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Writes a first configuration from what can be seen from here. Overwrites nothing.
    #[command(before_help = INIT_EXAMPLES)]
    Init(Init),
    /// Shows the configuration that is in force and where each value comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// How to watch.
#[derive(Debug, Clone, Args)]
pub struct Watch {
    /// The pause between two rounds.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub interval: Period,
    /// End after this many rounds, with the exit code of the last one.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
}

/// What to explain.
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// A check's id, the beginning of one, or a pattern.
    #[arg(value_name = "CHECK")]
    pub check: String,
}

/// What to write.
#[derive(Debug, Clone, Args)]
pub struct Init {
    /// Where to; financehub.toml in this folder when not given.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// A web address to check. May be given several times.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    pub url: Vec<String>,
}

fn web_address(text: &str) -> Result<String, String> {
    let request = fh_http::Request::get(text).map_err(|error| error.to_string())?;
    Ok(request.url.to_string())
}

const WATCH_EXAMPLES: &str = "\
Examples:
  fh-health watch
  fh-health watch --interval 30s --only 'postgres.*'";
const SLO_EXAMPLES: &str = "\
Examples:
  fh-health slo
  fh-health slo --format json";
const EXPLAIN_EXAMPLES: &str = "\
Examples:
  fh-health explain postgres.main.connections
  fh-health explain 'ecs.*' --format json";
const INIT_EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://… fh-health init --url https://app.example.com/api/health/
  fh-health init --to monitoring.toml";
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

    fn stdout_is_data(&self) -> bool {
        matches!(self.command, Some(Command::Watch(_)))
    }

    fn execute(self, session: &Session) -> Result<Report> {
        let selection = Selection {
            only: self.choice.only,
            skip: self.choice.skip,
        };
        let keeping = &self.keeping;
        match self.command.unwrap_or(Command::Check) {
            Command::Check => command::check::run(session, &selection, keeping),
            Command::Watch(watch) => command::watch::run(session, &selection, keeping, &watch),
            Command::Slo => command::slo::run(session, keeping),
            Command::List => command::list::run(session, &selection),
            Command::Explain(explain) => command::explain::run(session, &explain.check),
            Command::Init(init) => command::init::run(session, &init),
            Command::Config(config) => command::config::run(session, config),
        }
    }
}

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use fh_core::app::{Common, ConfigCommand, Session, Tool};
use fh_core::report::Report;
use fh_core::{Error, Result};

use crate::command;

/// Says whether a deploy is really good.
///
/// A suite names environments, and what must hold there: the version that answers, scenarios of requests with expectations,
/// the assets that pages name, security headers, certificates. A suite that would check nothing is an error, and a server
/// that cannot be reached is never a pass.
#[derive(Debug, Parser)]
#[command(name = "fh-smoke", version, before_help = EXAMPLES, mut_arg("env", |arg| arg.help(ENVIRONMENT)))]
pub struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) run: Run,
    /// What to do; running the suite when nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `--env` means here.
const ENVIRONMENT: &str = "Work on this environment of the suite; FH_ENV says the same. [env.NAME] of the configuration applies \
    where there is one of that name";

const EXAMPLES: &str = "\
Examples:
  fh-smoke suite.toml --env staging
  fh-smoke suite.toml --env production --tag critical --deadline 2m
  fh-smoke suite.toml --env staging --format junit --output smoke.xml
  fh-smoke check suite.toml
  fh-smoke init --openapi openapi.json --to suite.toml";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a suite: the same as without a sub-command.
    #[command(before_help = RUN_EXAMPLES)]
    Run(Run),
    /// Lists what a suite would check.
    #[command(before_help = LIST_EXAMPLES)]
    List(Choice),
    /// Checks a suite without sending anything.
    #[command(before_help = CHECK_EXAMPLES)]
    Check(SuiteFile),
    /// Writes a first suite.
    #[command(before_help = INIT_EXAMPLES)]
    Init(Init),
    /// Writes a suite that does what a Hurl file does.
    #[command(before_help = CONVERT_EXAMPLES)]
    Convert(Convert),
    /// Shows the configuration that is in force and where each value comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
}

const RUN_EXAMPLES: &str = "\
Examples:
  fh-smoke run suite.toml --env staging
  fh-smoke run suite.toml --env staging --var sha=4f2a91c --record failures";
const LIST_EXAMPLES: &str = "\
Examples:
  fh-smoke list suite.toml
  fh-smoke list suite.toml --tag critical --format json";
const CHECK_EXAMPLES: &str = "\
Examples:
  fh-smoke check suite.toml";
const INIT_EXAMPLES: &str = "\
Examples:
  fh-smoke init --openapi openapi.json --to suite.toml
  fh-smoke init --openapi openapi.json --base https://staging.example.com";
const CONVERT_EXAMPLES: &str = "\
Examples:
  fh-smoke convert login.hurl --to login.toml
  fh-smoke convert login.hurl --base https://staging.example.com";

/// A suite's file.
#[derive(Debug, Clone, Args)]
pub struct SuiteFile {
    /// The suite.
    #[arg(value_name = "SUITE", value_hint = clap::ValueHint::FilePath)]
    pub suite: PathBuf,
}

/// Which suite, and what of it.
#[derive(Debug, Clone, Default, Args)]
pub struct Choice {
    /// The suite.
    #[arg(value_name = "SUITE", value_hint = clap::ValueHint::FilePath)]
    pub suite: Option<PathBuf>,
    /// Only scenarios of this name; may be given several times. Pages and certificates are then left out.
    #[arg(long, value_name = "NAME", help_heading = "What to run")]
    pub scenario: Vec<String>,
    /// Only scenarios with this tag; may be given several times. Pages and certificates are then left out.
    #[arg(long, value_name = "TAG", help_heading = "What to run")]
    pub tag: Vec<String>,
}

/// Options of a run.
#[derive(Debug, Clone, Default, Args)]
pub struct Run {
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Give a variable of the suite another value: NAME=VALUE. Secrets cannot be given here.
    #[arg(long = "var", value_name = "NAME=VALUE", help_heading = "What to run", value_parser = assignment)]
    pub vars: Vec<(String, String)>,
    /// Do not wait for the version.
    #[arg(long, help_heading = "What to run")]
    pub no_version: bool,
    /// Run on this route of the environment only, or on `default`.
    #[arg(long, value_name = "NAME", help_heading = "What to run")]
    pub route: Option<String>,
    /// End with exit code 1 when something was only good at a later attempt.
    #[arg(long, help_heading = "What to run")]
    pub fail_flaky: bool,
    /// Write each exchange that was not as it should be into this folder, without secrets.
    #[arg(long, value_name = "DIR", help_heading = "What to run", value_hint = clap::ValueHint::DirPath)]
    pub record: Option<PathBuf>,
}

/// Options of `init`.
#[derive(Debug, Clone, Args)]
pub struct Init {
    /// An OpenAPI 3 document in JSON.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub openapi: PathBuf,
    /// Where the first environment is; the document's first server when not given.
    #[arg(long, value_name = "URL")]
    pub base: Option<String>,
    /// Write the suite to this file, which must not exist, instead of stdout.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub to: Option<PathBuf>,
}

/// Options of `convert`.
#[derive(Debug, Clone, Args)]
pub struct Convert {
    /// The Hurl file.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// Where the environment is; the scheme and host of the first request when not given.
    #[arg(long, value_name = "URL")]
    pub base: Option<String>,
    /// Write the suite to this file, which must not exist, instead of stdout.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub to: Option<PathBuf>,
}

fn assignment(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".into()),
    }
}

impl Run {
    /// Whether anything was given.
    fn is_given(&self) -> bool {
        self.choice.suite.is_some()
            || !self.choice.scenario.is_empty()
            || !self.choice.tag.is_empty()
            || !self.vars.is_empty()
            || self.no_version
            || self.route.is_some()
            || self.fail_flaky
            || self.record.is_some()
    }
}

impl Tool for Cli {
    const NAME: &'static str = command::TOOL;

    fn common(&self) -> &Common {
        &self.common
    }

    fn has_own_environments(&self) -> bool {
        !matches!(self.command, Some(Command::Config(_)))
    }

    fn stdout_is_data(&self) -> bool {
        match &self.command {
            Some(Command::Init(init)) => init.to.is_none(),
            Some(Command::Convert(convert)) => convert.to.is_none(),
            _ => false,
        }
    }

    fn execute(self, session: &Session) -> Result<Report> {
        if self.command.is_some() && self.run.is_given() {
            return Err(Error::usage("options of a run stand before another sub-command")
                .hint("put them behind `run`, or leave the sub-command out"));
        }
        match self.command {
            None => command::run::run(session, &self.run),
            Some(Command::Run(run)) => command::run::run(session, &run),
            Some(Command::List(choice)) => command::list::run(session, &choice),
            Some(Command::Check(file)) => command::check::run(&file.suite),
            Some(Command::Init(init)) => command::init::run(&init),
            Some(Command::Convert(convert)) => command::convert::run(&convert),
            Some(Command::Config(config)) => Ok(config.report(Self::NAME, &session.loaded)),
        }
    }
}

//! The frame of a binary: command line in, exit code out.
//!
//! A binary's `main.rs` is its [`Tool`] and one line:
//!
//! ```no_run
//! use clap::Parser;
//! use fh_core::app::{self, Common, Session, Tool};
//! use fh_core::{Check, Report, Result};
//!
//! /// Tells whether the answer is right.
//! #[derive(Parser)]
//! #[command(version, before_help = "Examples:\n  fh-example 42")]
//! struct Example {
//!     /// The answer.
//!     answer: u32,
//!     #[command(flatten)]
//!     common: Common,
//! }
//!
//! impl Tool for Example {
//!     const NAME: &'static str = "fh-example";
//!
//!     fn common(&self) -> &Common {
//!         &self.common
//!     }
//!
//!     fn execute(self, session: &Session) -> Result<Report> {
//!         session.cancel.check()?;
//!         let mut report = Report::verdict_run(Self::NAME, "", "The answer");
//!         report.push(match self.answer {
//!             42 => Check::pass("answer", "it is 42"),
//!             other => Check::fail("answer", format!("{other} is not 42")).hint("ask again"),
//!         });
//!         Ok(report)
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     app::main::<Example>()
//! }
//! ```

mod config_command;
mod options;
mod run;

use jiff::Timestamp;

pub use config_command::ConfigCommand;
pub use options::Common;
pub use run::main;

use crate::cancel::Cancel;
use crate::config::{Config, Loaded};
use crate::confirm::{Confirmed, Console, Gate, Terminal, confirm};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::progress::Progress;
use crate::report::Report;

/// What a tool does with its command line.
pub trait Tool: clap::Parser {
    /// The binary's name, such as `fh-backup`.
    const NAME: &'static str;

    /// The options every tool has, from `#[command(flatten)] common: Common`.
    fn common(&self) -> &Common;

    /// The settings that this command line overrides: dotted path, value, and the flag's name for messages, such as
    /// `("backup.repository", "s3://bucket", "--repository")`.
    fn flags(&self) -> Vec<(String, String, &'static str)> {
        Vec::new()
    }

    /// Whether `--env` chooses among environments of the tool's own, which the configuration need not know. Then no
    /// `[env.NAME]` of the configuration is laid over it.
    fn has_own_environments(&self) -> bool {
        false
    }

    /// Whether this call writes data of its own to stdout: then the report goes to stderr.
    fn stdout_is_data(&self) -> bool {
        false
    }

    /// Does the work.
    ///
    /// # Errors
    /// What ended the run before there was something to report; its exit code becomes the process's.
    fn execute(self, session: &Session) -> Result<Report>;
}

/// What every tool works with: configuration, limits, and where progress goes.
#[derive(Debug)]
pub struct Session {
    /// The configuration, with where each value came from.
    pub loaded: Loaded,
    /// The time by which the run must be over.
    pub deadline: Deadline,
    /// Whether somebody asked the run to stop.
    pub cancel: Cancel,
    /// Where progress goes.
    pub progress: Progress,
    /// The common options as they were given.
    pub common: Common,
    /// When the run began.
    pub started: Timestamp,
}

impl Session {
    /// A session outside of [`main`], for tests and libraries: no signals, no progress.
    #[must_use]
    pub fn quiet(loaded: Loaded, common: Common) -> Self {
        let deadline = common.deadline();
        Self {
            loaded,
            deadline,
            cancel: Cancel::new(),
            progress: Progress::hidden(),
            common,
            started: Timestamp::now(),
        }
    }

    /// The configuration's values.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.loaded.config
    }

    /// Lets a destructive step go on: at once where nothing is protected, otherwise when the environment's name was
    /// given with `--confirm` or is typed at the terminal. `action` is the end of "this will …".
    ///
    /// # Errors
    /// Exit code 4 when the name is missing or another, see [`confirm()`].
    pub fn confirm(&self, action: impl Into<String>) -> Result<Confirmed> {
        let gate = Gate::of(&self.loaded, action);
        let mut console = Console::open(&self.cancel);
        let terminal = console.as_mut().map(|console| console as &mut dyn Terminal);
        self.progress
            .suspend(|| confirm(&gate, self.common.confirm.as_deref(), terminal))
    }
}

/// How `--help` is laid out: what the tool is, examples, usage, options. The examples are the command's `before_help`,
/// in which `{tool}` stands for the binary's name where several tools share a sub-command.
pub const HELP_TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The tool's command tree as people meet it, with [`HELP_TEMPLATE`] on every sub-command. Help, completions, man
/// pages and the check of the documentation all come from here.
#[must_use]
pub fn command<T: Tool>() -> clap::Command {
    templated(T::command().name(T::NAME), T::NAME)
}

fn templated(command: clap::Command, tool: &str) -> clap::Command {
    let examples = command
        .get_before_help()
        .map(|text| text.to_string().replace("{tool}", tool));
    let command = command
        .help_template(HELP_TEMPLATE)
        .mut_subcommands(|inner| templated(inner, tool));
    match examples {
        Some(examples) => command.before_help(examples),
        None => command,
    }
}

//! What a run found, before anybody decides how to show it.
//!
//! ```
//! use fh_core::report::{Check, FailOn, Measure, Report};
//! use fh_core::Exit;
//!
//! let mut report = Report::verdict_run("fh-backup", "verify", "Verify of the newest set");
//! assert_eq!(report.exit(FailOn::Error), Exit::Unable, "nothing checked is never good");
//! report.push(Check::pass("segments", "412 segments present").measure(Measure::count("segments", 412)));
//! assert_eq!(report.exit(FailOn::Error), Exit::Good);
//! report.push(Check::fail("table.users", "2 rows missing").hint("restore from an older set"));
//! assert_eq!(report.exit(FailOn::Error), Exit::Bad);
//! ```

mod check;
mod measure;
mod section;
mod settle;
mod status;
mod verdict;

use jiff::Timestamp;

pub use check::Check;
pub use measure::{Measure, Unit};
pub use section::{Align, Column, Section, Table};
pub use status::Status;
pub use verdict::{Counts, FailOn};

use crate::error::Error;
use crate::exit::Exit;

/// Whether the run was asked for a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was: without a single check that came to an answer, the run could not verify (exit code 3).
    Required,
    /// It was asked to show something; checks are welcome, and not needed.
    NotRequired,
}

/// The error a run ended with, in the parts people and machines read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened, to what.
    pub message: String,
    /// Why, nearest cause first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// The exit code it leads to.
    pub exit: Exit,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            message: error.message(),
            causes: error.causes(),
            hint: error.advice(),
            exit: error.exit(),
        }
    }
}

/// The result of a run: what was looked at, when, and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The binary's name, such as `fh-backup`.
    pub tool: String,
    /// The sub-command, words separated by spaces; empty for a tool without.
    pub command: String,
    /// The line people read first.
    pub title: String,
    /// What the run was about: environment, database, host. Ordered.
    pub subject: Vec<(String, String)>,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// What people see beside the checks.
    pub sections: Vec<Section>,
    /// What machines see beside the checks; the shape belongs to the tool and command.
    pub data: serde_json::Value,
    /// Whether a judgement was asked for.
    pub verdict: Verdict,
    /// The error that ended the run early, if one did. What was found before it stays in the report.
    pub failure: Option<Failure>,
}

impl Report {
    /// A run that must judge: it needs at least one check that passes, warns or fails.
    pub fn verdict_run(
        tool: impl Into<String>,
        command: impl Into<String>,
        title: impl Into<String>,
    ) -> Self {
        Self::new(tool.into(), command.into(), title.into(), Verdict::Required)
    }

    /// A run that shows something (`list`, `show`): checks are not needed.
    pub fn listing(tool: impl Into<String>, command: impl Into<String>, title: impl Into<String>) -> Self {
        Self::new(tool.into(), command.into(), title.into(), Verdict::NotRequired)
    }

    /// A run that ended with an error before it had anything to tell.
    pub fn failed(tool: impl Into<String>, command: impl Into<String>, error: &Error) -> Self {
        let mut report = Self::new(
            tool.into(),
            command.into(),
            "could not complete".into(),
            Verdict::Required,
        );
        report.failure = Some(Failure::from(error));
        report
    }

    fn new(tool: String, command: String, title: String, verdict: Verdict) -> Self {
        let now = Timestamp::now();
        Self {
            tool,
            command,
            title,
            subject: Vec::new(),
            started: now,
            finished: now,
            checks: Vec::new(),
            sections: Vec::new(),
            data: serde_json::Value::Null,
            verdict,
            failure: None,
        }
    }

    /// Names one thing the run was about.
    #[must_use]
    pub fn about(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.subject.push((name.into(), value.into()));
        self
    }

    /// Says when the run began, when that was before the report was made.
    #[must_use]
    pub fn since(mut self, started: Timestamp) -> Self {
        self.started = started;
        self
    }

    /// Adds a check.
    pub fn push(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Adds a table, facts or text for people.
    pub fn show(&mut self, section: impl Into<Section>) {
        self.sections.push(section.into());
    }

    /// The run's wall time. Zero when the clock was set back meanwhile.
    #[must_use]
    pub fn took(&self) -> std::time::Duration {
        std::time::Duration::try_from(self.finished.duration_since(self.started)).unwrap_or_default()
    }
}

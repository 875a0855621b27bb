//! One thing that was looked at, and what was found.

use std::time::Duration;

use super::{Measure, Status};

/// The result of one check.
///
/// ```
/// use fh_core::report::{Check, Measure};
/// let check = Check::warn("disk.space", "the data volume is 91 % full")
///     .measure(Measure::percent("used", 91.0).warn_at(90.0).critical_at(95.0))
///     .hint("grow the volume, or delete old backups with `fh-backup prune`");
/// assert_eq!(check.status.word(), "warn");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// A stable name, unique in its report: dots and lower case, such as `table.users` or `db.connect`.
    pub id: String,
    /// What was found.
    pub status: Status,
    /// One line for people, complete on its own.
    pub summary: String,
    /// The values behind the status.
    pub measures: Vec<Measure>,
    /// What supports the answer: lines of output, rows, names. One item may have several lines.
    pub evidence: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// How long the check took.
    pub duration: Option<Duration>,
    /// Ids of checks without which this one says nothing. See [`super::Report::settle`].
    pub depends_on: Vec<String>,
}

impl Check {
    /// A check with the given status.
    pub fn new(id: impl Into<String>, status: Status, summary: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            status,
            summary: summary.into(),
            measures: Vec::new(),
            evidence: Vec::new(),
            hint: None,
            duration: None,
            depends_on: Vec::new(),
        }
    }

    /// As it should be.
    pub fn pass(id: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(id, Status::Pass, summary)
    }

    /// Working, but somebody should look at it.
    pub fn warn(id: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(id, Status::Warn, summary)
    }

    /// Not as it should be.
    pub fn fail(id: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(id, Status::Fail, summary)
    }

    /// Could not be found out; the summary says why.
    pub fn unknown(id: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(id, Status::Unknown, summary)
    }

    /// Not looked at; the summary says why.
    pub fn skip(id: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(id, Status::Skip, summary)
    }

    /// An error met while checking, with its causes as evidence and its hint: a failure when the error itself says that
    /// the answer is bad (exit code 1), an unknown otherwise.
    pub fn from_error(id: impl Into<String>, error: &crate::Error) -> Self {
        let status = if error.exit() == crate::Exit::Bad {
            Status::Fail
        } else {
            Status::Unknown
        };
        let mut check = Self::new(id, status, error.message());
        check.evidence = error.causes();
        check.hint = error.advice();
        check
    }

    /// Adds a measured value.
    #[must_use]
    pub fn measure(mut self, measure: Measure) -> Self {
        self.measures.push(measure);
        self
    }

    /// Adds a piece of evidence.
    #[must_use]
    pub fn evidence(mut self, text: impl Into<String>) -> Self {
        self.evidence.push(text.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says how long it took.
    #[must_use]
    pub fn took(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Names a check without which this one says nothing.
    #[must_use]
    pub fn depends_on(mut self, id: impl Into<String>) -> Self {
        self.depends_on.push(id.into());
        self
    }
}

//! From a report to the text of one format. Every renderer is a pure function of the report and the options, knows
//! nothing of the tools, and sees only texts without secrets.
//!
//! ```
//! use fh_core::render::{self, Format, RenderOptions};
//! use fh_core::report::{Check, Report};
//!
//! let mut report = Report::verdict_run("fh-backup", "verify", "Verify");
//! report.push(Check::pass("segments", "412 segments present"));
//! let line = render::render(&report, Format::Nagios, &RenderOptions::default());
//! assert_eq!(line, "FH-BACKUP VERIFY OK - 1 passed\n");
//! ```

mod clean;
mod github;
mod human;
mod json;
mod junit;
mod markdown;
mod nagios;
mod paint;
mod prometheus;
mod quantity;
mod tables;

use jiff::tz::TimeZone;

use crate::report::{FailOn, Report};

pub use quantity::{bytes, duration, grouped};

/// The formats a report can be shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Human,
    /// One JSON document, schema fh-report/1.
    Json,
    /// JUnit XML, for CI servers.
    Junit,
    /// Prometheus text format, for the textfile collector of node_exporter.
    Prometheus,
    /// One line and performance data for Nagios and Icinga; changes the exit code to 0, 1, 2 or 3.
    Nagios,
    /// GitHub Actions annotations, and a step summary.
    Github,
    /// Markdown, for tickets and chat.
    Markdown,
}

impl Format {
    /// Whether something else than a person at a terminal takes it. Such a format gives a document even when the run
    /// ended with an error.
    #[must_use]
    pub const fn is_document(self) -> bool {
        !matches!(self, Self::Human)
    }
}

/// What a renderer may know beside the report.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// The tool's version.
    pub version: String,
    /// Whether to use colours (human only).
    pub color: bool,
    /// Columns to fit into; `None` when nobody looks at a screen (human only).
    pub width: Option<usize>,
    /// Leave out what is as it should be (human only).
    pub quiet: bool,
    /// The zone in which people read times.
    pub zone: TimeZone,
    /// What makes a run with warnings end badly.
    pub fail_on: FailOn,
}

impl Default for RenderOptions {
    /// No colours, any width, UTC.
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            color: false,
            width: None,
            quiet: false,
            zone: TimeZone::UTC,
            fail_on: FailOn::Error,
        }
    }
}

/// The report as one text in the given format, ending with a newline unless it is empty.
#[must_use]
pub fn render(report: &Report, format: Format, options: &RenderOptions) -> String {
    match format {
        // JSON can escape every character, so that a reader gets exactly what was found.
        Format::Json => json::render(&clean::scrubbed(report), options),
        Format::Human => human::render(&clean::printable(report), options),
        Format::Junit => junit::render(&clean::printable(report), options),
        Format::Prometheus => prometheus::render(&clean::printable(report), options),
        Format::Nagios => nagios::render(&clean::printable(report), options),
        Format::Github => github::render(&clean::printable(report), options),
        Format::Markdown => markdown::render(&clean::printable(report), options),
    }
}

/// The Markdown for `$GITHUB_STEP_SUMMARY`, the most important checks first, in at most `limit` bytes. What does not
/// fit is counted in a closing line.
#[must_use]
pub fn step_summary(report: &Report, options: &RenderOptions, limit: usize) -> String {
    markdown::within(&clean::printable(report), options, limit)
}

//! What people are told about a run.

use crate::exit::Exit;
use crate::report::{Report, Status};

/// The most findings listed; the report has them all.
const FINDINGS: usize = 10;

/// A short account of a run, made for a chat window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How the run ended.
    pub exit: Exit,
    /// The first line.
    pub title: String,
    /// Names and values: environment, host, how long it took.
    pub facts: Vec<(String, String)>,
    /// What is wrong, the most important first.
    pub findings: Vec<String>,
}

impl Message {
    /// A message with nothing but its first line.
    pub fn new(exit: Exit, title: impl Into<String>) -> Self {
        Self {
            exit,
            title: title.into(),
            facts: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// The account of a report that ends with `exit`.
    #[must_use]
    pub fn of(report: &Report, exit: Exit) -> Self {
        let command = [report.tool.as_str(), report.command.as_str()].join(" ");
        let mut message = Self::new(exit, format!("{}: {}", command.trim_end(), report.title));
        message.facts.clone_from(&report.subject);
        message.facts.push(("host".into(), crate::lock::host()));
        message
            .facts
            .push(("took".into(), crate::render::duration(report.took())));
        if let Some(failure) = &report.failure {
            let mut text = failure.message.clone();
            for cause in &failure.causes {
                text.push_str(&format!(": {cause}"));
            }
            message.add(&text, failure.hint.as_deref());
        }
        let worth_telling = Status::BY_IMPORTANCE
            .into_iter()
            .filter(|status| !matches!(status, Status::Pass | Status::Skip))
            .flat_map(|status| report.checks.iter().filter(move |check| check.status == status));
        let mut left_out = 0_usize;
        for check in worth_telling {
            if message.findings.len() < FINDINGS {
                message.add(
                    &format!("{} {}: {}", check.status, check.id, check.summary),
                    check.hint.as_deref(),
                );
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            message.findings.push(format!("and {left_out} more"));
        }
        message
    }

    fn add(&mut self, text: &str, hint: Option<&str>) {
        self.findings.push(match hint {
            Some(hint) => format!("{text} (hint: {hint})"),
            None => text.to_owned(),
        });
    }

    /// The account as plain text, for logs.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!("{} (exit code {})", self.title, self.exit.code())];
        lines.extend(self.facts.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(self.findings.iter().map(|finding| format!("- {finding}")));
        crate::secret::scrub(&lines.join("\n"))
    }
}

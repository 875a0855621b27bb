//! GitHub Actions: log groups, annotations, and the step summary. Does nothing elsewhere.
//! Source: GitHub's "Workflow commands for GitHub Actions".

use std::io::Write;

use anyhow::Context as _;

use crate::gates::{Gate, Outcome};
use crate::ui;

fn here() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Starts a group of log lines.
pub(super) fn open(gate: &Gate) {
    if here() {
        ui::say(&format!("::group::{}", gate.name));
    }
}

/// Ends it.
pub(super) fn close() {
    if here() {
        ui::say("::endgroup::");
    }
}

/// An annotation for a failed gate.
pub(super) fn error(gate: &Gate, outcome: &Outcome) {
    if here() {
        ui::say(&annotation(gate.name, outcome));
    }
}

/// Appends to the step summary.
pub(super) fn summary(markdown: &str) -> anyhow::Result<()> {
    match std::env::var_os("GITHUB_STEP_SUMMARY") {
        Some(path) if here() => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
            file.and_then(|mut file| file.write_all(markdown.as_bytes()))
                .with_context(|| format!("writing the step summary to {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn annotation(gate: &str, outcome: &Outcome) -> String {
    format!(
        "::error title=Gate {gate}::{}: {}",
        outcome.word(),
        escape(outcome.detail())
    )
}

/// The characters that would end a workflow command's text.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_stays_on_one_line() {
        let outcome = Outcome::Fail("84.9 % of lines\nfloor 85 %".into());
        assert_eq!(
            annotation("coverage", &outcome),
            "::error title=Gate coverage::fail: 84.9 %25 of lines%0Afloor 85 %25"
        );
    }
}

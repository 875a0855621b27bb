//! What was seen, in the way that rules ask for it.

use fh_core::Check;
use fh_core::report::Status;
use jiff::Timestamp;

use crate::glob;

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clue {
    pub(super) weight: u32,
    pub(super) text: String,
}

/// The checks of a round.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'c> {
    checks: &'c [Check],
    now: Timestamp,
}

impl<'c> Facts<'c> {
    /// Facts of these checks, seen at `now`.
    #[must_use]
    pub fn new(checks: &'c [Check], now: Timestamp) -> Self {
        Self { checks, now }
    }

    /// The time, in seconds since 1970.
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 fit a double exactly"
    )]
    pub(super) fn seconds(self) -> f64 {
        self.now.as_second() as f64
    }

    /// Every check whose id fits one of the patterns.
    pub(super) fn all(self, patterns: &'static [&'static str]) -> impl Iterator<Item = &'c Check> {
        self.checks
            .iter()
            .filter(move |check| patterns.iter().any(|pattern| glob::fits(pattern, &check.id)))
    }

    /// Clues from checks that are not good: a failure weighs 3, a warning 1. What was not judged counts by what was seen, as
    /// the report kept it.
    pub(super) fn bad(self, patterns: &'static [&'static str]) -> Vec<Clue> {
        self.all(patterns).filter_map(clue).collect()
    }

    /// Clues from checks that fail.
    pub(super) fn failing(self, patterns: &'static [&'static str]) -> Vec<Clue> {
        let mut found = self.bad(patterns);
        found.retain(|clue| clue.weight >= 3);
        found
    }

    /// Bad checks that also say one of these words.
    pub(super) fn saying(self, patterns: &'static [&'static str], words: &[&str]) -> Vec<Clue> {
        self.all(patterns)
            .filter(|check| {
                let text = [check.summary.as_str(), &check.evidence.join("\n")]
                    .join("\n")
                    .to_lowercase();
                words.iter().any(|word| text.contains(word))
            })
            .filter_map(clue)
            .collect()
    }

    /// A measured value of the checks that fit, the largest.
    pub(super) fn largest(
        self,
        patterns: &'static [&'static str],
        measure: &str,
    ) -> Option<(f64, &'c Check)> {
        self.all(patterns)
            .flat_map(|check| check.measures.iter().map(move |found| (found, check)))
            .filter(|(found, _)| found.name == measure && found.value.is_finite())
            .map(|(found, check)| (found.value, check))
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
    }
}

fn clue(check: &Check) -> Option<Clue> {
    let kept = check
        .evidence
        .first()
        .and_then(|text| text.strip_prefix("without that: "));
    let (weight, summary) = match (check.status, kept) {
        (Status::Fail, _) => (3, check.summary.as_str()),
        (Status::Warn, _) => (1, check.summary.as_str()),
        (Status::Skip, Some(seen)) if seen.starts_with("fail: ") => (3, seen),
        (Status::Skip, Some(seen)) if seen.starts_with("warn: ") => (1, seen),
        _ => return None,
    };
    Some(Clue {
        weight,
        text: format!("{}: {summary}", check.id),
    })
}

//! What the look before a restore found: everything, not only the first thing that is wrong.

use fh_core::report::Check;
use fh_core::{Error, Exit, Result};

/// The findings of one look.
#[derive(Debug, Default)]
pub struct Findings {
    checks: Vec<Check>,
    stops: Vec<Error>,
}

impl Findings {
    /// As it should be.
    pub fn good(&mut self, id: &str, summary: impl Into<String>) {
        self.checks.push(Check::pass(format!("preflight.{id}"), summary));
    }

    /// The restore may begin, and the operator should know.
    pub fn warn(&mut self, id: &str, summary: impl Into<String>, hint: impl Into<String>) {
        self.checks
            .push(Check::warn(format!("preflight.{id}"), summary).hint(hint));
    }

    /// What cannot be known from here; it does not stand in the way.
    pub fn unknown(&mut self, id: &str, summary: impl Into<String>) {
        self.checks.push(Check::skip(format!("preflight.{id}"), summary));
    }

    /// The restore must not begin. Exit code 4 for what is refused for safety, 3 for what the target lacks, 2 for what
    /// was asked for wrongly.
    pub fn stop(&mut self, id: &str, error: Error) {
        let mut check = Check::fail(format!("preflight.{id}"), error.message());
        check.evidence = error.causes();
        check.hint = error.advice();
        self.checks.push(check);
        self.stops.push(error);
    }

    /// Adds what a later look found, which replaces earlier answers to the same questions.
    pub fn merge(&mut self, later: Self) {
        self.checks
            .retain(|check| later.checks.iter().all(|new| new.id != check.id));
        self.checks.extend(later.checks);
        self.stops.extend(later.stops);
    }

    /// Every finding, for the report.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The one error that everything in the way makes together, if anything is in the way.
    #[must_use]
    pub fn error(&mut self) -> Option<Error> {
        let mut stops = std::mem::take(&mut self.stops);
        if stops.len() < 2 {
            return stops.pop();
        }
        let exit = [Exit::Usage, Exit::Refused, Exit::Unable]
            .into_iter()
            .find(|exit| stops.iter().any(|stop| stop.exit() == *exit))
            .unwrap_or(Exit::Unable);
        let mut hints: Vec<String> = Vec::new();
        for hint in stops.iter().filter_map(Error::advice) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        let causes = stops.iter().rev().fold(None, |next, stop| {
            Some(Box::new(Cause {
                text: stop.message(),
                next,
            }))
        });
        let error = Error::new(
            exit,
            format!("{} things stand in the way, and nothing was changed", stops.len()),
        )
        .hint(hints.join("; "));
        Some(match causes {
            Some(causes) => error.because(*causes),
            None => error,
        })
    }

    /// Goes on when nothing is in the way.
    ///
    /// # Errors
    /// Everything that is, in one error.
    pub fn pass(&mut self) -> Result<()> {
        self.error().map_or(Ok(()), Err)
    }
}

/// One of several reasons, each followed by the next.
#[derive(Debug)]
struct Cause {
    text: String,
    next: Option<Box<Self>>,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next
            .as_deref()
            .map(|next| next as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_in_the_way_is_told_at_once() {
        let mut findings = Findings::default();
        assert!(findings.pass().is_ok());
        findings.stop("one", Error::unable("no extension").hint("install it"));
        findings.stop("two", Error::refused("not empty").hint("make an empty one"));
        findings.stop("three", Error::unable("no role").hint("install it"));
        let error = findings.pass().unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        assert_eq!(
            error.render(),
            "error: 3 things stand in the way, and nothing was changed\ncaused by: no extension\n\
             caused by: not empty\ncaused by: no role\nhint: install it; make an empty one"
        );
        assert_eq!(findings.checks().len(), 3);
    }

    #[test]
    fn one_thing_alone_speaks_for_itself() {
        let mut findings = Findings::default();
        findings.stop("empty", Error::refused("not empty"));
        assert_eq!(findings.pass().unwrap_err().render(), "error: not empty");
    }
}

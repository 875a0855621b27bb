//! From checks to one answer: status, exit code, and the sentence that says so.

use std::fmt;

use super::{Report, Status, Verdict};
use crate::exit::Exit;

/// What makes a run with warnings end badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FailOn {
    /// Only failed checks.
    #[default]
    Error,
    /// Warnings too.
    Warning,
}

/// How many checks gave which answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Passed.
    pub pass: usize,
    /// Warned.
    pub warn: usize,
    /// Failed.
    pub fail: usize,
    /// Could not be found out.
    pub unknown: usize,
    /// Were not looked at.
    pub skip: usize,
}

impl fmt::Display for Counts {
    /// `1 failed, 2 unknown, 3 passed`: the bad news first, nothing about zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warned = if self.warn == 1 { "warning" } else { "warnings" };
        let parts = [
            (self.fail, "failed"),
            (self.unknown, "unknown"),
            (self.warn, warned),
            (self.pass, "passed"),
            (self.skip, "skipped"),
        ];
        let mut separator = "";
        for (number, word) in parts.into_iter().filter(|(number, _)| *number > 0) {
            write!(f, "{separator}{number} {word}")?;
            separator = ", ";
        }
        if separator.is_empty() {
            f.write_str("no checks")
        } else {
            Ok(())
        }
    }
}

impl Report {
    /// How many checks gave which answer, dependencies taken into account.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for check in self.settled() {
            match check.status {
                Status::Pass => counts.pass += 1,
                Status::Warn => counts.warn += 1,
                Status::Fail => counts.fail += 1,
                Status::Unknown => counts.unknown += 1,
                Status::Skip => counts.skip += 1,
            }
        }
        counts
    }

    /// Whether a judgement was asked for, and no check came to one.
    #[must_use]
    pub fn nothing_checked(&self) -> bool {
        let counts = self.counts();
        self.verdict == Verdict::Required && counts.pass + counts.warn + counts.fail + counts.unknown == 0
    }

    /// The one answer of the whole run.
    #[must_use]
    pub fn status(&self) -> Status {
        let counts = self.counts();
        let failed = self
            .failure
            .as_ref()
            .is_some_and(|failure| failure.exit == Exit::Bad);
        if counts.fail > 0 || failed {
            Status::Fail
        } else if counts.unknown > 0 || self.failure.is_some() || self.nothing_checked() {
            Status::Unknown
        } else if counts.warn > 0 {
            Status::Warn
        } else {
            Status::Pass
        }
    }

    /// The exit code of the whole run. A failed check outweighs an unknown one, which outweighs a warning; a run that
    /// should have judged and did not is never good. An error that ended the run decides alone.
    #[must_use]
    pub fn exit(&self, fail_on: FailOn) -> Exit {
        if let Some(failure) = &self.failure {
            return failure.exit;
        }
        match (self.status(), fail_on) {
            (Status::Fail, _) | (Status::Warn, FailOn::Warning) => Exit::Bad,
            (Status::Unknown, _) => Exit::Unable,
            (Status::Pass | Status::Skip, _) | (Status::Warn, FailOn::Error) => Exit::Good,
        }
    }

    /// The exit code under `--format nagios`: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, errors included
    /// (Monitoring Plugins Development Guidelines, "Plugin Return Codes").
    #[must_use]
    pub fn nagios_exit(&self) -> u8 {
        match self.status() {
            Status::Pass | Status::Skip => 0,
            Status::Warn => 1,
            Status::Fail => 2,
            Status::Unknown => 3,
        }
    }

    /// The closing line: the counts, or why there is no answer. Not scrubbed; renderers do that.
    #[must_use]
    pub fn headline(&self) -> String {
        if let Some(failure) = &self.failure {
            return failure.message.clone();
        }
        let counts = self.counts();
        if self.nothing_checked() {
            return match counts.skip {
                0 => "nothing was checked".into(),
                skipped => format!("nothing was checked ({skipped} skipped)"),
            };
        }
        if counts == Counts::default() {
            "done".into()
        } else {
            counts.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::report::Check;

    /// Every combination of the five statuses, for both kinds of report and both thresholds, against the rule written
    /// a second time as a table of what is present.
    #[test]
    fn the_exit_code_of_every_combination() {
        for bits in 0_u8..32 {
            let has = |bit: u8| bits & (1 << bit) != 0;
            let (pass, warn, fail, unknown, skip) = (has(0), has(1), has(2), has(3), has(4));
            for verdict in [Verdict::Required, Verdict::NotRequired] {
                let mut report = Report::verdict_run("fh-x", "run", "x");
                report.verdict = verdict;
                let present = [
                    (pass, Status::Pass),
                    (warn, Status::Warn),
                    (fail, Status::Fail),
                    (unknown, Status::Unknown),
                    (skip, Status::Skip),
                ];
                for (index, (_, status)) in present.iter().enumerate().filter(|(_, (here, _))| *here) {
                    report.push(Check::new(format!("c{index}"), *status, "s"));
                }
                let (lax, strict, nagios) = match (fail, unknown, warn, pass, verdict) {
                    (true, _, _, _, _) => (Exit::Bad, Exit::Bad, 2),
                    (false, true, _, _, _) => (Exit::Unable, Exit::Unable, 3),
                    (false, false, true, _, _) => (Exit::Good, Exit::Bad, 1),
                    (false, false, false, true, _) | (false, false, false, false, Verdict::NotRequired) => {
                        (Exit::Good, Exit::Good, 0)
                    }
                    (false, false, false, false, Verdict::Required) => (Exit::Unable, Exit::Unable, 3),
                };
                assert_eq!(report.exit(FailOn::Error), lax, "{bits:05b} {verdict:?}");
                assert_eq!(report.exit(FailOn::Warning), strict, "{bits:05b} {verdict:?}");
                assert_eq!(report.nagios_exit(), nagios, "{bits:05b} {verdict:?}");
            }
        }
    }

    #[test]
    fn an_error_decides_alone_and_is_never_good() {
        for exit in [
            Exit::Bad,
            Exit::Usage,
            Exit::Unable,
            Exit::Refused,
            Exit::Interrupted,
            Exit::Terminated,
        ] {
            let mut report = Report::failed("fh-x", "run", &Error::new(exit, "no"));
            report.push(Check::pass("a", "fine until then"));
            assert_eq!(report.exit(FailOn::Error), exit);
            assert_eq!(report.nagios_exit(), if exit == Exit::Bad { 2 } else { 3 });
            assert_eq!(report.headline(), "no");
        }
    }

    #[test]
    fn the_headline_tells_the_bad_news_first() {
        let mut report = Report::verdict_run("fh-x", "run", "x");
        assert_eq!(report.headline(), "nothing was checked");
        report.push(Check::skip("s", "not asked for"));
        assert_eq!(report.headline(), "nothing was checked (1 skipped)");
        report.push(Check::pass("p", "fine"));
        report.push(Check::warn("w", "hm"));
        report.push(Check::fail("f", "bad"));
        assert_eq!(report.headline(), "1 failed, 1 warning, 1 passed, 1 skipped");
        assert_eq!(Report::listing("fh-x", "list", "x").headline(), "done");
    }
}

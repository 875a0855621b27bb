//! A question to the server, and what its answer means.

use fh_core::Check;
use fh_core::config::HealthPostgres;
use fh_core::report::Measure;

use super::ask::{Answer, Row};
use super::server::Server;
use crate::limits::Limits;
use crate::probe::Context;
use crate::samples::Growth;

/// A question and the checks that come from its answer.
pub(super) struct Question {
    /// The checks.
    pub(super) plans: &'static [Plan],
    /// Who may ask.
    pub(super) right: Right,
    /// What a role without rights needs, so that it gets the whole answer.
    pub(super) grants: &'static [&'static str],
    /// The statement; or, where the question makes no sense, why.
    pub(super) sql: fn(&Server, &HealthPostgres) -> Result<String, String>,
    /// From rows to checks.
    pub(super) judge: fn(&Asked<'_>, &[Row]) -> Vec<Check>,
}

/// A check of this family.
pub(super) struct Plan {
    /// End of its id.
    pub(super) name: &'static str,
    /// What it looks at, in one line.
    pub(super) about: &'static str,
    /// Its built-in thresholds.
    pub(super) limits: Option<Limits>,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Everybody gets the whole answer.
    Everyone,
    /// Others get rows full of nothing, which look like a good state.
    Stats,
}

/// What is known when a question is asked and judged.
pub(super) struct Asked<'a> {
    /// Such as `postgres.main`.
    pub(super) id: &'a str,
    pub(super) server: &'a Server,
    pub(super) config: &'a HealthPostgres,
    pub(super) context: &'a Context,
}

/// A counter since the run before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Since {
    /// There was no run before, or it did not see this.
    First,
    /// It was set back: the server crashed, or somebody reset the statistics.
    Reset,
    /// By how much it grew, and in what time.
    Grown(Growth),
}

impl Asked<'_> {
    /// `postgres.main.connections`
    pub(super) fn id(&self, name: &str) -> String {
        format!("{}.{name}", self.id)
    }

    /// A check whose status comes from a value and its limits.
    pub(super) fn judged(&self, name: &str, measure: Measure, summary: String) -> Check {
        self.context.judge(self.id(name), measure, summary)
    }

    /// What a counter did since the run before; this run's value is kept for the next one.
    pub(super) fn since(&self, name: &str, value: f64) -> Since {
        let (key, now) = (self.id(name), self.context.now);
        let change = self.context.before.change(&key, value, now);
        self.context.after.count(key, value, now);
        match change {
            None => Since::First,
            Some(growth) if growth.amount < 0.0 => Since::Reset,
            Some(growth) => Since::Grown(growth),
        }
    }

    /// A skip that says why a counter says nothing yet.
    pub(super) fn not_yet(&self, name: &str, since: Since) -> Check {
        let why = match since {
            Since::Reset => "the server's counters were set back since the last run; the next run can tell",
            _ => "this is the first run that sees this; the next one can tell what changed",
        };
        Check::skip(self.id(name), why)
    }
}

impl Question {
    /// The checks of an answer.
    pub(super) fn checks(&self, asked: &Asked<'_>, answer: &Answer) -> Vec<Check> {
        let unknown = |why: String| {
            let plans = self.plans.iter();
            plans
                .map(|plan| Check::unknown(asked.id(plan.name), why.clone()))
                .collect()
        };
        match answer {
            Answer::Rows(rows) => (self.judge)(asked, rows),
            Answer::Refused(words) if words.contains("(SQLSTATE 42501)") => self.skipped(
                asked,
                &format!("the role may not read this: {words}"),
                &asked.server.grant_monitor(),
            ),
            // Aurora answers so to questions about the files of the log.
            Answer::Refused(words) if words.contains("(SQLSTATE 0A000)") => {
                self.skipped(asked, &format!("this server has no answer to it: {words}"), "")
            }
            Answer::Refused(words) => unknown(format!("the server did not answer: {words}")),
            Answer::NotAsked(why) => unknown(format!("not asked: {why}")),
        }
    }

    /// One skip for each check.
    pub(super) fn skipped(&self, asked: &Asked<'_>, why: &str, hint: &str) -> Vec<Check> {
        let skip = |plan: &Plan| {
            let check = Check::skip(asked.id(plan.name), why);
            if hint.is_empty() { check } else { check.hint(hint) }
        };
        self.plans.iter().map(skip).collect()
    }
}

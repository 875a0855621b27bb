//! What a probe may use while it looks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fh_core::config::{Config, SecretResolver, SecretSource};
use fh_core::duration::Period;
use fh_core::report::{Measure, Status};
use fh_core::{Cancel, Check, Deadline, Result, Secret};
use fh_http::{Failure, Lookup, Places};
use jiff::Timestamp;

use crate::limits::Limits;
use crate::rules::Rules;
use crate::samples::{Recorder, Samples};

/// What fetches secrets.
pub type Secrets = Arc<dyn SecretResolver + Send + Sync>;

/// One round, as a probe sees it.
#[derive(Clone)]
pub struct Context {
    /// By when the probe must have answered.
    pub deadline: Deadline,
    /// Whether somebody asked the run to stop.
    pub cancel: Cancel,
    /// When the round began.
    pub now: Timestamp,
    /// What the run before left.
    pub before: Arc<Samples>,
    /// Where this run's counters go.
    pub after: Recorder,
    /// The log of samples that objectives are judged by; `None` without a memory.
    pub samples: Option<PathBuf>,
    /// The configuration.
    pub config: Arc<Config>,
    /// What holds for each check.
    pub rules: Arc<Rules>,
    /// What fetches secrets.
    pub secrets: Secrets,
    /// How names are looked up; [`fh_http::system`] outside of tests.
    pub lookup: Lookup,
}

impl Context {
    /// The time for one attempt: `own`, else `health.timeout`, never more than what is left of the round.
    ///
    /// # Errors
    /// Exit code 3 when nothing is left.
    pub fn timeout(&self, own: Option<Period>, what: &str) -> Result<Duration> {
        let wanted = own.unwrap_or(self.config.health.timeout);
        self.deadline.bound(wanted.get(), what)
    }

    /// The thresholds of a check, with what the configuration changes. `None` for a check that was planned without.
    #[must_use]
    pub fn limits(&self, id: &str) -> Option<Limits> {
        self.rules.of(id).limits
    }

    /// Judges a measured value by the thresholds of the check, and adds them to the measure. A value that is not a number is
    /// unknown.
    pub fn judge(&self, id: impl Into<String>, measure: Measure, summary: impl Into<String>) -> Check {
        let id = id.into();
        let (status, measure) = match self.limits(&id) {
            Some(limits) => (limits.judge(measure.value), limits.on(measure)),
            None if measure.value.is_nan() => (Status::Unknown, measure),
            None => (Status::Pass, measure),
        };
        Check::new(id, status, summary).measure(measure)
    }

    /// The addresses of a host, by whether this machine has a way to them: an IPv6 address says nothing about the server
    /// where there is no IPv6.
    ///
    /// # Errors
    /// When the name has no address, or the time is up.
    pub fn places(&self, host: &str, port: u16, until: Deadline) -> Result<Places, Failure> {
        let lookup = Arc::clone(&self.lookup);
        fh_http::resolve_with(lookup, host, port, until, &self.cancel).map(Places::of)
    }

    /// Fetches a secret of the configuration; `what` says what it is.
    ///
    /// # Errors
    /// Exit code 2 or 3 when it cannot be read.
    pub fn secret(&self, source: &SecretSource, what: &str) -> Result<Secret> {
        source.resolve(self.secrets.as_ref(), what)
    }
}

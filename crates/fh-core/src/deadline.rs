//! The time a run may take, and what is left of it.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// The point in time by which the whole run must be over. Every attempt of every network call is bounded by what is
/// left, so that a slow first step cannot push the run past its limit.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<(Instant, Duration)>);

impl Deadline {
    /// A deadline `limit` from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(Some((Instant::now() + limit, limit)))
    }

    /// No limit for the run as a whole; single calls still have their own time-outs.
    #[must_use]
    pub const fn never() -> Self {
        Self(None)
    }

    /// What is left, or `None` when there is no limit. Zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.0
            .map(|(end, _)| end.saturating_duration_since(Instant::now()))
    }

    /// The time-out for one attempt that would like to take `wanted`: never more than what is left.
    ///
    /// # Errors
    /// Exit code 3 when nothing is left; `what` names the step that was not begun.
    pub fn bound(&self, wanted: Duration, what: &str) -> Result<Duration> {
        match self.0 {
            None => Ok(wanted),
            Some((end, limit)) => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(Self::passed(limit, what));
                }
                Ok(wanted.min(left))
            }
        }
    }

    fn passed(limit: Duration, what: &str) -> Error {
        Error::unable(format!("the deadline of {limit:?} has passed before: {what}"))
            .hint("give more time with --deadline, or find out what is slow with -v")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn an_attempt_gets_what_it_wants_or_what_is_left() {
        let deadline = Deadline::after(Duration::from_secs(60));
        assert_eq!(
            deadline.bound(Duration::from_secs(5), "x").unwrap(),
            Duration::from_secs(5)
        );
        assert!(deadline.bound(Duration::from_secs(600), "x").unwrap() <= Duration::from_secs(60));
        assert_eq!(
            Deadline::never().bound(Duration::from_secs(600), "x").unwrap(),
            Duration::from_secs(600)
        );
    }

    #[test]
    fn nothing_begins_after_the_deadline() {
        let error = Deadline::after(Duration::ZERO)
            .bound(Duration::from_secs(1), "listing segments")
            .unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        assert!(error.message().contains("listing segments"));
    }
}

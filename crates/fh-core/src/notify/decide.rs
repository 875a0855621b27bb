//! Whether a run is worth a message.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::NotifyOn;
use crate::exit::Exit;

/// What was last said, kept between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Last {
    /// The exit code of the run.
    pub(super) exit: u8,
    /// When people were told, or would have been, had it been worth it.
    pub(super) told: Timestamp,
}

/// Whether to tell people of a run that ended with `exit`. With no memory a bad run is told and a good one is not.
pub(super) fn worth_telling(
    on: NotifyOn,
    last: Option<Last>,
    exit: Exit,
    now: Timestamp,
    remind_after: Duration,
) -> bool {
    let good = exit == Exit::Good;
    match (on, last) {
        (NotifyOn::Always, _) => true,
        (NotifyOn::Failure, _) | (NotifyOn::Change, None) => !good,
        (NotifyOn::Change, Some(last)) if last.exit != exit.code() => true,
        (NotifyOn::Change, Some(_)) if good => false,
        // A clock that was set back counts as no time passed, and the next real change is told anyway.
        (NotifyOn::Change, Some(last)) => {
            Duration::try_from(now.duration_since(last.told)).is_ok_and(|passed| passed >= remind_after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case() {
        let then: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let now: Timestamp = "2026-03-01T01:00:00Z".parse().unwrap();
        let last = |exit: Exit| {
            Some(Last {
                exit: exit.code(),
                told: then,
            })
        };
        use Exit::{Bad, Good, Unable};
        use NotifyOn::{Always, Change, Failure};
        let (hour, more) = (Duration::from_secs(3600), Duration::from_secs(3601));
        let cases = [
            (Always, last(Good), Good, more, true),
            (Failure, last(Bad), Bad, more, true),
            (Failure, None, Good, more, false),
            (Failure, last(Bad), Good, more, false),
            (Change, None, Good, more, false),
            (Change, None, Bad, more, true),
            (Change, last(Good), Good, hour, false),
            (Change, last(Good), Bad, more, true),
            (Change, last(Bad), Good, more, true),
            (Change, last(Bad), Unable, more, true),
            (Change, last(Bad), Bad, more, false),
            (Change, last(Bad), Bad, hour, true),
        ];
        for (on, last, exit, remind_after, expected) in cases {
            let told = worth_telling(on, last, exit, now, remind_after);
            assert_eq!(told, expected, "{on:?} {last:?} {exit:?} {remind_after:?}");
        }
        assert!(!worth_telling(
            Change,
            Some(Last { exit: 1, told: now }),
            Bad,
            then,
            Duration::from_secs(60)
        ));
    }
}

//! When a set was taken, as far as it can be believed.

use fh_core::config::RetentionTimes;
use jiff::{SignedDuration, Timestamp};

use crate::set::SetHeader;

/// How far a set's own time and the store's may be apart, and how far in the future a set may be.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The time of a set to judge by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// The time.
    pub time: Timestamp,
    /// Whether it is the store's, because the set's own disagrees with it.
    pub by_the_store: bool,
    /// Whether it lies in the future: then it is no clock for anything.
    pub future: bool,
}

/// Whoever holds the repository key can seal a set with any time in it, and so take the place of good sets in the rules.
/// The store's time cannot be made up.
#[must_use]
pub fn judge(
    header: &SetHeader,
    modified: Option<Timestamp>,
    times: RetentionTimes,
    now: Timestamp,
) -> Judged {
    let differs = |modified: &Timestamp| header.created.duration_since(*modified).abs() > DAY;
    let stores = modified
        .filter(differs)
        .filter(|_| times == RetentionTimes::Checked);
    let time = stores.unwrap_or(header.created);
    Judged {
        time,
        by_the_store: stores.is_some(),
        future: time.duration_since(now) > DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(created: &str) -> SetHeader {
        SetHeader {
            version: 1,
            id: String::new(),
            repository: String::new(),
            created: created.parse().unwrap(),
            snapshot_at: None,
            host: String::new(),
            tool: String::new(),
            project: String::new(),
            environment: None,
            databases: Vec::new(),
            totals: crate::Totals::default(),
            contents: crate::Contents::default(),
            collapsed: false,
            summary_size: 0,
            summary_hash: String::new(),
            summary_plain_size: 0,
            body_size: 0,
            body_hash: String::new(),
            body_plain_size: 0,
            rotation: 0,
            recipients: Vec::new(),
            guide: None,
            locked_in: None,
            segments: Vec::new(),
        }
    }

    /// Own time, the store's, whose is believed; then which it is and whether it is in the future, seen on 10 March.
    #[test]
    fn every_case() {
        use RetentionTimes::{Checked, Own};
        let (old, near, now, far) = (
            "2026-03-01T00:00:00Z",
            "2026-03-09T12:00:00Z",
            "2026-03-10T00:00:00Z",
            "2027-01-01T00:00:00Z",
        );
        let cases = [
            (near, Some(now), Checked, near, false, false),
            (old, Some(now), Checked, now, true, false),
            (far, Some(now), Checked, now, true, false),
            (far, Some(far), Checked, far, false, true),
            (far, None, Checked, far, false, true),
            (old, None, Checked, old, false, false),
            (old, Some(now), Own, old, false, false),
            (far, Some(now), Own, far, false, true),
        ];
        for (own, stores, times, time, by_the_store, future) in cases {
            let stores = stores.map(|time| time.parse().unwrap());
            let judged = judge(&header(own), stores, times, now.parse().unwrap());
            let expected = Judged {
                time: time.parse().unwrap(),
                by_the_store,
                future,
            };
            assert_eq!(judged, expected, "{own} {stores:?} {times:?}");
        }
    }
}

//! From events to the budget that is left and the rate at which it burns.

use std::time::Duration;

use jiff::Timestamp;

/// The four pairs of windows, for an objective of 30 days: the share of the budget that may go in the long window, the
/// windows, and whether somebody must be woken.
const WINDOWS: [(f64, u64, u64, bool); 4] = [
    (0.02, 3600, 300, true),
    (0.05, 6 * 3600, 1800, true),
    (0.10, 24 * 3600, 2 * 3600, false),
    (0.10, 3 * 24 * 3600, 6 * 3600, false),
];

/// One event of an objective, or several that came in the same minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// When; of several the end of their period.
    pub at: Timestamp,
    /// How many.
    pub events: u64,
    /// How many of them were bad.
    pub bad: u64,
    /// How long the answer took, in seconds, when that is known.
    pub seconds: Option<f64>,
}

impl Event {
    /// A single one.
    #[must_use]
    pub fn one(at: Timestamp, good: bool) -> Self {
        Self {
            at,
            events: 1,
            bad: u64::from(!good),
            seconds: None,
        }
    }
}

/// Good and bad events of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All.
    pub events: u64,
    /// The bad ones.
    pub bad: u64,
}

impl Tally {
    /// The share of bad ones; `None` without events.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact beyond 2^53")]
    pub fn bad_share(&self) -> Option<f64> {
        (self.events > 0).then(|| self.bad as f64 / self.events as f64)
    }
}

/// One pair of windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Burn {
    /// The long window.
    pub long: Duration,
    /// The short one, which shows whether it still goes on.
    pub short: Duration,
    /// How many times faster than allowed the budget may burn.
    pub limit: f64,
    /// Whether somebody must be woken.
    pub page: bool,
    /// The rate in the long window; `None` when it has too few events to say.
    pub in_long: Option<f64>,
    /// The rate in the short window; `None` when it has no events.
    pub in_short: Option<f64>,
    /// Events in the long window.
    pub events: u64,
}

impl Burn {
    /// Whether both windows burn too fast; `None` when that cannot be said.
    #[must_use]
    pub fn is_too_fast(&self) -> Option<bool> {
        let long = self.in_long?;
        if long < self.limit {
            return Some(false);
        }
        Some(self.in_short? >= self.limit)
    }
}

/// How an objective stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Events of the whole window.
    pub tally: Tally,
    /// The share of the error budget that is left, 1 to below 0; `None` when there are too few events to say.
    pub budget_left: Option<f64>,
    /// The four pairs of windows.
    pub burns: Vec<Burn>,
    /// Answer times of good events at the 50th, 95th and 99th percentile, in seconds; `None` with too few.
    pub latency: Option<[f64; 3]>,
}

/// How an objective of `availability` (below 1) over `window` stands at `now`. A window with fewer than `min_events` says
/// nothing: with ten events one failure would be a tenth.
#[must_use]
pub fn standing(
    events: &[Event],
    availability: f64,
    window: Duration,
    min_events: u64,
    now: Timestamp,
) -> Standing {
    let budget = 1.0 - availability;
    let whole = tally(events, window, now);
    let enough = |tally: &Tally| tally.events >= min_events.max(1);
    let rate = |tally: &Tally| tally.bad_share().map(|bad| bad / budget);
    let burns = WINDOWS
        .iter()
        .map(|(share, long, short, page)| {
            let (long, short) = (Duration::from_secs(*long), Duration::from_secs(*short));
            let (in_long, in_short) = (tally(events, long, now), tally(events, short, now));
            Burn {
                long,
                short,
                limit: share * window.as_secs_f64() / long.as_secs_f64(),
                page: *page,
                in_long: rate(&in_long).filter(|_| enough(&in_long)),
                in_short: rate(&in_short),
                events: in_long.events,
            }
        })
        .collect();
    Standing {
        tally: whole,
        budget_left: rate(&whole).filter(|_| enough(&whole)).map(|burnt| 1.0 - burnt),
        burns,
        latency: percentiles(events, window, now).filter(|_| enough(&whole)),
    }
}

fn within(event: &Event, window: Duration, now: Timestamp) -> bool {
    // An event of the future comes from a clock that was set back; it is as good as one of now.
    let age = Duration::try_from(now.duration_since(event.at)).unwrap_or_default();
    age < window
}

fn tally(events: &[Event], window: Duration, now: Timestamp) -> Tally {
    let mut tally = Tally::default();
    for event in events.iter().filter(|event| within(event, window, now)) {
        tally.events += event.events;
        tally.bad += event.bad;
    }
    tally
}

/// Nearest-rank percentiles of the answers.
fn percentiles(events: &[Event], window: Duration, now: Timestamp) -> Option<[f64; 3]> {
    let inside = events.iter().filter(|event| within(event, window, now));
    let mut times: Vec<f64> = inside.filter_map(|event| event.seconds).collect();
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).copied()
    };
    Some([at(50)?, at(95)?, at(99)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// An event each minute up to now; `bad` says which, by its age in minutes.
    fn events(minutes: i64, bad: impl Fn(i64) -> bool) -> Vec<Event> {
        (0..minutes)
            .rev()
            .map(|age| Event {
                seconds: Some(0.1),
                ..Event::one(at(-60 * age), !bad(age))
            })
            .collect()
    }

    #[test]
    fn the_limits_are_those_of_the_book() {
        let limits = |window| -> Vec<f64> {
            let burns = standing(&[], 0.999, window, 1, at(0)).burns;
            burns
                .iter()
                .map(|burn| (burn.limit * 100.0).round() / 100.0)
                .collect()
        };
        assert_eq!(limits(MONTH), [14.4, 6.0, 3.0, 1.0]);
        assert_eq!(
            limits(Duration::from_secs(28 * 24 * 3600)),
            [13.44, 5.6, 2.8, 0.93]
        );
    }

    #[test]
    fn both_windows_must_burn() {
        // Two bad minutes in the last hour are 33 times the rate of 99.9 %.
        let going_on = standing(&events(600, |age| age < 2), 0.999, MONTH, 20, at(0));
        assert_eq!(going_on.burns[0].is_too_fast(), Some(true));
        let over = standing(
            &events(600, |age| (10..12).contains(&age)),
            0.999,
            MONTH,
            20,
            at(0),
        );
        assert_eq!(
            over.burns[0].is_too_fast(),
            Some(false),
            "the last five minutes were good"
        );
        let good = standing(&events(600, |_| false), 0.999, MONTH, 20, at(0));
        assert_eq!(
            (good.burns[0].is_too_fast(), good.budget_left),
            (Some(false), Some(1.0))
        );
    }

    #[test]
    fn few_events_and_none_say_nothing() {
        let one_of_ten = standing(&events(10, |age| age == 0), 0.999, MONTH, 20, at(0));
        assert_eq!(
            (one_of_ten.burns[0].is_too_fast(), one_of_ten.budget_left),
            (None, None)
        );
        let none = standing(&[], 0.999, MONTH, 0, at(0));
        assert_eq!(
            (none.budget_left, none.latency, none.burns[0].is_too_fast()),
            (None, None, None)
        );
        // The short window has no events: whether it goes on cannot be said.
        let stale = standing(&events(60, |_| true), 0.999, MONTH, 20, at(600));
        assert_eq!(stale.burns[0].is_too_fast(), None);
    }

    #[test]
    fn budget_and_percentiles_by_hand() {
        let mut all = events(1000, |age| age == 500);
        for (event, seconds) in all.iter_mut().zip(1..) {
            event.seconds = Some(f64::from(seconds));
        }
        let found = standing(&all, 0.99, MONTH, 20, at(0));
        assert_eq!(found.tally, Tally { events: 1000, bad: 1 });
        assert!((found.budget_left.unwrap() - 0.9).abs() < 1e-9, "{found:?}");
        assert_eq!(found.latency, Some([500.0, 950.0, 990.0]));
        let short = standing(&all, 0.99, Duration::from_secs(600), 1, at(0));
        assert_eq!(short.tally.events, 10);
    }
}

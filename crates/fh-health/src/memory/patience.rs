//! `for` and `recover`: how many runs in a row it takes until a change is believed.

use std::time::Duration;

use fh_core::Check;
use fh_core::render::duration;
use jiff::Timestamp;

use super::{Level, Seen};
use crate::rules::Rule;

/// What is believed after one more run that saw `level`.
pub(super) fn advance(before: Option<&Seen>, level: Level, rule: &Rule, now: Timestamp) -> Seen {
    let (believed, since) = before.map_or((Level::Pass, now), |seen| (seen.level, seen.since));
    let mut recent = before.map(|seen| seen.recent.clone()).unwrap_or_default();
    recent.push(level);
    let (patience, recover) = (runs(rule.for_runs), runs(rule.recover));
    let keep = patience.max(recover);
    recent.drain(..recent.len().saturating_sub(keep));
    // The mildest of the last runs is what all of them were at least, the worst what all were at most.
    let least = last(&recent, patience).min().filter(|_| recent.len() >= patience);
    let most = last(&recent, recover).max().filter(|_| recent.len() >= recover);
    let next = match (least, most) {
        (Some(least), _) if least > believed => least,
        (_, Some(most)) if most < believed => most,
        _ => believed,
    };
    Seen {
        level: next,
        since: if next == believed { since } else { now },
        last: now,
        recent,
    }
}

fn runs(count: u32) -> usize {
    usize::try_from(count.max(1)).unwrap_or(1)
}

fn last(recent: &[Level], count: usize) -> impl Iterator<Item = Level> {
    recent[recent.len().saturating_sub(count)..].iter().copied()
}

/// How many of the newest runs in a row fit.
fn streak(recent: &[Level], fits: impl Fn(Level) -> bool) -> usize {
    recent.iter().rev().take_while(|level| fits(**level)).count()
}

/// Shows the check as it is believed. What could not be found out is always shown as unknown: patience must not turn it into
/// an answer. A failure that is not believed yet is a warning.
pub(super) fn show(check: &mut Check, seen_now: Level, seen: &Seen, rule: &Rule, now: Timestamp) {
    let believed = seen.level;
    if seen_now == Level::Unknown {
        // Stays as it is.
    } else if seen_now > believed {
        let count = streak(&seen.recent, |level| level > believed);
        check.summary = format!("{} ({count} of {} runs)", check.summary, rule.for_runs);
        let milder = if seen_now == Level::Fail {
            Level::Warn
        } else {
            Level::Pass
        };
        check.status = believed.max(milder).status();
    } else if seen_now < believed {
        let count = streak(&seen.recent, |level| level < believed);
        check.summary = format!(
            "{}, again for {count} of {} runs: {}",
            seen_now.word(),
            rule.recover,
            check.summary
        );
        check.status = believed.status();
    }
    if believed > Level::Pass && seen.since < now {
        let lasted = Duration::try_from(now.duration_since(seen.since)).unwrap_or_default();
        check.evidence.push(format!(
            "{} since {:.0} ({})",
            believed.word(),
            seen.since,
            duration(lasted)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fh_core::report::Status;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// One letter for each run: what it saw; gives what was believed and what was shown.
    fn story(runs: &str, for_runs: u32, recover: u32) -> (String, String) {
        let rule = Rule {
            for_runs,
            recover,
            ..Rule::default()
        };
        let mut seen: Option<Seen> = None;
        let (mut believed, mut shown) = (String::new(), String::new());
        let letter = |status: Status| status.word().chars().next().unwrap();
        for (second, run) in (0..).zip(runs.chars()) {
            let level = match run {
                'p' => Level::Pass,
                'w' => Level::Warn,
                'u' => Level::Unknown,
                _ => Level::Fail,
            };
            let next = advance(seen.as_ref(), level, &rule, at(second));
            let mut check = Check::new("x", level.status(), "s");
            show(&mut check, level, &next, &rule, at(second));
            believed.push(letter(next.level.status()));
            shown.push(letter(check.status));
            seen = Some(next);
        }
        (believed, shown)
    }

    #[test]
    fn without_patience_every_run_is_believed() {
        assert_eq!(story("pwfup", 1, 1), ("pwfup".into(), "pwfup".into()));
    }

    #[test]
    fn a_change_is_believed_after_enough_runs_in_a_row() {
        for (runs, for_runs, recover, believed, shown) in [
            ("fpffp", 2, 1, "pppfp", "wpwfp"),
            ("ffppp", 1, 3, "ffffp", "ffffp"),
            ("fpfpp", 1, 2, "ffffp", "ffffp"),
            // A failure and a warning in a row are a warning, twice.
            ("fwff", 2, 1, "pwwf", "wwwf"),
            ("wfp", 2, 2, "pww", "pww"),
            // What is not known is shown at once, and believed after as many runs.
            ("pupuu", 2, 1, "ppppu", "pupuu"),
            ("fu", 1, 2, "ff", "fu"),
        ] {
            let (got, seen) = story(runs, for_runs, recover);
            assert_eq!(
                (got.as_str(), seen.as_str()),
                (believed, shown),
                "{runs} {for_runs} {recover}"
            );
        }
    }

    #[test]
    fn since_is_when_the_belief_changed() {
        let rule = Rule {
            for_runs: 2,
            ..Rule::default()
        };
        let first = advance(None, Level::Fail, &rule, at(0));
        let second = advance(Some(&first), Level::Fail, &rule, at(60));
        let third = advance(Some(&second), Level::Fail, &rule, at(120));
        assert_eq!((second.level, third.since), (Level::Fail, at(60)));
        assert!(third.recent.len() <= 2);
        let mut check = Check::fail("x", "s");
        show(&mut check, Level::Fail, &third, &rule, at(120));
        assert!(
            check.evidence[0].starts_with("fail since 2023-11-14T22:14:20Z ("),
            "{:?}",
            check.evidence
        );
    }
}

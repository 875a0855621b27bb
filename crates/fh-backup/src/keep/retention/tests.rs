//! Cases by hand, and many by chance against a naive model.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Candidate, Class, Rules, decide};

fn rules(zone: &str) -> Rules {
    Rules {
        last: 0,
        hourly: 0,
        daily: 0,
        weekly: 0,
        monthly: 0,
        yearly: 0,
        within: None,
        min: 1,
        zone: TimeZone::get(zone).unwrap(),
    }
}

fn set(time: &str, class: Class) -> Candidate {
    Candidate {
        id: time.into(),
        time: time.parse().unwrap(),
        class,
    }
}

/// One line for each set, newest first: `+` or `-`, id, reason.
fn lines(rules: &Rules, sets: &[Candidate]) -> Vec<String> {
    decide(rules, sets)
        .into_iter()
        .map(|decision| {
            let sign = if decision.keep { '+' } else { '-' };
            format!("{sign} {} {}", decision.id, decision.reason)
        })
        .collect()
}

fn proven(times: &[&str]) -> Vec<Candidate> {
    times.iter().map(|time| set(time, Class::Proven)).collect()
}

#[test]
fn each_rule_keeps_the_newest_of_its_buckets() {
    let mut rules = rules("UTC");
    (rules.last, rules.daily, rules.weekly, rules.monthly, rules.yearly) = (1, 2, 2, 2, 2);
    let sets = proven(&[
        "2026-03-10T02:00:00Z",
        "2026-03-10T14:00:00Z",
        "2026-03-09T02:00:00Z",
        "2026-03-08T02:00:00Z",
        "2026-03-01T02:00:00Z",
        "2026-02-27T02:00:00Z",
        "2025-12-31T02:00:00Z",
        "2024-12-30T02:00:00Z",
    ]);
    assert_eq!(
        lines(&rules, &sets),
        [
            "+ 2026-03-10T14:00:00Z last 1/1, daily 1/2, weekly 1/2, monthly 1/2, yearly 1/2",
            "- 2026-03-10T02:00:00Z no rule keeps it",
            "+ 2026-03-09T02:00:00Z daily 2/2",
            "+ 2026-03-08T02:00:00Z weekly 2/2",
            "- 2026-03-01T02:00:00Z no rule keeps it",
            "+ 2026-02-27T02:00:00Z monthly 2/2",
            "+ 2025-12-31T02:00:00Z yearly 2/2",
            "- 2024-12-30T02:00:00Z no rule keeps it",
        ]
    );
}

#[test]
fn a_week_that_spans_the_years_is_one_week() {
    let mut rules = rules("UTC");
    rules.weekly = 9;
    // ISO 8601: 30 December 2024 is the Monday of the first week of 2025; 2026 has 53 weeks.
    let sets = proven(&[
        "2024-12-29T12:00:00Z",
        "2024-12-30T12:00:00Z",
        "2025-01-05T12:00:00Z",
    ]);
    assert_eq!(
        lines(&rules, &sets),
        [
            "+ 2025-01-05T12:00:00Z weekly 1/9",
            "- 2024-12-30T12:00:00Z no rule keeps it",
            "+ 2024-12-29T12:00:00Z weekly 2/9",
        ]
    );
}

#[test]
fn days_begin_where_the_configuration_says() {
    let sets = proven(&["2026-03-09T22:30:00Z", "2026-03-09T23:30:00Z"]);
    for (zone, kept) in [("UTC", 1), ("Europe/Berlin", 2)] {
        let mut rules = rules(zone);
        rules.daily = 5;
        let decisions = decide(&rules, &sets);
        assert_eq!(
            decisions.iter().filter(|decision| decision.keep).count(),
            kept,
            "{zone}"
        );
    }
}

#[test]
fn the_hour_that_comes_twice_is_two_hours_and_leap_days_are_days() {
    let mut hours = rules("Europe/Berlin");
    hours.hourly = 9;
    // 02:30 summer time, then 02:30 winter time.
    let sets = proven(&["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]);
    assert!(decide(&hours, &sets).iter().all(|decision| decision.keep));
    let mut days = rules("UTC");
    days.daily = 3;
    let sets = proven(&[
        "2028-02-28T02:00:00Z",
        "2028-02-29T02:00:00Z",
        "2028-03-01T02:00:00Z",
    ]);
    assert!(decide(&days, &sets).iter().all(|decision| decision.keep));
}

#[test]
fn what_is_not_proven_neither_counts_nor_goes_before_its_time() {
    let mut rules = rules("UTC");
    rules.daily = 2;
    let sets = [
        set("2026-03-10T02:00:00Z", Class::Unproven),
        set("2026-03-09T02:00:00Z", Class::Collapsed),
        set("2026-03-08T02:00:00Z", Class::Damaged),
        set("2026-03-07T02:00:00Z", Class::Proven),
        set("2026-03-06T02:00:00Z", Class::Unproven),
        set("2026-03-05T02:00:00Z", Class::Proven),
        set("2026-03-04T02:00:00Z", Class::Proven),
        set("2027-03-04T02:00:00Z", Class::Future),
    ];
    assert_eq!(
        lines(&rules, &sets),
        [
            "+ 2027-03-04T02:00:00Z dated in the future: does not count",
            "+ 2026-03-10T02:00:00Z not proven, and newer than the newest proven set",
            "+ 2026-03-09T02:00:00Z holds less than the one before it, and was not accepted",
            "+ 2026-03-08T02:00:00Z found damaged: does not count, and is kept for an inquiry",
            "+ 2026-03-07T02:00:00Z daily 1/2",
            "- 2026-03-06T02:00:00Z not proven, and no rule would keep it",
            "+ 2026-03-05T02:00:00Z daily 2/2",
            "- 2026-03-04T02:00:00Z no rule keeps it",
        ]
    );
    rules.daily = 3;
    assert_eq!(
        lines(&rules, &sets)[5],
        "+ 2026-03-06T02:00:00Z not proven; would be daily 3/3"
    );
}

#[test]
fn a_week_of_backups_that_nobody_verified_removes_nothing_proven() {
    let mut rules = rules("UTC");
    (rules.last, rules.within) = (1, Some(SignedDuration::from_hours(48)));
    let mut sets = proven(&[
        "2026-03-01T02:00:00Z",
        "2026-02-28T02:00:00Z",
        "2026-02-20T02:00:00Z",
    ]);
    let before = decide(&rules, &sets);
    for day in 2..9 {
        sets.push(set(&format!("2026-03-0{day}T02:00:00Z"), Class::Unproven));
    }
    let after = decide(&rules, &sets);
    assert_eq!(after[7..], before[..]);
    assert!(after[..7].iter().all(|decision| decision.keep));
    let kept: Vec<&str> = before
        .iter()
        .filter(|one| one.keep)
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(kept, ["2026-03-01T02:00:00Z", "2026-02-28T02:00:00Z"]);
}

#[test]
fn without_a_proven_set_nothing_goes() {
    let mut rules = rules("UTC");
    rules.last = 1;
    let sets: Vec<Candidate> = (1..9)
        .map(|day| set(&format!("2026-03-0{day}T02:00:00Z"), Class::Unproven))
        .collect();
    assert!(decide(&rules, &sets).iter().all(|decision| decision.keep));
}

/// The rules once more, each set judged by itself and without thought for speed.
fn naive(rules: &Rules, sets: &[Candidate]) -> BTreeSet<String> {
    let newer = |a: &Candidate, b: &Candidate| (a.time, &a.id) > (b.time, &b.id);
    let bucket = |rule: usize, set: &Candidate| {
        let at = set.time.to_zoned_datetime(rules.zone.clone());
        match rule {
            0 => set.id.clone(),
            1 => at.strftime("%Y-%m-%d %H %z").to_string(),
            2 => at.strftime("%Y-%m-%d").to_string(),
            3 => at.strftime("%G-%V").to_string(),
            4 => at.strftime("%Y-%m").to_string(),
            _ => at.strftime("%Y").to_string(),
        }
    };
    let counts = [
        rules.last,
        rules.hourly,
        rules.daily,
        rules.weekly,
        rules.monthly,
        rules.yearly,
    ];
    let chosen = |set: &Candidate, among: &[&Candidate]| {
        let by_rule = counts.iter().enumerate().any(|(rule, count)| {
            let mine = bucket(rule, set);
            let is_newest = !among
                .iter()
                .any(|other| newer(other, set) && bucket(rule, other) == mine);
            let newer_buckets: BTreeSet<String> = among
                .iter()
                .filter(|other| newer(other, set))
                .map(|other| bucket(rule, other))
                .collect();
            is_newest && newer_buckets.len() < *count as usize
        });
        by_rule || among.iter().filter(|other| newer(other, set)).count() < rules.min as usize
    };
    let proven: Vec<&Candidate> = sets.iter().filter(|set| set.class == Class::Proven).collect();
    let countable: Vec<&Candidate> = sets
        .iter()
        .filter(|set| matches!(set.class, Class::Proven | Class::Unproven))
        .collect();
    let newest = proven
        .iter()
        .copied()
        .reduce(|a, b| if newer(a, b) { a } else { b });
    let kept = |set: &&Candidate| {
        let Some(newest) = newest else { return true };
        let within = rules
            .within
            .is_some_and(|within| newest.time.duration_since(set.time) <= within);
        match set.class {
            Class::Proven => within || chosen(set, &proven),
            Class::Unproven => within || newer(set, newest) || chosen(set, &countable),
            Class::Collapsed | Class::Damaged | Class::Future => true,
        }
    };
    sets.iter().filter(kept).map(|set| set.id.clone()).collect()
}

fn kept(rules: &Rules, sets: &[Candidate]) -> BTreeSet<String> {
    let decisions = decide(rules, sets).into_iter();
    decisions.filter(|one| one.keep).map(|one| one.id).collect()
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let count = || 0_u32..4;
    let zone = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"]);
    let within = prop::option::of(0_i64..2000);
    (
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        within,
        1_u32..4,
        zone,
    )
        .prop_map(
            |(last, hourly, daily, weekly, monthly, yearly, within, min, zone)| Rules {
                last,
                hourly,
                daily,
                weekly,
                monthly,
                yearly,
                within: within.map(SignedDuration::from_hours),
                min,
                zone: TimeZone::get(zone).unwrap(),
            },
        )
}

/// Sets at whole and half hours of about a year and a half with leap day, turns of years and both changes of the clock;
/// some at the same time.
fn any_sets() -> impl Strategy<Value = Vec<Candidate>> {
    let class = prop::sample::select(vec![
        Class::Proven,
        Class::Proven,
        Class::Proven,
        Class::Unproven,
        Class::Unproven,
        Class::Collapsed,
        Class::Damaged,
        Class::Future,
    ]);
    let start: Timestamp = "2027-10-30T00:00:00Z".parse().unwrap();
    prop::collection::vec((0_i64..26_000, class), 0..25).prop_map(move |sets| {
        sets.into_iter()
            .enumerate()
            .map(|(index, (halves, class))| Candidate {
                id: format!("s{index:02}"),
                time: start + SignedDuration::from_mins(halves * 30),
                class,
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_naive_model_agrees(rules in any_rules(), sets in any_sets()) {
        prop_assert_eq!(kept(&rules, &sets), naive(&rules, &sets));
    }

    #[test]
    fn the_order_given_does_not_matter(rules in any_rules(), sets in any_sets(), seed: u64) {
        let mut shuffled = sets.clone();
        let count = shuffled.len().max(1) as u64;
        for index in 0..shuffled.len() {
            let other = (seed.rotate_left(index as u32) % count) as usize;
            shuffled.swap(index, other);
        }
        prop_assert_eq!(decide(&rules, &sets), decide(&rules, &shuffled));
    }

    #[test]
    fn the_newest_proven_set_always_stays(rules in any_rules(), sets in any_sets()) {
        let proven = sets.iter().filter(|set| set.class == Class::Proven);
        if let Some(newest) = proven.max_by_key(|set| (set.time, &set.id)) {
            prop_assert!(kept(&rules, &sets).contains(&newest.id));
        }
    }

    #[test]
    fn twice_is_the_same_as_once(rules in any_rules(), sets in any_sets()) {
        let once = kept(&rules, &sets);
        let left: Vec<Candidate> = sets.into_iter().filter(|set| once.contains(&set.id)).collect();
        prop_assert_eq!(kept(&rules, &left), once);
    }

    /// A newer set may push older ones out, but brings none back; one that is not proven changes nothing for the proven.
    #[test]
    fn what_comes_later_only_ever_lets_more_go(rules in any_rules(), sets in any_sets(), good: bool) {
        let before = kept(&rules, &sets);
        let newest = sets.iter().map(|set| set.time).max().unwrap_or(Timestamp::UNIX_EPOCH);
        let class = if good { Class::Proven } else { Class::Unproven };
        let mut more = sets.clone();
        more.push(Candidate { id: "z".into(), time: newest + SignedDuration::from_hours(7), class });
        let after = kept(&rules, &more);
        prop_assert!(after.contains("z"));
        for set in &sets {
            // Without any proven set everything was kept.
            prop_assert!(!after.contains(&set.id) || before.contains(&set.id));
            if !good && set.class == Class::Proven {
                prop_assert_eq!(after.contains(&set.id), before.contains(&set.id));
            }
        }
    }

    /// What does not count never changes what becomes of what counts.
    #[test]
    fn damaged_collapsed_and_future_sets_push_nothing_out(rules in any_rules(), sets in any_sets()) {
        let counts = |set: &Candidate| matches!(set.class, Class::Proven | Class::Unproven);
        let only: Vec<Candidate> = sets.iter().filter(|set| counts(set)).cloned().collect();
        let all = kept(&rules, &sets);
        for id in kept(&rules, &only) {
            prop_assert!(all.contains(&id));
        }
    }
}

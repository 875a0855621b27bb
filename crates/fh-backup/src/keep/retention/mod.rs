//! Which sets of one group may go.
//!
//! Only *proven* sets count: what nobody has verified may be worthless, and must not push out what is known to be good.
//!
//! 1. The rules (`keep-daily` and its like) choose among the proven sets, newest first; so do `keep-within`, which is
//!    measured from the newest proven set, and the floor. What one of them chooses is kept.
//! 2. A set that is not proven is kept while it is newer than the newest proven one, and as long as the rules would
//!    choose it if every set counted. It never takes the place of a proven set.
//! 3. What holds suspiciously little, was found damaged, or is dated in the future neither counts nor goes.
//! 4. Without a single proven set nothing goes.
//!
//! No clock has a part in it: after a week of failures the same sets are kept as before.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use rules::Rules;

/// How far a set can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Found good in the way that is required.
    Proven,
    /// Good as far as can be seen, and not looked at closely enough.
    Unproven,
    /// Holds suspiciously less than the one before it, and nobody has accepted it.
    Collapsed,
    /// A verification or drill found damage.
    Damaged,
    /// Dated in the future.
    Future,
}

/// A set to decide on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// The time to judge by.
    pub time: Timestamp,
    /// How far it can be relied on.
    pub class: Class,
}

/// What becomes of a set, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Id of the set.
    pub id: String,
    /// Its time.
    pub time: Timestamp,
    /// How far it can be relied on.
    pub class: Class,
    /// Whether it stays.
    pub keep: bool,
    /// Why.
    pub reason: String,
}

/// Decides on all sets of a group; the result is newest first and does not depend on the order given.
#[must_use]
pub fn decide(rules: &Rules, candidates: &[Candidate]) -> Vec<Decision> {
    let mut sets: Vec<&Candidate> = candidates.iter().collect();
    sets.sort_by(|a, b| (b.time, &b.id).cmp(&(a.time, &a.id)));
    let of = |classes: &[Class]| -> Vec<&Candidate> {
        sets.iter()
            .copied()
            .filter(|set| classes.contains(&set.class))
            .collect()
    };
    let proven = of(&[Class::Proven]);
    let chosen = rules.choose(&proven);
    let every = rules.choose(&of(&[Class::Proven, Class::Unproven]));
    let newest = proven.first().copied();
    sets.iter()
        .map(|set| {
            let reason = reason(set, newest, &chosen, &every, rules);
            Decision {
                id: set.id.clone(),
                time: set.time,
                class: set.class,
                keep: reason.is_some(),
                reason: reason.unwrap_or_else(|| match set.class {
                    Class::Unproven => "not proven, and no rule would keep it".into(),
                    _ => "no rule keeps it".into(),
                }),
            }
        })
        .collect()
}

/// Why a set stays; `None` when it does not.
fn reason(
    set: &Candidate,
    newest: Option<&Candidate>,
    chosen: &BTreeMap<&str, Vec<String>>,
    every: &BTreeMap<&str, Vec<String>>,
    rules: &Rules,
) -> Option<String> {
    let id = set.id.as_str();
    match set.class {
        Class::Collapsed => return Some("holds less than the one before it, and was not accepted".into()),
        Class::Damaged => return Some("found damaged: does not count, and is kept for an inquiry".into()),
        Class::Future => return Some("dated in the future: does not count".into()),
        Class::Proven | Class::Unproven => {}
    }
    let Some(newest) = newest else {
        return Some("no set is proven yet: nothing goes".into());
    };
    if rules.is_within(newest.time, set.time) {
        return Some("within the time that is kept".into());
    }
    match set.class {
        Class::Proven => chosen.get(id).map(|reasons| reasons.join(", ")),
        _ if (set.time, id) > (newest.time, newest.id.as_str()) => {
            Some("not proven, and newer than the newest proven set".into())
        }
        _ => every
            .get(id)
            .map(|reasons| format!("not proven; would be {}", reasons.join(", "))),
    }
}

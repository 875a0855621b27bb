//! What becomes of each set in a repository.

use fh_core::config::RetentionRequire;
pub use fh_repository::inventory::{Inventory, Known};

use super::retention::{Candidate, Class, Decision, Rules, decide};
use crate::evidence::Kind;

/// How far a set can be relied on.
#[must_use]
pub fn class(set: &Known, require: RetentionRequire) -> Class {
    let proven = match require {
        RetentionRequire::Present => true,
        RetentionRequire::Verified => set.standing.is_good(Kind::VerifyQuick),
        RetentionRequire::Drilled => set.standing.is_good(Kind::Drill),
    };
    if set.standing.damaged {
        Class::Damaged
    } else if set.collapsed {
        Class::Collapsed
    } else if set.judged.future {
        Class::Future
    } else if proven {
        Class::Proven
    } else {
        Class::Unproven
    }
}

/// What becomes of the sets of a group. With `damaged`, those that were found damaged go too, unless nothing else is there.
#[must_use]
pub fn of_group(rules: &Rules, require: RetentionRequire, damaged: bool, sets: &[Known]) -> Vec<Decision> {
    let candidates: Vec<Candidate> = sets
        .iter()
        .map(|set| Candidate {
            id: set.header.id.clone(),
            time: set.judged.time,
            class: class(set, require),
        })
        .collect();
    let mut decisions = decide(rules, &candidates);
    let proven = candidates
        .iter()
        .any(|candidate| candidate.class == Class::Proven);
    for decision in &mut decisions {
        if damaged && decision.class == Class::Damaged {
            decision.keep = !proven;
            decision.reason = if proven {
                "found damaged, and --damaged was given".into()
            } else {
                "found damaged, but no set is proven yet".into()
            };
        }
        let by_the_store = sets
            .iter()
            .any(|set| set.header.id == decision.id && set.judged.by_the_store);
        if by_the_store {
            decision
                .reason
                .push_str("; judged by the store's time, its own differs by more than a day");
        }
    }
    decisions
}

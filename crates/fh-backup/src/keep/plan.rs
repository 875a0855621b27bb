//! From a repository to what becomes of each set in it.

use std::collections::{BTreeMap, BTreeSet};

use fh_core::Result;
use fh_core::app::Session;
use fh_core::config::{RetentionRequire, RetentionTimes};
use fh_repository::{Repository, SetHeader, SetState};
use jiff::Timestamp;

use super::accept::Acceptances;
use super::group::Group;
use super::retention::{Candidate, Class, Decision, Rules, decide};
use super::times;
use crate::evidence::{self, Kind, Standing, Standings};

/// A set that can be read, with all that is known of it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The clear part.
    pub header: SetHeader,
    /// Its time, as far as it can be believed.
    pub judged: times::Judged,
    /// What verifications and drills said.
    pub standing: Standing,
    /// Whether it holds suspiciously little and nobody has accepted it.
    pub collapsed: bool,
}

/// Everything in a repository.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The sets that can be read, oldest first, by group.
    pub groups: BTreeMap<Group, Vec<Known>>,
    /// Those that cannot, with the reason.
    pub unreadable: Vec<(String, String)>,
    /// What cannot be believed among the evidence.
    pub doubtful: Vec<String>,
    /// The sets that there is evidence about, whether or not they are still there.
    pub proven: BTreeSet<String>,
}

impl Inventory {
    /// Reads all of it. No private key is needed.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn read(repository: &Repository, times: RetentionTimes, now: Timestamp) -> Result<Self> {
        let Standings {
            sets: standings,
            doubtful,
        } = evidence::newest(repository).await?;
        let acceptances = Acceptances::read(repository).await?;
        let mut inventory = Self {
            doubtful,
            proven: standings.keys().cloned().collect(),
            ..Self::default()
        };
        for set in repository.list_sets().await? {
            match set.state {
                SetState::Damaged(why) => inventory.unreadable.push((set.id, why)),
                SetState::Good(header) => {
                    let known = Known {
                        judged: times::judge(&header, set.modified, times, now),
                        standing: standings.get(&set.id).cloned().unwrap_or_default(),
                        collapsed: !acceptances.allow(&header),
                        header: *header,
                    };
                    inventory
                        .groups
                        .entry(Group::of(&known.header))
                        .or_default()
                        .push(known);
                }
            }
        }
        Ok(inventory)
    }

    /// The groups of the session's project and environment.
    #[must_use]
    pub fn of(&self, session: &Session) -> Vec<(&Group, &Vec<Known>)> {
        self.groups
            .iter()
            .filter(|(group, _)| group.is_of(session))
            .collect()
    }
}

impl Known {
    /// How far it can be relied on.
    #[must_use]
    pub fn class(&self, require: RetentionRequire) -> Class {
        let proven = match require {
            RetentionRequire::Present => true,
            RetentionRequire::Verified => self.standing.is_good(Kind::VerifyQuick),
            RetentionRequire::Drilled => self.standing.is_good(Kind::Drill),
        };
        if self.standing.damaged {
            Class::Damaged
        } else if self.collapsed {
            Class::Collapsed
        } else if self.judged.future {
            Class::Future
        } else if proven {
            Class::Proven
        } else {
            Class::Unproven
        }
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
            class: set.class(require),
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

//! From a repository to all that is known of each set in it: when it was taken, whether it was proven, whether it holds
//! what it should.

mod accept;
mod group;
mod times;

use std::collections::{BTreeMap, BTreeSet};

use fh_core::Result;
use fh_core::config::RetentionTimes;
use jiff::Timestamp;

pub use accept::{Acceptances, Accepted, accept};
pub use group::Group;
pub use times::{Judged, judge};

use crate::evidence::{self, Standing, Standings};
use crate::repository::Repository;
use crate::set::{SetHeader, SetState};

/// A set that can be read, with all that is known of it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The clear part.
    pub header: SetHeader,
    /// Its time, as far as it can be believed.
    pub judged: Judged,
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
    /// A line for each set that is known to be damaged: unreadable, or found so by a verification or drill.
    #[must_use]
    pub fn damaged(&self) -> Vec<String> {
        let unreadable = self.unreadable.iter().map(|(id, why)| format!("{id}: {why}"));
        let sets = self.groups.values().flatten();
        let found = sets
            .filter(|set| set.standing.damaged)
            .map(|set| format!("{}: found damaged by a verification or drill", set.header.id));
        unreadable.chain(found).collect()
    }

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
                        judged: judge(&header, set.modified, times, now),
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

    /// The groups of a project and environment.
    #[must_use]
    pub fn of(&self, project: &str, environment: Option<&str>) -> Vec<(&Group, &Vec<Known>)> {
        self.groups
            .iter()
            .filter(|(group, _)| group.is_of(project, environment))
            .collect()
    }

    /// The groups to judge of a project and environment, each with the sets that a restore could use, oldest first. Groups
    /// without such sets are left out, and those whose databases are all in the newer sets of a larger group. With names in
    /// `databases`, only groups that hold one of them are looked at.
    #[must_use]
    pub fn judged(
        &self,
        project: &str,
        environment: Option<&str>,
        databases: &[String],
    ) -> Vec<(&Group, Vec<&Known>)> {
        let all: Vec<(&Group, Vec<&Known>)> = self
            .of(project, environment)
            .into_iter()
            .filter(|(group, _)| {
                databases.is_empty() || group.databases.iter().any(|name| databases.contains(name))
            })
            .map(|(group, sets)| (group, usable(sets)))
            .filter(|(_, sets)| !sets.is_empty())
            .collect();
        let newest = |sets: &[&Known]| sets.last().map(|set| set.judged.time);
        let replaced = |group: &Group, sets: &[&Known]| {
            all.iter().any(|(other, theirs)| {
                *other != group && group.is_within(other) && newest(theirs) > newest(sets)
            })
        };
        all.iter()
            .filter(|(group, sets)| !replaced(group, sets))
            .cloned()
            .collect()
    }
}

/// Sets that a restore could use, oldest first.
fn usable(sets: &[Known]) -> Vec<&Known> {
    let mut usable: Vec<&Known> = sets
        .iter()
        .filter(|set| !set.standing.damaged && !set.judged.future)
        .collect();
    usable.sort_by_key(|set| (set.judged.time, &set.header.id));
    usable
}

//! What a run remembers for the next one. A memory that is lost or damaged costs history, and never decides a result.

mod level;
mod patience;
mod store;

use std::collections::BTreeMap;

use fh_core::Check;
use fh_core::report::Status;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use level::Level;
pub use store::Store;

use crate::alert::Alert;
use crate::rules::Rules;
use crate::samples::Samples;

/// Everything that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Counters and texts of the probes.
    pub samples: Samples,
    /// What is believed of each check, by id.
    pub checks: BTreeMap<String, Seen>,
    /// What people were told, or still have to be, by id of the check.
    pub alerts: BTreeMap<String, Alert>,
}

/// What is believed of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// How bad it is.
    pub level: Level,
    /// Since when.
    pub since: Timestamp,
    /// What the last runs saw, the newest last; as many as patience needs.
    pub recent: Vec<Level>,
}

impl Memory {
    /// Takes the checks of a round into the memory, and gives them as they are to be believed: with patience, and with the
    /// time since when. Checks that were not judged change nothing.
    pub fn believe(&mut self, checks: &mut [Check], rules: &Rules, now: Timestamp) {
        self.checks.retain(|id, _| rules.planned(id).is_some());
        for check in checks {
            let Some(level) = Level::of(check.status) else {
                continue;
            };
            let rule = rules.of(&check.id);
            let seen = patience::advance(self.checks.get(&check.id), level, &rule, now);
            patience::show(check, level, &seen, &rule, now);
            self.checks.insert(check.id.clone(), seen);
        }
    }

    /// How bad a check is believed to be; `None` when it was not judged in this round.
    #[must_use]
    pub fn level(&self, check: &Check) -> Option<Level> {
        if check.status == Status::Skip {
            return None;
        }
        self.checks.get(&check.id).map(|seen| seen.level)
    }
}

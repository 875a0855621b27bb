//! What a run remembers for the next one. A memory that is lost or damaged costs history, and never decides a result.

mod level;
mod patience;
mod store;

use std::collections::BTreeMap;

use fh_core::Check;
use fh_core::report::Status;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use level::Level;
pub use store::Store;

use crate::alert::Alert;
use crate::rules::Rules;
use crate::samples::Samples;

/// How long something is remembered that nobody looks at.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

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
    /// When it was last judged.
    #[serde(default)]
    pub last: Timestamp,
    /// What the last runs saw, the newest last; as many as patience needs.
    pub recent: Vec<Level>,
}

impl Memory {
    /// Takes the checks of a round into the memory, and gives them as they are to be believed: with patience, and with the
    /// time since when. Checks that were not judged change nothing.
    pub fn believe(&mut self, checks: &mut [Check], rules: &Rules, now: Timestamp) {
        self.forget(now);
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

    /// Forgets what nobody looked at for a long time. A run with another choice of checks, or another configuration beside
    /// this memory, must not make it forget what it did not look at.
    fn forget(&mut self, now: Timestamp) {
        let young = |at: Timestamp| now.duration_since(at) < KEPT;
        self.checks.retain(|_, seen| young(seen.last));
        self.samples.counters.retain(|_, sample| young(sample.at));
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

//! From many documents to one answer for each set: when was it last proven, and is it good?

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use fh_core::Result;
use jiff::Timestamp;

use super::{Evidence, FOLDER, Kind, Outcome, read};
use crate::repository::Repository;

/// What the evidence says about one set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// When the whole set was last found good: by a verification, by parts that together are the whole, or by a drill.
    pub verified_at: Option<Timestamp>,
    /// How.
    pub verified_kind: Option<Kind>,
    /// The strongest check that it has passed as a whole.
    pub strongest: Option<Kind>,
    /// When a drill last proved it, assertions and time limit included.
    pub drilled_at: Option<Timestamp>,
    /// How long the restore of the newest drill took.
    pub rto: Option<Duration>,
    /// The newest evidence, good or bad.
    pub last: Option<Last>,
    /// It was found damaged, and nothing that looks at least as deep has found it whole since.
    pub damaged: bool,
}

/// The newest evidence in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    /// When it ended.
    pub at: Timestamp,
    /// What was done.
    pub kind: Kind,
    /// What came out.
    pub result: Outcome,
}

impl Standing {
    /// For listings that machines read.
    #[must_use]
    pub fn summary(&self) -> serde_json::Value {
        serde_json::json!({
            "last_verified": self.verified_at,
            "verified_kind": self.verified_kind,
            "last_drill": self.drilled_at,
            "rto_seconds": self.rto.map(|rto| rto.as_secs_f64()),
            "last": self.last.map(|last| serde_json::json!({
                "at": last.at, "kind": last.kind, "result": last.result,
            })),
            "damaged": self.damaged,
        })
    }

    /// Whether the set was found whole by a check of at least this kind, and not damaged since.
    #[must_use]
    pub fn is_good(&self, at_least: Kind) -> bool {
        !self.damaged && self.strongest.is_some_and(|kind| kind >= at_least)
    }
}

/// The standing of every set that there is evidence about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standings {
    /// By the set's id.
    pub sets: BTreeMap<String, Standing>,
    /// Documents that cannot be believed, each with the reason. They count for nothing.
    pub doubtful: Vec<String>,
}

impl Standings {
    /// The standing of a set; the empty one when nobody has looked at it.
    #[must_use]
    pub fn of(&self, set: &str) -> Standing {
        self.sets.get(set).cloned().unwrap_or_default()
    }
}

/// Reads all evidence of a repository.
///
/// # Errors
/// Exit code 3 when the store cannot be read.
pub async fn newest(repository: &Repository) -> Result<Standings> {
    let (evidence, doubtful) = read(repository, FOLDER).await?;
    Ok(Standings {
        sets: standings(&evidence),
        doubtful,
    })
}

/// `evidence` in order of time.
fn standings(evidence: &[Evidence]) -> BTreeMap<String, Standing> {
    let mut by_set: BTreeMap<String, Gathering> = BTreeMap::new();
    for one in evidence {
        by_set.entry(one.set.clone()).or_default().add(one);
    }
    by_set
        .into_iter()
        .map(|(set, gathering)| (set, gathering.standing))
        .collect()
}

#[derive(Default)]
struct Gathering {
    standing: Standing,
    /// Good parts since the last damage: number of parts in the whole, to part, to when it was read.
    parts: HashMap<u64, BTreeMap<u64, Timestamp>>,
    /// The deepest check that found damage, as long as nothing as deep has found it whole.
    damage: Option<Kind>,
}

impl Gathering {
    fn add(&mut self, evidence: &Evidence) {
        let Evidence { kind, finished, .. } = *evidence;
        self.standing.last = Some(Last {
            at: finished,
            kind,
            result: evidence.result,
        });
        if let Some(rto) = evidence.drill.as_ref().and_then(|drill| drill.rto) {
            self.standing.rto = Duration::try_from_secs_f64(rto.total).ok();
        }
        if !evidence.whole {
            // A part that is bad is read by the quick verification too.
            self.damage = self.damage.max(Some(kind.max(Kind::VerifyQuick)));
            self.standing.damaged = true;
            self.parts.clear();
            return;
        }
        match self.whole(evidence) {
            Some((at, kind)) => self.good(at, kind),
            None => return,
        }
        if kind == Kind::Drill && evidence.result == Outcome::Good {
            self.standing.drilled_at = Some(finished);
        }
    }

    /// When and how the whole set was last read, if this evidence completes that.
    fn whole(&mut self, evidence: &Evidence) -> Option<(Timestamp, Kind)> {
        let Some(part) = evidence.subset else {
            return Some((evidence.finished, evidence.kind));
        };
        let parts = self.parts.entry(part.of).or_default();
        parts.insert(part.part, evidence.finished);
        // The set has been read as a whole since the oldest of the newest readings.
        let complete = (1..=part.of).all(|number| parts.contains_key(&number));
        complete
            .then(|| parts.values().min().copied())
            .flatten()
            .map(|at| (at, Kind::VerifyQuick))
    }

    fn good(&mut self, at: Timestamp, kind: Kind) {
        if self.damage.is_some_and(|damage| damage > kind) {
            return;
        }
        self.damage = None;
        self.standing.damaged = false;
        self.standing.strongest = self.standing.strongest.max(Some(kind));
        if self.standing.verified_at.is_none_or(|known| known <= at) {
            self.standing.verified_at = Some(at);
            self.standing.verified_kind = Some(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Details, Drill, Part, Rto};
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap()
    }

    fn evidence(hour: i64, kind: Kind, good: bool) -> Evidence {
        let mut details = Details::default();
        if !good {
            details.problem("gone");
        }
        let mut evidence = Evidence::now("test", "s", kind, at(hour), details);
        evidence.finished = at(hour);
        evidence
    }

    fn part(hour: i64, part: u64, of: u64, good: bool) -> Evidence {
        Evidence {
            subset: Some(Part { part, of }),
            ..evidence(hour, Kind::VerifySubset, good)
        }
    }

    fn standing(evidence: &[Evidence]) -> Standing {
        standings(evidence).remove("s").unwrap_or_default()
    }

    #[test]
    fn good_evidence_counts_and_bad_evidence_outweighs_what_looks_less_deep() {
        use Kind::{Drill, VerifyFull, VerifyQuick};
        let quick = evidence(1, VerifyQuick, true);
        let found = standing(std::slice::from_ref(&quick));
        assert!(found.is_good(VerifyQuick) && !found.is_good(VerifyFull));
        assert_eq!(found.verified_at, Some(at(1)));
        assert_eq!(found.drilled_at, None);

        let bad = evidence(2, VerifyFull, false);
        let found = standing(&[quick.clone(), bad.clone()]);
        assert!(found.damaged && !found.is_good(VerifyQuick));
        assert_eq!(found.last.unwrap().result, Outcome::Bad);

        // A quick verification cannot see what the full one saw; a drill can.
        let found = standing(&[quick.clone(), bad.clone(), evidence(3, VerifyQuick, true)]);
        assert!(found.damaged);
        assert_eq!(
            found.verified_at,
            Some(at(1)),
            "when it was last known to be good"
        );
        let found = standing(&[quick, bad, evidence(3, Drill, true)]);
        assert!(found.is_good(Drill));
        assert_eq!(found.drilled_at, Some(at(3)));
    }

    #[test]
    fn parts_make_a_whole_only_together_and_without_damage_between() {
        let first = [part(1, 1, 3, true), part(2, 2, 3, true)];
        assert_eq!(standing(&first).verified_at, None);
        assert_eq!(standing(&first).last.unwrap().kind, Kind::VerifySubset);
        let all = [first.as_slice(), &[part(5, 3, 3, true)]].concat();
        assert_eq!(standing(&all).verified_at, Some(at(1)));
        assert!(standing(&all).is_good(Kind::VerifyQuick));
        let more = [all.as_slice(), &[part(6, 1, 3, true)]].concat();
        assert_eq!(standing(&more).verified_at, Some(at(2)));
        // Parts of another division do not fit.
        let mixed = [first.as_slice(), &[part(3, 3, 4, true)]].concat();
        assert_eq!(standing(&mixed).verified_at, None);
        let broken = [first.as_slice(), &[part(3, 1, 3, false), part(4, 3, 3, true)]].concat();
        assert!(standing(&broken).damaged);
        assert_eq!(standing(&broken).verified_at, None);
        let repaired = [broken.as_slice(), &[evidence(5, Kind::VerifyQuick, true)]].concat();
        assert!(standing(&repaired).is_good(Kind::VerifyQuick));
    }

    #[test]
    fn a_slow_drill_is_bad_and_its_set_is_whole() {
        let mut slow = evidence(1, Kind::Drill, false);
        slow.whole = true;
        slow.drill = Some(Drill {
            database: "shop".into(),
            server_version: None,
            rto: Some(Rto {
                total: 90.0,
                ..Rto::default()
            }),
            assertions: Vec::new(),
        });
        let found = standing(&[slow]);
        assert_eq!(found.last.unwrap().result, Outcome::Bad);
        assert!(found.is_good(Kind::Drill) && !found.damaged);
        assert_eq!(found.drilled_at, None);
        assert_eq!(found.rto, Some(Duration::from_secs(90)));
    }
}

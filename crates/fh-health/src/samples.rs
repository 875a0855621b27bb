//! Counters of the run before, so that a run can tell what happened in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The value of a counter, and when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The value.
    pub value: f64,
    /// When it was read.
    pub at: Timestamp,
}

/// What a run remembers for the next one: counters and short texts by key, such as `postgres.main.temp_bytes`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Samples {
    /// Counters.
    pub counters: BTreeMap<String, Sample>,
    /// Texts, such as a revision or a fingerprint.
    pub notes: BTreeMap<String, String>,
}

/// How much a counter grew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// By how much; below zero when the value can also fall.
    pub amount: f64,
    /// In which time, at least a millisecond.
    pub over: Duration,
}

impl Growth {
    /// Growth in one second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.amount / self.over.as_secs_f64()
    }
}

impl Samples {
    /// The counter as the run before left it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Sample> {
        self.counters.get(key).copied()
    }

    /// The text as the run before left it.
    #[must_use]
    pub fn note(&self, key: &str) -> Option<&str> {
        self.notes.get(key).map(String::as_str)
    }

    /// How much a value changed since the run before; `None` in a first run, and when no time has passed.
    #[must_use]
    pub fn change(&self, key: &str, value: f64, now: Timestamp) -> Option<Growth> {
        let before = self.get(key)?;
        let over = Duration::try_from(now.duration_since(before.at)).ok()?;
        (over >= Duration::from_millis(1)).then_some(Growth {
            amount: value - before.value,
            over,
        })
    }

    /// As [`Self::change`], of a counter that only grows: `None` also when it fell, because then it was reset.
    #[must_use]
    pub fn growth(&self, key: &str, value: f64, now: Timestamp) -> Option<Growth> {
        self.change(key, value, now).filter(|growth| growth.amount >= 0.0)
    }

    /// Takes over what a later run found. Of two values for a key the newer one stays: runs may overlap.
    pub fn update(&mut self, newer: Self) {
        for (key, sample) in newer.counters {
            let old = self.counters.get(&key);
            if old.is_none_or(|old| old.at <= sample.at) {
                self.counters.insert(key, sample);
            }
        }
        self.notes.extend(newer.notes);
    }
}

/// Collects the samples of this run. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Samples>>);

impl Recorder {
    /// Remembers a counter.
    pub fn count(&self, key: impl Into<String>, value: f64, at: Timestamp) {
        self.lock().counters.insert(key.into(), Sample { value, at });
    }

    /// Remembers a text.
    pub fn note(&self, key: impl Into<String>, text: impl Into<String>) {
        self.lock().notes.insert(key.into(), text.into());
    }

    /// What was collected so far.
    #[must_use]
    pub fn samples(&self) -> Samples {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Samples> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_counter_that_fell_was_reset() {
        let recorder = Recorder::default();
        recorder.count("x", 100.0, at(10));
        let before = recorder.samples();
        let growth = before.growth("x", 150.0, at(20)).unwrap();
        assert_eq!((growth.amount, growth.per_second()), (50.0, 5.0));
        assert_eq!(before.growth("x", 50.0, at(20)), None);
        assert_eq!(before.change("x", 50.0, at(20)).unwrap().amount, -50.0);
        assert_eq!(before.growth("x", 150.0, at(10)), None, "no time has passed");
        assert_eq!(before.growth("y", 1.0, at(20)), None, "a first run");
    }

    #[test]
    fn of_two_runs_that_overlap_the_later_value_stays() {
        let one = |value, second| {
            let recorder = Recorder::default();
            recorder.count("x", value, at(second));
            recorder.samples()
        };
        let mut samples = one(5.0, 50);
        samples.update(one(4.0, 40));
        assert_eq!(samples.get("x").unwrap().value, 5.0);
        samples.update(one(6.0, 60));
        assert_eq!(samples.get("x").unwrap().value, 6.0);
    }
}

//! Values that were in masked columns, as 8-byte hashes, and where they were found afterwards.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Shorter values are everywhere by chance.
const LEAST: usize = 4;

/// In columns without rules, words of this length and more are taken for finds.
const LEAST_ELSEWHERE: usize = 8;

/// The values of before: 8 bytes of memory for each different one.
#[derive(Debug)]
pub(super) struct Originals {
    seed: u64,
    /// The hashes, and how many of them were different when they were last sorted.
    hashes: Mutex<(Vec<u64>, usize)>,
    sorted: OnceLock<Vec<u64>>,
}

impl Clone for Originals {
    /// The same hash, and no values: they belong to one run.
    fn clone(&self) -> Self {
        Self::new(self.seed)
    }
}

impl Originals {
    /// Without any value yet.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            hashes: Mutex::default(),
            sorted: OnceLock::new(),
        }
    }

    fn hash(&self, value: &[u8]) -> u64 {
        // Columns of type char(n) are filled with spaces at their end.
        xxh3_64_with_seed(value.trim_ascii_end(), self.seed)
    }

    /// Notes a value, for [`Originals::add`].
    pub(super) fn note(&self, value: &[u8], seen: &mut Vec<u64>) {
        if value.trim_ascii_end().len() >= LEAST {
            seen.push(self.hash(value));
        }
    }

    /// Adds what was noted. Repeated values are dropped each time the list has doubled.
    pub(super) fn add(&self, seen: Vec<u64>) {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, different) = &mut *hashes;
        all.extend(seen);
        if all.len() > 1 << 16 && all.len() >= 2 * *different {
            all.sort_unstable();
            all.dedup();
            *different = all.len();
        }
    }

    /// All of them, in order. Nothing is added any more when the first one is looked for.
    fn sorted(&self) -> &[u64] {
        self.sorted.get_or_init(|| {
            let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
            let mut all = std::mem::take(&mut hashes.0);
            all.sort_unstable();
            all.dedup();
            all
        })
    }

    pub(super) fn has(&self, value: &[u8]) -> bool {
        value.trim_ascii_end().len() >= LEAST && self.sorted().binary_search(&self.hash(value)).is_ok()
    }

    pub(super) fn has_long(&self, value: &[u8]) -> bool {
        value.trim_ascii_end().len() >= LEAST_ELSEWHERE && self.has(value)
    }

    pub(super) fn count(&self) -> usize {
        self.sorted().len()
    }
}

/// Where values of before were found, with their number.
#[derive(Debug, Default)]
pub struct Hits {
    survivors: BTreeMap<String, u64>,
    elsewhere: BTreeMap<String, u64>,
}

impl Hits {
    pub(super) fn survivor(&mut self, column: &str) {
        count(&mut self.survivors, column, 1);
    }

    pub(super) fn elsewhere(&mut self, column: &str) {
        count(&mut self.elsewhere, column, 1);
    }

    /// Adds the finds of another reader.
    pub fn merge(&mut self, other: Self) {
        for (column, number) in other.survivors {
            count(&mut self.survivors, &column, number);
        }
        for (column, number) in other.elsewhere {
            count(&mut self.elsewhere, &column, number);
        }
    }

    pub(super) fn into_parts(self) -> (BTreeMap<String, u64>, Vec<(String, u64)>) {
        (self.survivors, self.elsewhere.into_iter().collect())
    }
}

fn count(found: &mut BTreeMap<String, u64>, column: &str, number: u64) {
    match found.get_mut(column) {
        Some(before) => *before += number,
        None => drop(found.insert(column.to_owned(), number)),
    }
}

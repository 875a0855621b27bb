//! Lists of segments that are to go: written by one garbage collection, carried out by a later one.
//!
//! docs/decisions/0004-garbage-collection.md says why a backup that runs meanwhile loses nothing.

use std::collections::HashMap;

use fh_core::Result;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::document::Found;
use crate::repository::Repository;

/// Prefix of the keys of all lists.
pub(crate) const FOLDER: &str = "gc/";

/// Segments that no set named when the list was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GarbageList {
    /// When it was made, by the collector's clock.
    pub(crate) made: Timestamp,
    /// From when on those that are still not named may be removed, by the collector's clock.
    pub(crate) delete_after: Timestamp,
    /// Name of the collector's host.
    pub(crate) host: String,
    /// The objects.
    pub(crate) objects: Vec<String>,
}

/// A list as it stands in the store.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) key: String,
    pub(crate) list: GarbageList,
    /// When it was written, by the store's clock.
    modified: Option<Timestamp>,
}

impl Mark {
    fn grace(&self) -> SignedDuration {
        self.list.delete_after.duration_since(self.list.made)
    }

    fn by_the_store(&self) -> Option<Timestamp> {
        self.modified?.checked_add(self.grace()).ok()
    }

    /// The earliest time at which a collector may think that its time has come: what a writer must reckon with.
    fn earliest(&self) -> Timestamp {
        self.by_the_store()
            .map_or(self.list.delete_after, |time| time.min(self.list.delete_after))
    }

    /// Whether its time has come, by the collector's clock and by the store's. A store that does not say when the list
    /// was written never lets it come.
    pub(crate) fn is_due(&self, at: Timestamp) -> bool {
        self.by_the_store()
            .is_some_and(|time| time.max(self.list.delete_after) <= at)
    }
}

/// All lists.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    pub(crate) lists: Vec<Mark>,
    /// What cannot be believed, each with the reason. Nothing is removed because of it.
    pub(crate) doubtful: Vec<String>,
}

impl Marks {
    /// The lists whose time has come, and how many objects are on the others.
    pub(crate) fn at(&self, at: Timestamp) -> (Vec<&Mark>, u64) {
        let (mut due, mut waiting) = (Vec::new(), 0);
        for mark in &self.lists {
            if mark.is_due(at) {
                due.push(mark);
            } else {
                waiting += mark.list.objects.len() as u64;
            }
        }
        (due, waiting)
    }

    /// Every object that is on a list, with the earliest time at which it may go.
    pub(crate) fn objects(&self) -> HashMap<&str, Timestamp> {
        let mut objects = HashMap::new();
        for mark in &self.lists {
            let earliest = mark.earliest();
            for object in &mark.list.objects {
                let known = objects.entry(object.as_str()).or_insert(earliest);
                *known = earliest.min(*known);
            }
        }
        objects
    }
}

impl Repository {
    /// Reads all lists.
    pub(crate) async fn marks(&self) -> Result<Marks> {
        let mut marks = Marks::default();
        for Found {
            key,
            modified,
            document,
        } in self.documents::<GarbageList>(FOLDER).await?
        {
            match document {
                Ok(list) => marks.lists.push(Mark { key, list, modified }),
                Err(why) => marks.doubtful.push(format!("{key}: {why}")),
            }
        }
        Ok(marks)
    }
}

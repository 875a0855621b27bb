//! Garbage collection: removing segments that no set names, beside backups that run, without locks.
//!
//! In two steps that are at least the grace period apart: one run writes a list of what no set names, a later run removes
//! what is on the list and still not named. docs/decisions/0004-garbage-collection.md has the argument.

use std::collections::HashMap;
use std::time::Duration;

use fh_core::{Error, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};

use crate::key::random_bytes;
use crate::marks::{self, GarbageList, Mark};
use crate::named::Named;
use crate::repository::Repository;
use crate::segment::{self, object_key};
use crate::store::Deleted;

/// Deletions under way at the same time.
const AT_ONCE: usize = 8;
/// Deletions between two looks at the time.
const CHUNK: usize = 64;
/// How long a listing of the sets is relied on.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How far this host's clock and the store's may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How to collect.
#[derive(Debug, Clone)]
pub struct GarbageOptions {
    /// How old a segment must be before it may be listed, and how long it stays on the list before it may go. Longer
    /// than any backup takes.
    pub grace: Duration,
    /// The time to judge by: now.
    pub at: Timestamp,
    /// Name of this host, for the list.
    pub host: String,
    /// Whether to look only.
    pub dry_run: bool,
}

/// What a collection did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Segments put on the list now.
    pub marked: u64,
    /// Their bytes.
    pub marked_bytes: u64,
    /// Segments that an earlier run put on a list, and whose time has not come.
    pub waiting: u64,
    /// Segments removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Segments that were on a list and that a set names now.
    pub spared: u64,
    /// Those among them whose bytes a bucket with versions keeps.
    pub hidden: u64,
    /// Segments that the store does not let go.
    pub locked: u64,
    /// Lists that cannot be believed, each with the reason. They were left alone.
    pub doubtful: Vec<String>,
}

impl Repository {
    /// Lists the segments that no set names, and removes those that an earlier run listed and that are still not named.
    ///
    /// # Errors
    /// Exit code 1 when a set is too damaged to tell what it needs: then nothing was removed. 3 when the store cannot be
    /// read, or this host's clock and the store's disagree.
    pub async fn collect_garbage(&self, options: &GarbageOptions) -> Result<Collected> {
        let mut named = Named::read(self).await?;
        let present: HashMap<String, (u64, Option<Timestamp>)> = self
            .store
            .list(segment::FOLDER)
            .await?
            .into_iter()
            .filter_map(|entry| {
                let name = entry.key.rsplit('/').next()?.to_owned();
                // What is not where a segment belongs is not ours.
                (object_key(&name) == entry.key).then_some((name, (entry.size, entry.modified)))
            })
            .collect();
        let marks = self.marks().await?;
        let listed = marks.objects();
        let mut collected = Collected {
            doubtful: marks.doubtful.clone(),
            ..Collected::default()
        };

        let grace = SignedDuration::try_from(options.grace).unwrap_or(SignedDuration::MAX);
        let old = |modified: Option<Timestamp>| {
            modified.is_some_and(|modified| options.at.duration_since(modified) >= grace)
        };
        let mut objects: Vec<String> = Vec::new();
        for (object, (size, modified)) in &present {
            if !named.has(object) && !listed.contains_key(object.as_str()) && old(*modified) {
                collected.marked += 1;
                collected.marked_bytes += size;
                objects.push(object.clone());
            }
        }
        objects.sort();
        let (due, waiting) = marks.at(options.at);
        collected.waiting = waiting;
        if options.dry_run {
            for mark in due {
                for object in &mark.list.objects {
                    collected.judge(object, &named, &present);
                }
            }
            return Ok(collected);
        }
        if objects.is_empty() && due.is_empty() {
            return Ok(collected);
        }
        // Written even when there is nothing to list: only what was just written tells the store's time.
        let nothing = objects.is_empty();
        let list = GarbageList {
            made: options.at,
            delete_after: options.at.checked_add(grace).unwrap_or(Timestamp::MAX),
            host: options.host.clone(),
            objects,
        };
        let key = self.write_list(&list).await?;
        if nothing {
            self.store.delete(&key).await?;
        }
        for mark in due {
            self.sweep(mark, &mut named, &present, &mut collected).await?;
        }
        Ok(collected)
    }

    /// Writes a list and compares this host's clock with the store's.
    async fn write_list(&self, list: &GarbageList) -> Result<String> {
        let random: String = random_bytes::<4>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let key = format!(
            "{}{}-{random}.json",
            marks::FOLDER,
            list.made.strftime("%Y-%m-%dT%H%M%SZ")
        );
        self.put_document(&key, list).await?;
        let written = self
            .store
            .list(&key)
            .await?
            .into_iter()
            .find_map(|entry| entry.modified);
        let problem = match written.map(|written| Timestamp::now().duration_since(written)) {
            Some(skew) if skew.abs() <= SKEW => return Ok(key),
            Some(skew) => format!(
                "this host's clock and that of {} are {} seconds apart",
                self.describe(),
                skew.as_secs().abs()
            ),
            None => format!("{} does not say when objects were written", self.describe()),
        };
        self.store.delete(&key).await?;
        Err(Error::unable(format!("nothing was collected: {problem}"))
            .hint("what is garbage is judged by age: set the clock right (NTP), then run again"))
    }

    /// Removes what is on a list and not named, then the list.
    async fn sweep(
        &self,
        mark: &Mark,
        named: &mut Named,
        present: &HashMap<String, (u64, Option<Timestamp>)>,
        collected: &mut Collected,
    ) -> Result<()> {
        let mut fresh = false;
        for chunk in mark.list.objects.chunks(CHUNK) {
            if !fresh || Timestamp::now().duration_since(named.listed) > FRESH {
                named.refresh(self).await?;
                // Another collection carried it out: what has these names now may be new.
                if self.store.list(&mark.key).await?.is_empty() {
                    return Ok(());
                }
                fresh = true;
            }
            let mut going: Vec<String> = Vec::new();
            for object in chunk {
                if collected.judge(object, named, present) {
                    going.push(object.clone());
                }
            }
            let deleted: Vec<(String, Deleted)> = futures_util::stream::iter(going)
                .map(async |object: String| {
                    let deleted = self.store.delete(&object_key(&object)).await?;
                    Ok::<_, Error>((object, deleted))
                })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            for (object, deleted) in deleted {
                match deleted {
                    Deleted::Gone => {}
                    Deleted::Hidden => collected.hidden += 1,
                    Deleted::Kept => {
                        collected.removed -= 1;
                        collected.removed_bytes -= present.get(&object).map_or(0, |(size, _)| *size);
                        collected.locked += 1;
                    }
                }
            }
        }
        // Last: as long as the list is there, no writer counts on what is on it.
        self.store.delete(&mark.key).await?;
        Ok(())
    }
}

impl Collected {
    /// Whether an object of a due list goes, and counts it.
    fn judge(
        &mut self,
        object: &str,
        named: &Named,
        present: &HashMap<String, (u64, Option<Timestamp>)>,
    ) -> bool {
        let Some((size, _)) = present.get(object) else {
            return false;
        };
        if named.has(object) {
            self.spared += 1;
            return false;
        }
        self.removed += 1;
        self.removed_bytes += size;
        true
    }
}

//! A store whose clock, deletions and company can be arranged.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses a part"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fh_core::{Error, Result};
use fh_repository::{Deleted, Entry, GarbageOptions, Lock, Put, Repository, Store};
use jiff::{SignedDuration, Timestamp};

/// What a collector does beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    RemoveAndMark,
    Sweep,
}

#[derive(Debug)]
struct Beside {
    collector: Repository,
    set: String,
    acts: [(usize, Act); 2],
}

#[derive(Debug)]
pub struct Bent {
    inner: Arc<dyn Store>,
    shift_segments: SignedDuration,
    shift_lists: Option<SignedDuration>,
    deletions_left: AtomicUsize,
    kept: Vec<&'static str>,
    /// Whether it keeps versions of what was deleted.
    pub versions: bool,
    beside: Mutex<Option<Arc<Beside>>>,
    step: AtomicUsize,
    last_look: Mutex<Option<usize>>,
}

impl Bent {
    pub fn new(inner: Arc<dyn Store>, shift_segments: SignedDuration) -> Self {
        Self {
            inner,
            shift_segments,
            shift_lists: Some(SignedDuration::ZERO),
            deletions_left: AtomicUsize::new(usize::MAX),
            kept: Vec::new(),
            versions: false,
            beside: Mutex::default(),
            step: AtomicUsize::new(0),
            last_look: Mutex::default(),
        }
    }

    pub fn shift_lists(&mut self, shift: Option<SignedDuration>) {
        self.shift_lists = shift;
    }

    pub fn dies_after_deletions(&mut self, deletions: usize) {
        self.deletions_left = AtomicUsize::new(deletions);
    }

    pub fn keeps(&mut self, prefix: &'static str) {
        self.kept.push(prefix);
    }

    /// From now on steps are counted, and the collector acts before those of `acts`.
    pub fn arm(&self, collector: Repository, set: String, acts: [(usize, Act); 2]) {
        self.step.store(0, Ordering::SeqCst);
        *self.beside.lock().unwrap() = Some(Arc::new(Beside { collector, set, acts }));
    }

    /// How many steps were made, and which was the last look at the lists.
    pub fn steps(&self) -> (usize, Option<usize>) {
        (self.step.load(Ordering::SeqCst), *self.last_look.lock().unwrap())
    }

    /// The collector sees segments as old, and keeps its lists for ten minutes.
    pub async fn act(&self, act: Act) {
        let beside = self.beside.lock().unwrap().clone().unwrap();
        let mut options = GarbageOptions {
            grace: Duration::from_mins(10),
            at: Timestamp::now(),
            host: "collector".into(),
            dry_run: false,
        };
        if act == Act::RemoveAndMark {
            beside.collector.remove_set(&beside.set).await.unwrap();
        } else {
            options.at += SignedDuration::from_mins(11);
        }
        beside.collector.collect_garbage(&options).await.unwrap();
    }

    async fn step(&self, looks: bool) {
        let Some(beside) = self.beside.lock().unwrap().clone() else {
            return;
        };
        let step = self.step.fetch_add(1, Ordering::SeqCst);
        if looks {
            *self.last_look.lock().unwrap() = Some(step);
        }
        for (at, act) in beside.acts {
            if at == step {
                self.act(act).await;
            }
        }
    }
}

#[async_trait]
impl Store for Bent {
    async fn get(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        self.step(false).await;
        self.inner.get(key, limit).await
    }

    async fn put_new(&self, key: &str, body: Bytes) -> Result<Put> {
        self.step(false).await;
        self.inner.put_new(key, body).await
    }

    async fn delete(&self, key: &str) -> Result<Deleted> {
        self.step(false).await;
        if self.kept.iter().any(|prefix| key.starts_with(prefix)) {
            return Ok(Deleted::Kept);
        }
        self.deletions_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .map_err(|_| Error::unable("the connection was lost"))?;
        let deleted = self.inner.delete(key).await?;
        Ok(if self.versions { Deleted::Hidden } else { deleted })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        // A writer that waits for a new second lists the sets as often as it must.
        if prefix != "sets/" {
            self.step(prefix == "gc/").await;
        }
        let mut entries = self.inner.list(prefix).await?;
        for entry in &mut entries {
            let shift = match entry.key.split('/').next() {
                Some("segments") => Some(self.shift_segments),
                Some("gc") => self.shift_lists,
                _ => Some(SignedDuration::ZERO),
            };
            entry.modified = shift.and_then(|shift| Some(entry.modified? + shift));
        }
        Ok(entries)
    }

    fn lock(&self) -> Option<Lock> {
        self.inner.lock()
    }

    async fn lock_until(&self, key: &str, until: Timestamp) -> Result<()> {
        self.inner.lock_until(key, until).await
    }

    async fn sweep_uploads(&self, older_than: Duration) -> Result<u64> {
        self.inner.sweep_uploads(older_than).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

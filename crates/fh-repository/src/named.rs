//! Which segments the sets of a repository need.

use std::collections::HashSet;

use fh_core::{Context as _, Error, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde::Deserialize;

use crate::repository::{Repository, SETS_AT_ONCE};
use crate::set;

/// Every segment that some set names. Sets are never changed, so each is read once; one that was removed meanwhile still
/// counts until the next collection.
#[derive(Debug)]
pub(crate) struct Named {
    objects: HashSet<String>,
    read: HashSet<String>,
    /// When the sets were last listed, by this host's clock. Not a monotonic one: that stands still while the machine
    /// sleeps.
    pub(crate) listed: Timestamp,
}

/// The part of a header that a newer version has too.
#[derive(Deserialize)]
struct Segments {
    segments: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    object: String,
}

impl Named {
    pub(crate) async fn read(repository: &Repository) -> Result<Self> {
        let mut named = Self {
            objects: HashSet::new(),
            read: HashSet::new(),
            listed: Timestamp::now(),
        };
        named.refresh(repository).await?;
        Ok(named)
    }

    pub(crate) fn has(&self, object: &str) -> bool {
        self.objects.contains(object)
    }

    /// Lists the sets again and reads those that are new.
    ///
    /// # Errors
    /// Exit code 1 when the header of one cannot be read or believed, 3 when the store cannot be read: what a set needs
    /// that nobody can read is not known, and nothing may be removed.
    pub(crate) async fn refresh(&mut self, repository: &Repository) -> Result<()> {
        self.listed = Timestamp::now();
        let ids = repository.ids().await?;
        let new = ids.into_iter().filter(|id| !self.read.contains(id));
        let sets: Vec<(String, Vec<String>)> = futures_util::stream::iter(new)
            .map(async |id| Ok::<_, Error>((id.clone(), repository.names_in(&id).await?)))
            .buffer_unordered(SETS_AT_ONCE)
            .try_collect()
            .await?;
        for (id, objects) in sets {
            self.read.insert(id);
            self.objects.extend(objects);
        }
        Ok(())
    }
}

impl Repository {
    /// The objects in the header of a set. Its body may be damaged, but its seal must be right.
    async fn names_in(&self, id: &str) -> Result<Vec<String>> {
        // Removed since the sets were listed.
        let Some(bytes) = self.set_file(id).await? else {
            return Ok(Vec::new());
        };
        let unknown = || format!("nothing can be collected: nobody knows which segments set {id} needs");
        let (text, _) = set::open_line(&self.key, id, &bytes).map_err(|error| {
            Error::bad(unknown()).because(error).hint(
                "look into it, and put the file back from a copy if there is one; `fh-backup prune --damaged` removes it",
            )
        })?;
        let header: Segments = serde_json::from_str(text).or_unable(unknown)?;
        Ok(header.segments.into_iter().map(|object| object.object).collect())
    }
}

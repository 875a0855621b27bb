//! Removing sets, with what stands beside them.

use std::collections::BTreeSet;

use fh_core::Result;

use crate::repository::{Repository, set_key};
use crate::set;
use crate::store::Deleted;

/// Prefixes of what may stand beside a set, besides other files in its own folder.
const BESIDE: [&str; 3] = ["evidence/", "accepted/", set::FOLDER];

/// The id of the set that an object beside it belongs to.
fn owner(key: &str) -> Option<&str> {
    let name = BESIDE.iter().find_map(|folder| key.strip_prefix(folder))?;
    name.split(['/', '.']).next()
}

impl Repository {
    /// Removes a set: its file first, so that it is gone for everybody, and then what stands beside it. Its segments are
    /// left to the garbage collection.
    ///
    /// A set that the store does not let go stays whole.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot say what became of it.
    pub async fn remove_set(&self, id: &str) -> Result<Deleted> {
        let deleted = self.store.delete(&set_key(id)).await?;
        if deleted == Deleted::Kept {
            return Ok(Deleted::Kept);
        }
        for prefix in BESIDE {
            for entry in self.store.list(&format!("{prefix}{id}")).await? {
                if owner(&entry.key) == Some(id) {
                    self.store.delete(&entry.key).await?;
                }
            }
        }
        Ok(deleted)
    }

    /// Removes what stands beside sets that are gone: a removal that was cut short left it. Returns how many objects.
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read.
    pub async fn remove_leftovers(&self, gone: &BTreeSet<String>) -> Result<u64> {
        let mut removed = 0;
        let mut found = Vec::new();
        for prefix in BESIDE {
            found.extend(self.store.list(prefix).await?);
        }
        let there: BTreeSet<String> = self.ids().await?.into_iter().collect();
        for entry in found {
            let left = owner(&entry.key).is_some_and(|id| gone.contains(id) && !there.contains(id));
            if left && self.store.delete(&entry.key).await? != Deleted::Kept {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_a_set_is_known_by_its_name() {
        for key in [
            "sets/a-1.set",
            "sets/a-1.RESTORE.md",
            "evidence/a-1/x.json",
            "accepted/a-1.json",
        ] {
            assert_eq!(owner(key), Some("a-1"), "{key}");
        }
        assert_eq!(owner("segments/a-/a-1.zst"), None);
        assert_eq!(owner("removals/a-1.json"), None);
    }
}

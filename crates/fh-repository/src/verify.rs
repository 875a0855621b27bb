//! Whether everything that a set names is there and unchanged. Needs no private key.

use std::collections::HashMap;

use bytes::Bytes;
use fh_core::{Exit, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::repository::{Repository, guide_key};
use crate::segment::{blocking, object_key};
use crate::set::{GUIDE_LIMIT, Guide, Set, StoredObject};

/// Objects read at the same time: a bucket answers slowly and in parallel, and each is held in memory.
const AT_ONCE: usize = 4;

/// What is wrong with one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its name.
    pub object: String,
    /// What is wrong.
    pub problem: String,
}

/// The result of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Objects judged.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects among them that an earlier set of the same run had read already.
    pub shared: u64,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Finding>,
}

/// Which objects to read: those whose name falls into this of several parts. The division depends on the names alone, so
/// every object is in the same part on every day and on every host, and all parts together are the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Number of the part, from 0.
    index: u64,
    /// Number of parts.
    of: u64,
}

impl Portion {
    /// Every object.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Part `index`, counted from 0, of `of`; `None` when there is no such part.
    #[must_use]
    pub const fn new(index: u64, of: u64) -> Option<Self> {
        if index < of {
            Some(Self { index, of })
        } else {
            None
        }
    }

    /// Whether an object of this name belongs to the part.
    #[must_use]
    pub fn contains(&self, object: &str) -> bool {
        let hash = blake3::hash(object.as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h]) % self.of == self.index
    }
}

/// Objects that were read in this run, and what is wrong with them: of several sets that share one, only the first reads
/// it.
#[derive(Debug, Clone, Default)]
pub struct Judged(HashMap<StoredObject, Option<String>>);

impl Repository {
    /// Reads every object that the set names and compares size and hash with the sealed header. (Opening the set has
    /// already checked the seal and the body.)
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read; a missing or changed object is a finding, not an error.
    pub async fn verify_objects(&self, set: &Set, on_bytes: impl FnMut(u64)) -> Result<Findings> {
        self.verify_portion(set, Portion::WHOLE, None, on_bytes).await
    }

    /// [`Repository::verify_objects`] for a part of the objects. With `judged`, what it holds is not read again, and what
    /// is read is added to it.
    ///
    /// # Errors
    /// As [`Repository::verify_objects`].
    pub async fn verify_portion(
        &self,
        set: &Set,
        portion: Portion,
        mut judged: Option<&mut Judged>,
        mut on_bytes: impl FnMut(u64),
    ) -> Result<Findings> {
        let mut findings = Findings::default();
        let chosen = set
            .header
            .segments
            .iter()
            .filter(|object| portion.contains(&object.object));
        let mut unknown = Vec::new();
        for object in chosen {
            let Some(problem) = judged.as_ref().and_then(|judged| judged.0.get(object)) else {
                unknown.push(object);
                continue;
            };
            findings.shared += 1;
            findings.add(object, problem.clone());
            on_bytes(object.size);
        }
        let mut checked = futures_util::stream::iter(unknown)
            .map(async |object| Ok::<_, fh_core::Error>((object, self.problem(object).await?)))
            .buffered(AT_ONCE);
        while let Some((object, problem)) = checked.try_next().await? {
            findings.add(object, problem.clone());
            if let Some(judged) = &mut judged {
                judged.0.insert(object.clone(), problem);
            }
            on_bytes(object.size);
        }
        if let Some(guide) = &set.header.guide {
            findings
                .problems
                .extend(self.guide_problem(&set.id, guide).await?);
        }
        Ok(findings)
    }

    /// What is wrong with the page that tells people how to restore: they will run its commands.
    pub(crate) async fn guide_problem(&self, id: &str, guide: &Guide) -> Result<Option<Finding>> {
        let object = guide_key(id);
        let problem = match self.store.get(&object, GUIDE_LIMIT).await {
            Ok(None) => Some("is missing".to_owned()),
            Ok(Some(text)) if blake3::hash(&text).to_hex().as_str() == guide.hash => None,
            Ok(Some(_)) => Some("was changed: do not run its commands".to_owned()),
            Err(error) if error.exit() == Exit::Bad => Some(format!("cannot be read: {}", error.message())),
            Err(error) => return Err(error),
        };
        Ok(problem.map(|problem| Finding { object, problem }))
    }

    async fn problem(&self, object: &StoredObject) -> Result<Option<String>> {
        Ok(self.read_checked(object).await?.err())
    }

    /// The stored bytes of an object as its set describes it, or what is wrong with them.
    pub(crate) async fn read_checked(
        &self,
        object: &StoredObject,
    ) -> Result<std::result::Result<Bytes, String>> {
        // One byte more shows that it has grown; how much does not matter.
        let stored = match self.store.get(&object_key(&object.object), object.size + 1).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Ok(Err("is missing".into())),
            Err(error) if error.exit() == Exit::Bad => {
                return Ok(Err(format!("cannot be read: {}", error.message())));
            }
            Err(error) => return Err(error),
        };
        if stored.len() as u64 != object.size {
            return Ok(Err(format!(
                "has {} bytes instead of {}",
                stored.len(),
                object.size
            )));
        }
        let bytes = stored.clone();
        let hash = blocking(move || Ok(blake3::hash(&bytes).to_hex())).await?;
        if hash.as_str() != object.hash {
            return Ok(Err("was changed: its hash is not the one in the set".into()));
        }
        Ok(Ok(stored))
    }
}

impl Findings {
    fn add(&mut self, object: &StoredObject, problem: Option<String>) {
        self.objects += 1;
        self.bytes += object.size;
        self.problems.extend(problem.map(|problem| Finding {
            object: object.object.clone(),
            problem,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_in_exactly_one_part_and_no_part_is_empty() {
        let names: Vec<String> = (0..700).map(|number| format!("{number:064x}.zst.age")).collect();
        let parts: Vec<Portion> = (0..7).map(|index| Portion::new(index, 7).unwrap()).collect();
        let mut sizes = [0; 7];
        for name in &names {
            let found: Vec<usize> = (0..7).filter(|index| parts[*index].contains(name)).collect();
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            sizes[found[0]] += 1;
            assert!(Portion::WHOLE.contains(name));
        }
        assert!(sizes.iter().all(|size| (50..150).contains(size)), "{sizes:?}");
        assert_eq!(Portion::new(7, 7), None);
        assert_eq!(Portion::new(0, 0), None);
    }
}

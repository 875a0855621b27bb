//! Whether everything that a set names is there and unchanged. Needs no private key.

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
    /// Objects read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Finding>,
}

impl Repository {
    /// Reads every object that the set names and compares size and hash with the sealed header. (Opening the set has
    /// already checked the seal and the body.)
    ///
    /// # Errors
    /// Exit code 3 when the store cannot be read; a missing or changed object is a finding, not an error.
    pub async fn verify_objects(&self, set: &Set, mut on_bytes: impl FnMut(u64)) -> Result<Findings> {
        let mut findings = Findings::default();
        let objects = futures_util::stream::iter(&set.header.segments);
        let mut checked = objects
            .map(async |object| Ok::<_, fh_core::Error>((object, self.problem(object).await?)))
            .buffered(AT_ONCE);
        while let Some((object, problem)) = checked.try_next().await? {
            findings.objects += 1;
            findings.bytes += object.size;
            findings.problems.extend(problem.map(|problem| Finding {
                object: object.object.clone(),
                problem,
            }));
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
    async fn guide_problem(&self, id: &str, guide: &Guide) -> Result<Option<Finding>> {
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

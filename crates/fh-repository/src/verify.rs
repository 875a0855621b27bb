//! Whether everything that a set names is there and unchanged. Needs no private key.

use fh_core::Result;

use crate::repository::Repository;
use crate::set::{Set, StoredObject};

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
        for object in &set.header.segments {
            findings.objects += 1;
            findings.bytes += object.size;
            if let Some(problem) = self.problem(object).await? {
                findings.problems.push(Finding {
                    object: object.object.clone(),
                    problem,
                });
            }
            on_bytes(object.size);
        }
        Ok(findings)
    }

    async fn problem(&self, object: &StoredObject) -> Result<Option<String>> {
        let Some(stored) = self.stored(object).await? else {
            return Ok(Some("is missing".into()));
        };
        if stored.len() as u64 != object.size {
            return Ok(Some(format!(
                "has {} bytes instead of {}",
                stored.len(),
                object.size
            )));
        }
        if blake3::hash(&stored).to_hex().as_str() != object.hash {
            return Ok(Some("was changed: its hash is not the one in the set".into()));
        }
        Ok(None)
    }
}

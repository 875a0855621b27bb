//! Records of removals: `removals/<time>-<random>.json` says which sets were removed, by whom and why.
//!
//! The record is written before the first set goes, so that a set that is missing without one was not removed by us.

use std::collections::BTreeSet;
use std::time::Duration;

use fh_core::{Error, Result};
use fh_repository::Repository;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Prefix of all records.
pub const FOLDER: &str = "removals/";

/// How long a record of another run counts as one that is still at work.
const AT_WORK: SignedDuration = SignedDuration::from_hours(1);

/// What one run set out to remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// When.
    pub at: Timestamp,
    /// On which host.
    pub host: String,
    /// Name and version of the program.
    pub tool: String,
    /// Which sets.
    pub sets: Vec<Removed>,
}

/// One set and why it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Id of the set.
    pub set: String,
    /// Why.
    pub reason: String,
}

/// Every set that some run set out to remove.
///
/// # Errors
/// Exit code 3 when the store cannot be read.
pub async fn removed(repository: &Repository) -> Result<BTreeSet<String>> {
    let found = repository.documents::<Removal>(FOLDER).await?;
    let believed = found.into_iter().filter_map(|found| found.document.ok());
    Ok(believed
        .flat_map(|removal| removal.sets)
        .map(|removed| removed.set)
        .collect())
}

/// Writes the record, and refuses when another run that is at work removes what this one keeps: each alone leaves enough,
/// both together might not.
///
/// # Errors
/// Exit code 4 when there is such a run, 3 when the record was not written.
pub async fn announce(repository: &Repository, sets: Vec<Removed>, kept: &BTreeSet<String>) -> Result<()> {
    let at = Timestamp::now();
    let removal = Removal {
        at,
        host: super::host(),
        tool: super::TOOL.into(),
        sets,
    };
    // Process and time to the nanosecond: two runs of one host never meet, two hosts hardly.
    let random = format!("{:x}{:09}", std::process::id(), at.subsec_nanosecond());
    let key = format!("{FOLDER}{}-{random}.json", at.strftime("%Y-%m-%dT%H%M%SZ"));
    repository.put_document(&key, &removal).await?;
    // After our own is there: of two runs at once, at least one sees the other.
    let others = repository.documents::<Removal>(FOLDER).await?;
    let at_work =
        |modified: Option<Timestamp>| modified.is_some_and(|modified| at.duration_since(modified) < AT_WORK);
    for other in others {
        let Ok(theirs) = other.document else { continue };
        let Some(set) = theirs.sets.iter().find(|removed| kept.contains(&removed.set)) else {
            continue;
        };
        if other.key != key && at_work(other.modified) {
            repository.remove_document(&key).await?;
            return Err(Error::refused(format!(
                "{} on {} is removing set {}, which this run would keep",
                theirs.tool, theirs.host, set.set
            ))
            .hint(format!(
                "wait until it has ended and run again with the same rules everywhere; after {} its record counts no more",
                fh_core::render::duration(Duration::try_from(AT_WORK).unwrap_or_default())
            )));
        }
    }
    Ok(())
}

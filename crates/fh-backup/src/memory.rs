//! What this host has seen in a repository, so that a set that goes without a word is missed.
//!
//! A set that is changed or exchanged is noticed by its seal. One that is deleted, or a repository that is put back to an
//! older state, leaves nothing behind that could be wrong: only whoever saw the set can miss it. This host's memory is a
//! state file; the evidence beside the sets remembers too, for hosts that see the repository for the first time.

use std::collections::BTreeSet;

use fh_core::app::Session;
use fh_core::report::Check;
use fh_core::state::{self, Found, State};
use fh_core::{Error, Result};
use fh_repository::Repository;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Prefix of the sealed documents that say which sets were removed on purpose.
pub const REMOVALS: &str = "removals/";

/// What such a document must say for a set not to be missed.
#[derive(Debug, Deserialize)]
struct Removal {
    sets: Vec<Removed>,
}

#[derive(Debug, Deserialize)]
struct Removed {
    set: String,
}

/// The state file's shape.
const VERSION: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Seen {
    sets: BTreeSet<String>,
}

/// Compares the sets that are there with those that this host has seen or that there is evidence about (`proven`), and
/// remembers the new ones. The check fails when one is gone that no document of [`REMOVALS`] names; it goes on failing until
/// somebody looks into it.
///
/// # Errors
/// Exit code 3 when the repository cannot be read.
pub async fn check<'a>(
    session: &Session,
    repository: &Repository,
    proven: impl IntoIterator<Item = &'a String>,
) -> Result<Check> {
    let present: BTreeSet<String> = repository.ids().await?.into_iter().collect();
    let removed = removed(repository).await?;
    let mut missed: BTreeSet<String> = proven.into_iter().cloned().collect();
    let memory = remember(session, repository, &present, &removed);
    if let Ok(Memory { seen, .. }) = &memory {
        missed.extend(seen.iter().cloned());
    }
    missed.retain(|set| !present.contains(set) && !removed.contains(set));
    if !missed.is_empty() {
        return Ok(gone(&missed, memory.ok().as_ref()));
    }
    Ok(match memory {
        Ok(Memory { note: Some(note), .. }) => Check::warn("rollback", note)
            .hint("sets that went before this run are not missed; from now on they are"),
        Ok(Memory { seen, .. }) if seen.is_empty() => Check::pass(
            "rollback",
            format!("{} sets are remembered from now on", present.len()),
        ),
        Ok(Memory { seen, .. }) => Check::pass(
            "rollback",
            format!("none of {} sets seen before is gone unexplained", seen.len()),
        ),
        Err(error) => skipped(&error),
    })
}

/// Remembers a set that was made just now, so that it is missed even if it goes before anything is verified.
///
/// # Errors
/// Exit code 2 or 3 when this host has no memory.
pub fn made(session: &Session, repository: &Repository, set: &str) -> Result<()> {
    let present = BTreeSet::from([set.to_owned()]);
    remember(session, repository, &present, &BTreeSet::new()).map(drop)
}

fn skipped(error: &Error) -> Check {
    let check = Check::skip(
        "rollback",
        format!("this host remembers nothing: {}", error.message()),
    );
    check.hint(
        error
            .advice()
            .unwrap_or_else(|| "set project.state_dir to a folder that stays".into()),
    )
}

fn gone(missed: &BTreeSet<String>, memory: Option<&Memory>) -> Check {
    let check = Check::fail(
        "rollback",
        format!("{} set(s) were there before and are gone", missed.len()),
    );
    let forget = memory.map_or_else(String::new, |memory| {
        format!(
            "; if you removed them yourself, delete {} and their folders below evidence/",
            memory.file.display()
        )
    });
    missed.iter().fold(check, Check::evidence).hint(format!(
        "nothing says that they were removed on purpose: find out who deleted them or put an older state back{forget}"
    ))
}

/// Sets that were removed on purpose. A document that cannot be believed explains nothing.
async fn removed(repository: &Repository) -> Result<BTreeSet<String>> {
    let documents = repository.documents::<Removal>(REMOVALS).await?;
    Ok(documents
        .into_iter()
        .filter_map(|found| found.document.ok())
        .flat_map(|removal| removal.sets)
        .map(|removed| removed.set)
        .collect())
}

/// What the state file said before this run.
struct Memory {
    seen: BTreeSet<String>,
    /// Something was wrong with the file.
    note: Option<String>,
    file: std::path::PathBuf,
}

/// Reads the state file and adds the sets that are there. Sets that were removed on purpose are forgotten, those that
/// are gone are not.
fn remember(
    session: &Session,
    repository: &Repository,
    present: &BTreeSet<String>,
    removed: &BTreeSet<String>,
) -> Result<Memory> {
    let folder = state::folder(session.config(), &|name| std::env::var(name).ok())?;
    // A copy elsewhere has the same id, and need not have every set.
    let place = xxh3_64(repository.describe().as_bytes());
    let file = folder.join(format!("backup-sets-{}-{place:016x}.json", repository.id()));
    let state = State::new(&file, VERSION);
    let (seen, note) = match state.load::<Seen>()? {
        Found::Value(seen) => (seen.sets, None),
        Found::Nothing => (BTreeSet::new(), None),
        Found::Corrupt { kept, why } => (
            BTreeSet::new(),
            Some(format!(
                "the memory of this host was not readable and is now {}: {why}",
                kept.display()
            )),
        ),
    };
    let now: BTreeSet<String> = seen
        .union(present)
        .filter(|set| !removed.contains(*set))
        .cloned()
        .collect();
    if now != seen {
        state.save(&Seen { sets: now })?;
    }
    Ok(Memory { seen, note, file })
}

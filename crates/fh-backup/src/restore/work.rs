//! What a restore has to do between its first and its last `pg_restore`, as tasks: loading, reading back, and the indexes
//! and constraints that can be made beside each other.

mod loads;
mod statements;
pub(super) mod tables;

use std::sync::{Arc, Mutex, PoisonError};

use fh_core::Result;
use fh_repository::SegmentRef;

use super::schedule::Task;
use crate::archive::Archive;
use crate::body::{Data, Database};
use crate::proof::Proof;

/// One task.
#[derive(Debug)]
pub(super) enum Work {
    /// Loads some segments of a table.
    Load(Load),
    /// Loads the large objects.
    LargeObjects(Data),
    /// Reads a table, or several between which rows may have changed places, and compares.
    Read(Read),
    /// Makes an index or a constraint.
    Statement(Statement),
}

/// Some segments of a table.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) what: String,
    /// `COPY … FROM STDIN`.
    pub(super) statement: String,
    /// The table, when the rows can be loaded in the transaction that empties it, and so be written frozen.
    pub(super) empty_first: Option<String>,
    pub(super) segments: Vec<SegmentRef>,
    pub(super) whole: Arc<Whole>,
}

/// A table that is loaded in parts.
#[derive(Debug)]
pub(super) struct Whole {
    expected: Proof,
    state: Mutex<(usize, Proof)>,
}

impl Whole {
    fn new(expected: Proof, parts: usize) -> Self {
        Self {
            expected,
            state: Mutex::new((parts, Proof::default())),
        }
    }

    /// Adds what a part held. After the last one, what all held together must be what the manifest says.
    ///
    /// # Errors
    /// Exit code 1 when it is not.
    pub(super) fn add(&self, what: &str, part: Proof) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, found) = &mut *state;
        *left -= 1;
        found.merge(part);
        if *left == 0 && *found != self.expected {
            return Err(super::rows::mismatch(
                what,
                self.expected,
                *found,
                "the stored segments hold",
            ));
        }
        Ok(())
    }
}

/// Rows to read back: of one table, or of all tables that were loaded through the same one.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) what: String,
    pub(super) statements: Vec<String>,
    pub(super) proof: Proof,
    pub(super) bytes: u64,
}

/// An index or a constraint.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) what: String,
    pub(super) sql: String,
    /// Empty for the default one.
    pub(super) tablespace: String,
}

/// Everything to do, and what of the table of contents it covers.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tasks: Vec<Task<Work>>,
    /// Dump ids of the entries that are among the tasks.
    pub(super) covered: Vec<i64>,
    /// Bytes of COPY text.
    pub(super) bytes: u64,
}

/// Plans a restore with `jobs` workers.
///
/// # Errors
/// Exit code 1 when the definitions do not fit the tables of the set.
pub(super) fn plan(archive: &Archive, database: &Database, jobs: usize) -> Result<Plan> {
    let tables = tables::Tables::of(archive);
    let mut plan = Plan {
        tasks: Vec::new(),
        covered: Vec::new(),
        bytes: 0,
    };
    let loaded = loads::plan(&mut plan, archive, database, &tables, jobs)?;
    statements::plan(&mut plan, archive, &tables, &loaded);
    Ok(plan)
}

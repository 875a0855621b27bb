//! What a restore has to do between its first and its last `pg_restore`, as tasks: loading, reading back, and the indexes
//! and constraints that can be made beside each other.

mod loads;
mod statements;
pub(super) mod tables;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fh_core::Result;
use fh_repository::SegmentRef;

use super::anonymize::Anonymizer;
use super::rows::Sent;
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
    /// Gathers the planner's statistics of a table, named as SQL.
    Analyze(String),
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
    state: Mutex<(usize, Sent)>,
}

impl Whole {
    fn new(expected: Proof, parts: usize) -> Self {
        Self {
            expected,
            state: Mutex::new((parts, Sent::default())),
        }
    }

    fn state(&self) -> MutexGuard<'_, (usize, Sent)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a part held. After the last one, what all held together must be what the manifest says.
    ///
    /// # Errors
    /// Exit code 1 when it is not.
    pub(super) fn add(&self, what: &str, part: Sent) -> Result<()> {
        let mut state = self.state();
        let (left, found) = &mut *state;
        *left -= 1;
        found.stored.merge(part.stored);
        found.sent.merge(part.sent);
        if *left == 0 && found.stored != self.expected {
            let who = "the stored segments hold";
            return Err(super::rows::mismatch(what, self.expected, found.stored, who));
        }
        Ok(())
    }

    /// What was sent to the server, once everything was.
    fn sent(&self) -> Proof {
        self.state().1.sent
    }
}

/// Rows to read back: of one table, or of all tables that were loaded through the same one.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) what: String,
    pub(super) statements: Vec<String>,
    /// Statements that count the same rows; none for large objects, which are always read.
    pub(super) counts: Vec<String>,
    /// The table of each statement, as `schema.name`; none for large objects.
    pub(super) tables: Vec<String>,
    /// What was loaded; none for large objects.
    pub(super) wholes: Vec<Arc<Whole>>,
    /// What the manifest says.
    pub(super) proof: Proof,
    pub(super) bytes: u64,
}

impl Read {
    /// What must be there: what the manifest says, or what it became on the way in.
    pub(super) fn expected(&self, anonymised: bool) -> Proof {
        if !anonymised || self.wholes.is_empty() {
            return self.proof;
        }
        let mut expected = Proof::default();
        for whole in &self.wholes {
            expected.merge(whole.sent());
        }
        expected
    }
}

/// An index or a constraint.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) what: String,
    pub(super) sql: String,
    /// Empty for the default one.
    pub(super) tablespace: String,
    /// Bytes of the table, when all that takes time is to sort its keys.
    pub(super) sorted: Option<u64>,
}

/// Everything to do, and what of the table of contents it covers.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tasks: Vec<Task<Work>>,
    /// Dump ids of the entries that are among the tasks.
    pub(super) covered: Vec<i64>,
    /// Tables, named as SQL, whose statistics are gathered by one of the tasks.
    pub(super) analyzed: BTreeSet<String>,
    /// Bytes of COPY text.
    pub(super) bytes: u64,
}

/// Plans a restore with `jobs` workers. An anonymised one is read back when everything is there: only then all values of
/// before are known.
///
/// # Errors
/// Exit code 1 when the definitions do not fit the tables of the set.
pub(super) fn plan(
    archive: &Archive,
    database: &Database,
    jobs: usize,
    anonymizer: Option<&Anonymizer>,
) -> Result<Plan> {
    let tables = tables::Tables::of(archive);
    let mut plan = Plan {
        tasks: Vec::new(),
        covered: Vec::new(),
        analyzed: BTreeSet::new(),
        bytes: 0,
    };
    let loaded = loads::plan(&mut plan, archive, database, &tables, jobs)?;
    let large_objects = database.large_objects.as_ref();
    let keep = anonymizer.is_none_or(|anonymizer| anonymizer.keep_large_objects);
    if let Some(data) = large_objects.filter(|_| keep) {
        loads::large_objects(&mut plan, data);
    }
    if anonymizer.is_some() {
        plan.read_last();
    }
    statements::plan(&mut plan, archive, &tables, &loaded);
    Ok(plan)
}

impl Plan {
    fn read_last(&mut self) {
        let of_kind = |task: &Task<Work>| matches!(task.work, Work::Load(_) | Work::LargeObjects(_));
        let numbered = self.tasks.iter().enumerate();
        let loads: Vec<usize> = numbered
            .filter(|(_, task)| of_kind(task))
            .map(|(index, _)| index)
            .collect();
        for task in &mut self.tasks {
            if let Work::Read(_) = task.work {
                task.after.clone_from(&loads);
            }
        }
    }
}

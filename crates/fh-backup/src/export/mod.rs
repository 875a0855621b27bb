//! Getting out: a set as what PostgreSQL's own programs read, with every row counted and hashed on the way.
//!
//! [`directory`] writes a directory archive (`pg_dump -Fd`). [`sql`] lets stock `pg_restore` turn such an archive into
//! SQL while it is being read, so that the rows never lie on this machine's disk twice.

pub mod directory;
mod feed;
mod large_objects;
pub mod sql;

use bytes::Bytes;
use fh_core::progress::Task;
use fh_core::{Error, Result};
use fh_repository::Repository;

use crate::archive::Archive;
use crate::body::{Data, Database};
use crate::proof::Proof;
use crate::restore::rows::mismatch;

/// What to export.
#[derive(Debug)]
pub struct Source<'a> {
    /// Where the segments are.
    pub repository: &'a Repository,
    /// The database of the set.
    pub database: &'a Database,
    /// Its table of contents, with the time of the snapshot.
    pub archive: Archive,
    /// Tables read at the same time.
    pub jobs: usize,
    /// Where progress goes.
    pub task: Task,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rows of tables and pieces of large objects.
    pub rows: u64,
    /// Their plain bytes in the set.
    pub bytes: u64,
}

impl Source<'_> {
    /// Whether the tables of the set are those of its table of contents.
    fn check_tables(&self) -> Result<()> {
        let mut listed: Vec<i64> = self.archive.table_data().map(|entry| entry.dump_id).collect();
        let mut held: Vec<i64> = self.database.tables.iter().map(|table| table.dump_id).collect();
        listed.sort_unstable();
        held.sort_unstable();
        if listed == held && self.archive.has_large_objects() == self.database.large_objects.is_some() {
            return Ok(());
        }
        Err(Error::bad(format!(
            "the definitions of {} list other tables than the set holds",
            self.database.name
        )))
    }

    /// Hands the segments of one table to `take`, one after the other, and compares count and hash at the end.
    async fn rows(
        &self,
        what: &str,
        data: &Data,
        mut take: impl AsyncFnMut(Bytes) -> Result<()>,
    ) -> Result<()> {
        let mut proof = Proof::default();
        for segment in &data.segments {
            let text = Bytes::from(self.repository.read_segment(segment).await?);
            proof.merge(
                Proof::of_lines(&text)
                    .ok_or_else(|| Error::bad(format!("a segment of {what} ends in the middle of a row")))?,
            );
            self.task.inc(text.len() as u64);
            take(text).await?;
        }
        if proof == data.proof {
            Ok(())
        } else {
            Err(mismatch(what, data.proof, proof, "the stored segments hold"))
        }
    }

    fn exported(&self) -> Exported {
        let (proof, bytes) = crate::source::backup::totals(self.database);
        Exported {
            rows: proof.rows,
            bytes,
        }
    }
}

//! The table of contents that `pg_dump -Fc` writes before the first row, and the `toc.dat` that `pg_restore` reads.
//!
//! PostgreSQL documents the archive formats only by its source (`src/bin/pg_dump/pg_backup_archiver.c`, functions
//! `WriteHead`/`ReadHead` and `WriteToc`/`ReadToc`). The versions read here:
//!
//! | archive | written by | what changed |
//! |---|---|---|
//! | 1.14 | PostgreSQL 12 to 15 | table access methods |
//! | 1.15 | PostgreSQL 16 | the compression algorithm is one byte |
//! | 1.16 | PostgreSQL 17 and 18 | the relation kind of each entry |
//!
//! A version outside this list is an error: guessing at a layout could lose definitions without a word.

mod copy;
mod entry;
mod files;
mod read;
mod stamp;
mod ungrouped;
mod wire;
mod write;

pub use copy::Copy;
pub use entry::{Entry, Section};
pub use files::{END_OF_ROWS, large_object_file, rows_file};
pub use read::ArchiveError;
pub use stamp::{stamp, unstamp};

/// Format byte of a custom-format archive (`pg_dump -Fc`).
pub const CUSTOM: u8 = 1;
/// Format byte in the `toc.dat` of a directory archive (`pg_dump -Fd`). It is that of the tar format: a tar archive is
/// the same files in one (`_CloseArchive` in `pg_backup_directory.c`).
pub const DIRECTORY: u8 = 3;

/// The head of an archive and every entry of its table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Archive version: major, minor, revision.
    pub version: (u8, u8, u8),
    /// Bytes of an integer on the machine that wrote it.
    pub int_size: u8,
    /// Bytes of a file offset on the machine that wrote it.
    pub offset_size: u8,
    /// [`CUSTOM`] or [`DIRECTORY`].
    pub format: u8,
    /// Compression level (1.14) or algorithm (1.15 on); zero for none.
    pub compression: i64,
    /// Creation time as C's `struct tm`: seconds, minutes, hours, day, month from 0, years since 1900, daylight saving.
    pub created: [i64; 7],
    /// Name of the database that was dumped.
    pub database: Option<String>,
    /// Version text of the server that was dumped.
    pub server_version: Option<String>,
    /// Version text of the `pg_dump` that wrote the archive.
    pub dump_version: Option<String>,
    /// The entries, in the order in which they are restored.
    pub entries: Vec<Entry>,
}

impl Archive {
    /// The entries with rows of a table.
    pub fn table_data(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind == "TABLE DATA")
    }

    /// The entries that set a sequence to its value.
    pub fn sequence_values(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind == "SEQUENCE SET")
    }

    /// Whether the archive holds large objects.
    #[must_use]
    pub fn has_large_objects(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == "BLOBS")
    }
}

#[cfg(test)]
mod tests;

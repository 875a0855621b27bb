//! Named pipes in place of data files: `pg_restore` opens them one after the other and reads the rows as they are
//! decoded, so that no table has to lie on the disk.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use fh_core::{Context as _, Error, Result};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::io::Errno;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::{OpenOptions, Sender};

use super::Source;
use crate::archive::{END_OF_ROWS, rows_file};
use crate::body::Table;

/// Pause between two looks whether `pg_restore` has opened the next file.
const PAUSE: Duration = Duration::from_millis(2);

/// Makes a pipe for every table.
pub(super) fn prepare(source: &Source<'_>, folder: &Path) -> Result<()> {
    for table in &source.database.tables {
        let path = folder.join(rows_file(table.dump_id));
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
            .or_unable(|| format!("cannot make a pipe in {}", folder.display()))?;
    }
    Ok(())
}

/// Writes the rows of every table into its pipe, in the order of the table of contents: the order in which a
/// `pg_restore` of one job reads.
///
/// After a failure the pipe stays open in `pipe`: closed, it would look like the end of the rows, and `pg_restore` would
/// go on. The caller ends `pg_restore` first.
pub(super) async fn all(source: &Source<'_>, folder: &Path, pipe: &mut Option<Sender>) -> Result<()> {
    for entry in source.archive.table_data() {
        let table = source
            .database
            .tables
            .iter()
            .find(|table| table.dump_id == entry.dump_id)
            .ok_or_else(|| Error::bad(format!("the set holds no rows of {}", entry.label())))?;
        one(
            source,
            table,
            pipe.insert(open(&folder.join(rows_file(table.dump_id))).await?),
        )
        .await?;
        *pipe = None;
    }
    Ok(())
}

async fn one(source: &Source<'_>, table: &Table, pipe: &mut Sender) -> Result<()> {
    let what = table.label();
    let failed = || format!("pg_restore stopped reading the rows of {what}");
    source
        .rows(&what, &table.data, async |text| {
            pipe.write_all(&text).await.or_unable(failed)
        })
        .await?;
    pipe.write_all(END_OF_ROWS).await.or_unable(failed)
}

/// Waits until somebody opens the other end.
async fn open(path: &Path) -> Result<Sender> {
    loop {
        match OpenOptions::new().open_sender(path) {
            Ok(pipe) => return Ok(pipe),
            // Nobody reads yet (fifo(7)).
            Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::unable("cannot open the pipe to pg_restore").because(error)),
        }
    }
}

//! A directory archive: `toc.dat`, a file for each table, a file for each large object.

use std::io::Write as _;
use std::path::Path;

use fh_core::{Context as _, Error, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::{Exported, Source, large_objects};
use crate::archive::{END_OF_ROWS, rows_file};
use crate::body::Table;

/// Writes the archive to `target`, which must not exist: into a folder of another name beside it, which gets its name
/// when everything is there and was compared.
///
/// # Errors
/// Exit code 4 when `target` exists, 1 when the stored rows are not what the set says, 3 when it cannot be written. In
/// each case nothing is left.
pub async fn write(source: &Source<'_>, target: &Path) -> Result<Exported> {
    let parent = free(target)?;
    source.check_tables()?;
    let folder = tempfile::Builder::new()
        .prefix(".tmp-export-")
        .tempdir_in(parent)
        .or_unable(|| format!("cannot make a folder in {}", parent.display()))?;
    let toc = source
        .archive
        .to_directory_toc(|entry| source.archive.data_file(entry));
    fs_err::write(folder.path().join("toc.dat"), toc).or_unable(|| "cannot write the table of contents")?;
    let tables = futures_util::stream::iter(&source.database.tables);
    tables
        .map(|table| write_table(source, table, folder.path()))
        .buffer_unordered(source.jobs.max(1))
        .try_collect::<()>()
        .await?;
    large_objects::write(source, folder.path()).await?;
    let path = folder.path().to_owned();
    blocking(move || flush(&path)).await?;
    // Renamed first, then no longer to be removed.
    fs_err::rename(folder.path(), target)
        .or_unable(|| format!("cannot give {} its name", target.display()))?;
    let _ = folder.keep();
    flush_folder(parent)?;
    Ok(source.exported())
}

/// The folder in which `target` will be, when `target` is free.
///
/// # Errors
/// Exit code 4 when something has that name already.
pub(super) fn free(target: &Path) -> Result<&Path> {
    if target.symlink_metadata().is_ok() {
        return Err(Error::refused(format!("{} exists already", target.display()))
            .hint("choose another name, or remove it; nothing was changed"));
    }
    Ok(match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    })
}

async fn write_table(source: &Source<'_>, table: &Table, folder: &Path) -> Result<()> {
    let path = folder.join(rows_file(table.dump_id));
    let mut file = fs_err::File::create_new(&path).or_unable(|| "cannot make a data file")?;
    source
        .rows(&table.label(), &table.data, async |text| {
            let copy = file.file().try_clone().or_unable(|| "cannot write a data file")?;
            let name = path.clone();
            blocking(move || write_all(copy, &text, &name)).await
        })
        .await?;
    file.write_all(END_OF_ROWS)
        .or_unable(|| "cannot write a data file")
}

fn write_all(mut file: std::fs::File, text: &[u8], path: &Path) -> Result<()> {
    file.write_all(text).map_err(|error| {
        let advice = fh_core::atomic::advice(error.kind());
        let failed = Error::unable(format!("cannot write {}", path.display())).because(error);
        match advice {
            Some(advice) => failed.hint(advice),
            None => failed,
        }
    })
}

/// Everything in the folder, and the folder itself, onto the disk.
fn flush(folder: &Path) -> Result<()> {
    let failed = || format!("cannot write {} to the disk", folder.display());
    for entry in fs_err::read_dir(folder).or_unable(failed)? {
        let file = fs_err::File::open(entry.or_unable(failed)?.path()).or_unable(failed)?;
        file.sync_all().or_unable(failed)?;
    }
    flush_folder(folder)
}

/// The names in a folder onto the disk.
pub(super) fn flush_folder(folder: &Path) -> Result<()> {
    fs_err::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .or_unable(|| format!("cannot write {} to the disk", folder.display()))
}

/// Work with files off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|crashed| Error::unable("a thread that writes files ended early").because(crashed))?
}

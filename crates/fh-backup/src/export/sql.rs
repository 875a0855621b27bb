//! Plain SQL: what stock `pg_restore --file` makes of the archive.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use fh_core::{Context as _, Error, Result};
use fh_pg::Tool;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::directory::{blocking, flush_folder, free};
use super::{Exported, Source, feed, large_objects};
use crate::restore::definitions::Ownership;

/// Where the SQL goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file that must not exist. It gets its name when it is whole.
    File(PathBuf),
    /// Standard output. The SQL is one transaction, so that what was cut off is never committed.
    Stdout,
}

/// Writes the SQL.
///
/// # Errors
/// Exit code 4 when the file exists, 1 when the stored rows are not what the set says, 3 when `pg_restore` fails. No
/// file is left then.
pub async fn write(
    source: &Source<'_>,
    pg_restore: &Tool,
    ownership: Ownership,
    target: &Target,
) -> Result<Exported> {
    source.check_tables()?;
    let staging = tempfile::Builder::new()
        .prefix("fh-export-")
        .tempdir()
        .or_unable(|| "cannot make a temporary folder")?;
    let folder = staging.path();
    let toc = source
        .archive
        .to_directory_toc(|entry| source.archive.data_file(entry));
    fs_err::write(folder.join("toc.dat"), toc)
        .or_unable(|| "cannot write the table of contents for pg_restore")?;
    large_objects::write(source, folder).await?;
    feed::prepare(source, folder)?;

    let Target::File(path) = target else {
        let command = command(pg_restore, ownership, folder, None);
        run(source, folder, command, pg_restore).await?;
        return Ok(source.exported());
    };
    let parent = free(path)?;
    let unfinished = tempfile::Builder::new()
        .prefix(".tmp-export-")
        .tempfile_in(parent)
        .or_unable(|| format!("cannot make a file in {}", parent.display()))?;
    let command = command(pg_restore, ownership, folder, Some(unfinished.path()));
    run(source, folder, command, pg_restore).await?;
    let (file, name) = (unfinished.reopen(), path.clone());
    blocking(move || {
        file.and_then(|file| file.sync_all())
            .or_unable(|| format!("cannot write {} to the disk", name.display()))
    })
    .await?;
    unfinished
        .persist_noclobber(path)
        .or_unable(|| format!("cannot give {} its name", path.display()))?;
    flush_folder(parent)?;
    Ok(source.exported())
}

fn command(pg_restore: &Tool, ownership: Ownership, folder: &Path, file: Option<&Path>) -> Command {
    let mut command = Command::new(&pg_restore.path);
    command.args(["--format=directory", "--exit-on-error"]);
    match file {
        Some(file) => command.arg("--file").arg(file).stdout(Stdio::null()),
        None => command
            .args(["--file=-", "--single-transaction"])
            .stdout(Stdio::inherit()),
    };
    command
        .args(ownership.no_owner.then_some("--no-owner"))
        .args(ownership.no_privileges.then_some("--no-privileges"))
        .arg(folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs `pg_restore` and feeds it until both are done.
async fn run(source: &Source<'_>, folder: &Path, mut command: Command, pg_restore: &Tool) -> Result<()> {
    let program = pg_restore.path.display();
    let mut child = command.spawn().or_unable(|| format!("cannot start {program}"))?;
    let stderr = child.stderr.take();
    let said = tokio::spawn(async move {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.read_to_end(&mut text).await;
        }
        String::from_utf8_lossy(&text).trim().to_owned()
    });
    let mut pipe = None;
    let fed = tokio::select! {
        // An end before everything was fed is a failure of pg_restore, which says more than our broken pipe.
        biased;
        fed = feed::all(source, folder, &mut pipe) => fed,
        () = ended(&mut child) => Err(Error::unable(format!("{program} ended before it had read every table"))),
    };
    let status = match &fed {
        Ok(()) => child
            .wait()
            .await
            .or_unable(|| format!("cannot wait for {program}"))?,
        Err(_) => {
            let status = child.try_wait().ok().flatten();
            let _ = child.kill().await;
            match status {
                Some(status) => status,
                // It was we who stopped it: the rows are what is wrong.
                None => return fed,
            }
        }
    };
    drop(pipe);
    let said = said.await.unwrap_or_default();
    if status.success() {
        return fed;
    }
    if let Err(error) = fed
        && error.exit() == fh_core::Exit::Bad
    {
        return Err(error);
    }
    Err(
        Error::unable(format!("{program} could not write the SQL ({status})"))
            .because(std::io::Error::other(said)),
    )
}

async fn ended(child: &mut Child) {
    let _ = child.wait().await;
}

//! Definitions: `pg_dump -Fc` on our snapshot, ended as soon as its table of contents has been read.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use fh_core::{Context as _, Error, Result};
use fh_pg::{ConnectionString, Tool, child_environment};
use tokio::io::AsyncReadExt as _;

use crate::archive::{Archive, unstamp};

/// The table of contents: parsed, and byte for byte as `pg_dump` wrote it but for the time at which it did.
#[derive(Debug)]
pub struct Toc {
    /// The parsed form.
    pub archive: Archive,
    /// The bytes, from `PGDMP` to the last entry.
    pub bytes: Vec<u8>,
}

/// Runs `pg_dump` on the exported snapshot and reads its table of contents.
///
/// # Errors
/// Exit code 3 when `pg_dump` fails, hangs beyond `time_limit`, or writes anything but a whole table of contents.
pub async fn read(
    pg_dump: &Tool,
    source: &ConnectionString,
    snapshot: &str,
    lock_timeout: Duration,
    time_limit: Duration,
) -> Result<Toc> {
    let environment = child_environment(source)?;
    let mut command = tokio::process::Command::new(&pg_dump.path);
    command
        .args([
            "--format=custom",
            "--compress=0",
            "--encoding=UTF8",
            "--no-password",
        ])
        .arg(format!("--snapshot={snapshot}"))
        .arg(format!("--lock-wait-timeout={}", lock_timeout.as_millis()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    environment.apply_tokio(&mut command);
    let program = pg_dump.path.display();
    let mut child = command.spawn().or_unable(|| format!("cannot start {program}"))?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::unable(format!(
            "cannot read from {program}: it has no output pipe"
        )));
    };
    let complaints = tokio::spawn(async move {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).trim().to_owned()
    });
    let pipe = File::from(
        stdout
            .into_owned_fd()
            .or_unable(|| "cannot take over the pipe from pg_dump")?,
    );
    let reading = tokio::task::spawn_blocking(move || {
        let mut tee = Tee {
            inner: std::io::BufReader::with_capacity(1 << 16, pipe),
            kept: Vec::new(),
        };
        Archive::read(&mut tee).map(|mut archive| {
            let mut bytes = tee.kept;
            unstamp(&mut archive, &mut bytes);
            Toc { archive, bytes }
        })
    });
    let outcome = tokio::time::timeout(time_limit, reading).await;
    // Whatever came, this pg_dump is not needed any more: we read the rows ourselves. Killing it also ends the reading
    // thread when it hangs.
    let ended = child.try_wait().ok().flatten();
    let _ = child.kill().await;
    match outcome {
        Ok(Ok(Ok(toc))) => Ok(toc),
        Ok(Ok(Err(malformed))) => {
            let said = complaints.await.unwrap_or_default();
            let status = match ended.or(child.try_wait().ok().flatten()) {
                Some(status) => format!(" ({status})"),
                None => String::new(),
            };
            let error = Error::unable(format!("{program} gave no table of contents{status}"));
            let advice = fh_pg::recovery_conflict(&said);
            let error = if said.is_empty() {
                error.because(malformed)
            } else {
                error.because(std::io::Error::other(said))
            };
            Err(match advice {
                Some(advice) => error.hint(advice),
                None => error,
            }
            .hint("run the same pg_dump by hand with --schema-only to see what it cannot read"))
        }
        Ok(Err(crashed)) => {
            Err(Error::unable("the thread that reads from pg_dump ended early").because(crashed))
        }
        Err(_) => Err(Error::unable(format!(
            "{program} wrote no table of contents within {time_limit:?}"
        ))
        .hint("is a migration holding locks on this database? look at pg_stat_activity and pg_locks")),
    }
}

/// Keeps what passes through.
struct Tee<R> {
    inner: R,
    kept: Vec<u8>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.kept.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

//! A lock between processes that frees itself when its holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::error::{Error, Result};

/// An exclusive lock on a file, held until it is dropped.
///
/// It is the kernel's advisory lock (`flock(2)`): it ends with the process however that ends, so there are no stale
/// locks to clear away. The file stays: removing it would let two processes hold locks on two files of one name.
/// The file says who holds the lock, for people; the text is no part of the locking.
///
/// ```
/// use fh_core::lock::Lock;
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("backup.lock");
/// let lock = Lock::acquire(&path, "fh-backup create").unwrap();
/// let error = Lock::acquire(&path, "fh-backup create").unwrap_err();
/// assert_eq!(error.exit(), fh_core::Exit::Refused);
/// drop(lock);
/// assert!(Lock::acquire(&path, "fh-backup create").is_ok());
/// ```
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Host name; the lock may lie on a file system that several hosts share.
    pub host: String,
    /// What the process does.
    pub purpose: String,
    /// Since when.
    pub since: Timestamp,
}

impl Lock {
    /// Takes the lock at once or not at all. Folders on the way are created. `purpose` is what others are told:
    /// "fh-backup create".
    ///
    /// # Errors
    /// Exit code 4 when another process, or this one, holds the lock; the message says who and since when. Exit code 3
    /// when the file cannot be made or the file system has no locks.
    pub fn acquire(path: &Path, purpose: &str) -> Result<Self> {
        let failed = |error| atomic::failed(&format!("cannot take the lock {}", path.display()), error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let holder = Holder {
            pid: std::process::id(),
            host: host(),
            purpose: purpose.to_owned(),
            since: Timestamp::now(),
        };
        describe(&mut file, &holder).map_err(failed)?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// The file that is locked.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The description goes first, so that nobody reads of a holder that is gone. Closing the file frees the lock
        // even when this fails.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn describe(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let mut line = serde_json::to_vec(holder)?;
    line.push(b'\n');
    file.write_all(&line)
}

fn held(path: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let holder = file
        .take(64 * 1024)
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| serde_json::from_str::<Holder>(&text).ok());
    let path = path.display();
    match holder {
        Some(Holder {
            pid,
            host,
            purpose,
            since,
        }) => Error::refused(format!(
            "{path} is held by pid {pid} on {host} since {since:.0} ({purpose})"
        ))
        .hint("wait until it has ended; a lock ends with its process, so there is nothing to remove"),
        None => Error::refused(format!("{path} is held by a process that has not said who it is"))
            .hint(format!("try again; `fuser {path}` names the process")),
    }
}

/// This host's name.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::Exit;

    #[test]
    fn a_held_lock_says_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/backup.lock");
        let lock = Lock::acquire(&path, "fh-backup create").unwrap();
        let holder: Holder = serde_json::from_slice(&std::fs::read(lock.path()).unwrap()).unwrap();
        assert_eq!(holder.pid, std::process::id());
        let error = Lock::acquire(&path, "fh-backup restore").unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        let text = error
            .render()
            .replace(&path.display().to_string(), "PATH")
            .replace(&format!("pid {}", holder.pid), "pid N")
            .replace(&format!("on {}", holder.host), "on HOST")
            .replace(&format!("{:.0}", holder.since), "TIME");
        insta::assert_snapshot!(text, @r"
        error: PATH is held by pid N on HOST since TIME (fh-backup create)
        hint: wait until it has ended; a lock ends with its process, so there is nothing to remove
        ");
        drop(lock);
        assert_eq!(std::fs::read(&path).unwrap(), b"", "a free lock names nobody");
        Lock::acquire(&path, "fh-backup restore").unwrap();
    }

    #[test]
    fn a_holder_that_wrote_nothing_is_still_a_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let file = File::create(&path).unwrap();
        file.lock().unwrap();
        let error = Lock::acquire(&path, "x").unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        insta::assert_snapshot!(error.render().replace(&path.display().to_string(), "PATH"), @r"
        error: PATH is held by a process that has not said who it is
        hint: try again; `fuser PATH` names the process
        ");
    }

    #[test]
    fn a_path_that_cannot_be_made() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Lock::acquire(&file.path().join("x.lock"), "x").unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        insta::assert_snapshot!(error.render().replace(&file.path().display().to_string(), "FILE"), @r"
        error: cannot take the lock FILE/x.lock
        caused by: File exists (os error 17)
        hint: something of that name is in the way: correct the path
        ");
    }

    /// The test starts itself as the process that holds the lock, and kills it.
    #[test]
    fn a_killed_holder_leaves_no_lock() {
        const NAME: &str = "lock::tests::a_killed_holder_leaves_no_lock";
        const VARIABLE: &str = "FH_TEST_LOCK";
        if let Some(path) = std::env::var_os(VARIABLE) {
            let _lock = Lock::acquire(Path::new(&path), "holder").unwrap();
            let _ = std::io::stdout().write_all(b"\nholding\n");
            // Ends with the parent's pipe, should the parent die before it kills this.
            let _ = std::io::stdin().read_line(&mut String::new());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(VARIABLE, &path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(
            lines
                .map_while(std::result::Result::ok)
                .any(|line| line == "holding")
        );
        let error = Lock::acquire(&path, "x").unwrap_err();
        assert!(
            error.message().contains(&format!("pid {}", child.id())),
            "{error}"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        Lock::acquire(&path, "x").unwrap();
    }
}

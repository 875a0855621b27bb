//! The folder of a throw-away server, and the promise that nothing of it stays: neither after an error, nor a signal, nor
//! `kill -9`.
//!
//! While a drill runs it holds a lock on the folder. A small shell, in its own process group, reads from a pipe whose
//! other end only we hold: at its end it stops the server and removes the folder. Should it be killed too (a container
//! that ends, a power cut), the next drill finds a folder that nobody holds and does the same.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, SystemTime};

use fh_core::{Context as _, Error, Hint as _, Result};
use rustix::process::{Pid, Signal, kill_process};

/// What the folders' names begin with.
const PREFIX: &str = "fh-drill-";
/// A file in a folder that somebody wants to look at.
const KEPT: &str = "kept";
/// A folder younger than this may be in the making.
const YOUNG: Duration = Duration::from_secs(60);
/// A Unix socket's path has 107 bytes at most (`sun_path`), and `/.s.PGSQL.5432` follows.
const LONGEST: usize = 90;

/// `$1` is the folder. Lines say which process to end; the last of them counts.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP QUIT
pid=
while read -r word number; do
  case $word in
    pid) pid=$number ;;
    done) exit 0 ;;
  esac
done
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
"#;

/// User and group for a server that refuses to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Owner {
    /// `None` when we are not root and stay who we are. Root gives the server to the user `postgres` when there is one,
    /// else to `nobody`.
    #[must_use]
    pub fn of_server() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Some(user(&users, "postgres").unwrap_or(Self {
            uid: 65_534,
            gid: 65_534,
        }))
    }
}

/// Ids of a user in a text of passwd(5).
fn user(passwd: &str, name: &str) -> Option<Owner> {
    let mut fields = passwd
        .lines()
        .map(|line| line.split(':'))
        .find(|fields| fields.clone().next() == Some(name))?
        .skip(2);
    Some(Owner {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

/// A private folder (mode 0700) that is removed at the end.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    /// Whose lock says that the folder is in use.
    _lock: File,
    watchdog: Child,
    pipe: ChildStdin,
    kept: bool,
}

impl Home {
    /// Makes the folder below `base` and starts its watchdog.
    ///
    /// # Errors
    /// Exit code 2 when the path is too long for a Unix socket, 3 when the folder or the watchdog cannot be had.
    pub fn make(base: &Path, owner: Option<Owner>) -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix(PREFIX)
            .rand_bytes(6)
            .tempdir_in(base)
            .or_unable(|| {
                format!(
                    "cannot make a folder for the throw-away server in {}",
                    base.display()
                )
            })
            .hint(|| "choose another place with backup.drill.folder")?;
        if path.path().as_os_str().len() > LONGEST {
            return Err(Error::usage(format!(
                "{} is too long for the socket of a server: a path may have {LONGEST} bytes",
                path.path().display()
            ))
            .hint("choose a shorter one with backup.drill.folder"));
        }
        let failed = || format!("cannot set up {}", path.path().display());
        let lock = File::open(path.path()).or_unable(failed)?;
        lock.try_lock().or_unable(failed)?;
        if let Some(Owner { uid, gid }) = owner {
            chown(path.path(), Some(uid), Some(gid)).or_unable(failed)?;
        }
        let mut watchdog = Command::new("/bin/sh")
            .args([
                OsStr::new("-c"),
                OsStr::new(WATCHDOG),
                OsStr::new("fh-backup-watchdog"),
            ])
            .arg(path.path())
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .or_unable(|| "cannot start /bin/sh, which watches over the throw-away server")?;
        let pipe = watchdog.stdin.take();
        let pipe = pipe.ok_or_else(|| Error::unable("the watchdog of the throw-away server has no pipe"))?;
        Ok(Self {
            path: path.keep(),
            _lock: lock,
            watchdog,
            pipe,
            kept: false,
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder stays.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// Leaves the folder, and what runs in it, to the user; later drills leave it alone as well.
    ///
    /// # Errors
    /// Exit code 3 when the mark cannot be written.
    pub fn keep(&mut self) -> Result<()> {
        let mark = self.path.join(KEPT);
        fs_err::write(mark, "").or_unable(|| "cannot mark the folder of the throw-away server as kept")?;
        self.kept = true;
        Ok(())
    }

    /// Tells the watchdog whom to end, or that nobody runs now.
    pub fn watch(&mut self, pid: Option<u32>) {
        let pid = pid.map_or_else(String::new, |pid| pid.to_string());
        // A dead watchdog only costs the protection against kill -9.
        let _ = writeln!(self.pipe, "pid {pid}");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = writeln!(self.pipe, "done");
        let _ = self.watchdog.wait();
        if self.kept {
            return;
        }
        if let Err(error) = remove(&self.path) {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Removes a folder that somebody else may be removing too.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Removes what drills that were killed have left below `base`, and ends servers that still run there. Returns the
/// folders.
#[must_use]
pub fn sweep(base: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(base) else {
        return Vec::new();
    };
    let ours = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(PREFIX);
    let mut removed = Vec::new();
    for entry in entries.filter_map(std::result::Result::ok).filter(ours) {
        let path = entry.path();
        let Some(_lock) = abandoned(&path) else { continue };
        end_server(&path);
        match remove(&path) {
            Ok(()) => removed.push(path),
            Err(error) => tracing::warn!(
                "cannot remove {}, which a killed drill left: {error}",
                path.display()
            ),
        }
    }
    removed
}

/// The lock of a folder that is ours, is not in the making, and that no drill holds or wants to keep.
fn abandoned(path: &Path) -> Option<File> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    let mine = rustix::process::geteuid().as_raw();
    let owners = [Some(mine), Owner::of_server().map(|owner| owner.uid)];
    let old = SystemTime::now()
        .duration_since(metadata.modified().ok()?)
        .is_ok_and(|age| age >= YOUNG);
    if !metadata.is_dir() || !owners.contains(&Some(metadata.uid())) || !old || path.join(KEPT).exists() {
        return None;
    }
    let lock = File::open(path).ok()?;
    match lock.try_lock() {
        Ok(()) => Some(lock),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}

/// Ends the server whose data is in this folder, if it runs. A server works in its data folder, so that a number that
/// now belongs to another process is told apart; where that cannot be seen it is left to notice that its files are gone.
fn end_server(home: &Path) {
    let data = home.join("data");
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let number = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse::<i32>().ok());
    let Some(pid) = number.and_then(Pid::from_raw) else {
        return;
    };
    let there =
        || std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())).is_ok_and(|cwd| cwd == data);
    if !there() || kill_process(pid, Signal::QUIT).is_err() {
        return;
    }
    for _ in 0..100 {
        if !there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = kill_process(pid, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\npostgres2:x:5:6::/:/bin/sh\npostgres:x:104:107::/:/bin/sh\n";
        assert_eq!(user(passwd, "postgres"), Some(Owner { uid: 104, gid: 107 }));
        assert_eq!(user(passwd, "post"), None);
        assert_eq!(user("postgres:x:one:2", "postgres"), None);
    }

    #[test]
    fn only_what_nobody_holds_or_wants_is_swept() {
        let base = tempfile::tempdir().unwrap();
        let folder = |name: &str, age: u64| {
            let path = base.path().join(name);
            std::fs::create_dir(&path).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            File::open(&path).unwrap().set_modified(then).unwrap();
            path
        };
        let held = folder("fh-drill-held", 3600);
        let lock = File::open(&held).unwrap();
        lock.lock().unwrap();
        let kept = folder("fh-drill-kept", 0);
        std::fs::write(kept.join(KEPT), "").unwrap();
        File::open(&kept)
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_secs(3600))
            .unwrap();
        let young = folder("fh-drill-young", 0);
        let other = folder("another", 3600);
        let left = folder("fh-drill-left", 3600);
        assert_eq!(sweep(base.path()), std::slice::from_ref(&left));
        assert!(!left.exists());
        for path in [held, kept, young, other] {
            assert!(path.exists(), "{}", path.display());
        }
    }

    #[test]
    fn a_folder_ends_with_its_value_and_a_path_too_long_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let home = Home::make(base.path(), None).unwrap();
        let path = home.path().to_owned();
        assert!(path.is_dir());
        assert_eq!(sweep(base.path()), [""; 0].map(PathBuf::from));
        drop(home);
        assert!(!path.exists());
        let long = base.path().join("a".repeat(100));
        std::fs::create_dir(&long).unwrap();
        assert_eq!(Home::make(&long, None).unwrap_err().exit(), fh_core::Exit::Usage);
        assert_eq!(std::fs::read_dir(&long).unwrap().count(), 0);
    }
}

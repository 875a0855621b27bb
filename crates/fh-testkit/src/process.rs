//! A server process in a private folder that ends with the test, whatever way the test ends.
//!
//! `Drop` covers a good end and a panic. For `kill -9` (also nextest's timeout, which kills the whole process group) a
//! small `sh` in its own process group waits on a pipe that only we hold open: at its end it stops the server and removes the folder.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::host;

/// $1 is the folder, $2 the signal for a quick end. The server's pid comes over the pipe; should we die between the
/// start of the server and that line, PostgreSQL's own pid file still names it.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP QUIT
pid=
while read -r word argument; do
  case $word in
    pid) pid=$argument ;;
    done) exit 0 ;;
  esac
done
if [ -z "$pid" ]; then
  sleep 0.5
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
fi
if [ -n "$pid" ]; then
  kill -"$2" "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
"#;

/// A private folder (mode 0700) with its watchdog. Removed at the end, kept when the test failed.
#[derive(Debug)]
pub(crate) struct Workdir {
    path: PathBuf,
    service: &'static str,
    watchdog: Child,
    pipe: ChildStdin,
    keep: bool,
}

impl Workdir {
    /// Creates the folder, owned by `owner` when given. `quick_signal` (such as `QUIT`) is what ends the server without ceremony.
    pub(crate) fn new(
        service: &'static str,
        prefix: &str,
        quick_signal: &str,
        owner: Option<(u32, u32)>,
    ) -> Result<Self> {
        let base = host::short_temp_dir();
        let path = tempfile::Builder::new()
            .prefix(prefix)
            .rand_bytes(6)
            .tempdir_in(&base)
            .with_context(|| format!("cannot create a folder for {service} in {}", base.display()))?
            .keep();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        if let Some((uid, gid)) = owner {
            chown(&path, Some(uid), Some(gid))
                .with_context(|| format!("cannot give {} to user {uid}", path.display()))?;
        }
        let mut watchdog = Command::new("/bin/sh")
            .args([
                OsStr::new("-c"),
                OsStr::new(WATCHDOG),
                OsStr::new("fh-testkit-watchdog"),
                path.as_os_str(),
            ])
            .arg(quick_signal)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start /bin/sh as the watchdog of a test server")?;
        let pipe = watchdog.stdin.take().context("the watchdog has no pipe")?;
        Ok(Self {
            path,
            service,
            watchdog,
            pipe,
            keep: false,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the folder after a good end as well. `kill -9` still removes it.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }

    fn is_kept(&self) -> bool {
        self.keep || std::thread::panicking()
    }

    /// Tells the watchdog whom to end, or that nobody runs now.
    fn watch(&mut self, pid: Option<u32>) {
        let pid = pid.map_or_else(String::new, |pid| pid.to_string());
        // A dead watchdog only costs the protection against kill -9.
        let _ = writeln!(self.pipe, "pid {pid}");
    }
}

impl Drop for Workdir {
    fn drop(&mut self) {
        let _ = writeln!(self.pipe, "done");
        let _ = self.watchdog.wait();
        if self.is_kept() {
            host::say(&format!(
                "fh-testkit: {}: data and log are kept in {}",
                self.service,
                self.path.display()
            ));
        } else if let Err(error) = fs_err::remove_dir_all(&self.path) {
            host::say(&format!("fh-testkit: {}: {error}", self.service));
        }
    }
}

/// A server process of a [`Workdir`], ended by Drop before the folder goes.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Option<Child>,
    quick_signal: Signal,
    pub(crate) workdir: Workdir,
}

impl Daemon {
    /// Nothing runs yet; [`Daemon::spawn`] starts it. `quick_signal` ends the server when nobody needs its data any more.
    pub(crate) fn new(workdir: Workdir, quick_signal: Signal) -> Self {
        Self {
            child: None,
            quick_signal,
            workdir,
        }
    }

    /// The file that gets stdout and stderr of the server.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.workdir.path().join("server.log")
    }

    /// Starts the server in its own process group, so that Ctrl-C reaches the test and not the server.
    pub(crate) fn spawn(&mut self, mut command: Command) -> Result<()> {
        let log = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())?
            .into_parts()
            .0;
        let child = command
            .current_dir(self.workdir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        self.workdir.watch(Some(child.id()));
        self.child = Some(child);
        Ok(())
    }

    /// The exit status when the server has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?),
            None => bail!("the server was not started"),
        }
    }

    /// Process id of the running server.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Polls until `ready` says yes.
    ///
    /// # Errors
    /// When the server ended or a minute passed; with the end of its log.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !ready() {
            if let Some(status) = self.ended()? {
                bail!(
                    "{} ended at once ({status}). Its log:\n{}",
                    self.workdir.service,
                    self.log_tail()
                );
            }
            if Instant::now() > deadline {
                bail!(
                    "{} was not ready after a minute. Its log:\n{}",
                    self.workdir.service,
                    self.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The last lines of the log.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs_err::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Sends `signal`, waits at most `patience`, then kills. Nothing to do when it does not run.
    pub(crate) fn end(&mut self, signal: Signal, patience: Duration) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        signal_child(&child, signal)?;
        let deadline = Instant::now() + patience;
        while child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.workdir.watch(None);
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Data that is kept may be written out first (for PostgreSQL INT is a fast shutdown).
        let signal = if self.workdir.is_kept() {
            Signal::INT
        } else {
            self.quick_signal
        };
        if let Err(error) = self.end(signal, Duration::from_secs(10)) {
            host::say(&format!(
                "fh-testkit: {}: cannot end the server: {error:#}",
                self.workdir.service
            ));
        }
    }
}

/// Sends `signal` to a child that was not waited for yet, so the id cannot belong to anybody else. A child that has ended is fine.
pub(crate) fn signal_child(child: &Child, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(child.id())?).context("a process id of zero")?;
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot signal process {}", child.id())),
    }
}

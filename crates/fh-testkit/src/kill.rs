//! Running a program and ending it at a chosen moment, mostly by `kill -9`.

use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

pub use rustix::process::Signal;

/// A program that neither reaches its moment nor ends in this time hangs.
const HANG: Duration = Duration::from_mins(3);

/// The moment at which the signal is sent.
pub enum When<'a> {
    /// After this time.
    After(Duration),
    /// Once stdout has shown this text.
    Stdout(&'a str),
    /// Once stderr has shown this text.
    Stderr(&'a str),
    /// Once this many files whose path below `under` contains `name` exist.
    Files {
        /// Folder to look in, which may not exist yet.
        under: &'a Path,
        /// Part of the path below `under`; empty means every file.
        name: &'a str,
        /// How many, at least 1.
        count: usize,
    },
    /// Once this says so; asked every millisecond.
    Condition(&'a mut dyn FnMut() -> bool),
}

/// How far the program got.
#[derive(Debug)]
pub struct Outcome {
    /// True when the signal ended it; false when it had ended before, or ended by itself after the signal.
    pub killed: bool,
    /// True when its moment came and the signal was sent while it ran.
    pub signalled: bool,
    /// As the system reports it.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it printed to stderr.
    pub stderr: String,
    /// From start to end.
    pub elapsed: Duration,
}

/// Runs `command` and kills it (`kill -9`) when its moment comes. Only the program itself is killed, not its children.
///
/// # Errors
/// When it cannot be started, or hangs for minutes.
pub fn kill9(command: Command, when: When<'_>) -> Result<Outcome> {
    interrupt(command, Signal::KILL, when)
}

/// Runs `command`, sends `signal` when its moment comes, and waits for its end.
///
/// # Errors
/// When it cannot be started, or hangs for minutes; then it is killed.
pub fn interrupt(mut command: Command, signal: Signal, mut when: When<'_>) -> Result<Outcome> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let stdout = Tap::on(child.stdout.take().context("no stdout")?);
    let stderr = Tap::on(child.stderr.take().context("no stderr")?);
    let mut signalled = false;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if !signalled && when.has_come(started, &stdout, &stderr) {
            self::signal(&child, signal)?;
            signalled = true;
        }
        if started.elapsed() > HANG {
            child.kill()?;
            child.wait()?;
            bail!(
                "{:?} hung (signalled: {signalled}); stderr:\n{}",
                command.get_program(),
                stderr.text()
            );
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let elapsed = started.elapsed();
    let killed = status.signal() == Some(signal.as_raw());
    Ok(Outcome {
        killed,
        signalled,
        status,
        stdout: stdout.finish(),
        stderr: stderr.finish(),
        elapsed,
    })
}

/// Sends `signal` to a running child. One that has ended but was not waited for is fine.
///
/// # Errors
/// When the system refuses.
pub fn signal(child: &Child, signal: Signal) -> Result<()> {
    crate::process::signal_child(child, signal)
}

impl When<'_> {
    fn has_come(&mut self, started: Instant, stdout: &Tap, stderr: &Tap) -> bool {
        match self {
            Self::After(time) => started.elapsed() >= *time,
            Self::Stdout(text) => stdout.text().contains(*text),
            Self::Stderr(text) => stderr.text().contains(*text),
            Self::Files { under, name, count } => files_below(under, under, name) >= *count,
            Self::Condition(condition) => condition(),
        }
    }
}

impl std::fmt::Debug for When<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::After(time) => write!(f, "after {time:?}"),
            Self::Stdout(text) => write!(f, "stdout shows {text:?}"),
            Self::Stderr(text) => write!(f, "stderr shows {text:?}"),
            Self::Files { under, name, count } => {
                write!(f, "{count} files like {name:?} below {}", under.display())
            }
            Self::Condition(_) => f.write_str("a condition"),
        }
    }
}

/// How many files below `dir` have `name` in their path below `root`. Whatever vanishes meanwhile does not count.
fn files_below(root: &Path, dir: &Path, name: &str) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    let count = |entry: std::fs::DirEntry| {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            return files_below(root, &path, name);
        }
        usize::from(
            path.strip_prefix(root)
                .is_ok_and(|below| below.to_string_lossy().contains(name)),
        )
    };
    entries.flatten().map(count).sum()
}

/// Collects a stream in a thread.
struct Tap {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: std::thread::JoinHandle<()>,
}

impl Tap {
    fn on(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&buffer[..count]);
            }
        });
        Self { bytes, thread }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// The whole text. A grandchild that outlives the program may hold the stream open, so silence is an end as well.
    fn finish(self) -> String {
        let (mut seen, mut since) = (0, Instant::now());
        while !self.thread.is_finished() && since.elapsed() < Duration::from_millis(300) {
            std::thread::sleep(Duration::from_millis(1));
            let now = self.bytes.lock().unwrap_or_else(PoisonError::into_inner).len();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
        self.text()
    }
}

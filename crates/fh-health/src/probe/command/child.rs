//! Running a program with bounds: its time, its output, and everything that it starts.

use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fh_core::{Cancel, Error, Result};
use rustix::process::{Pid, Signal, kill_process_group};

/// Bytes kept of each stream. More is read, so that the program does not block, and thrown away.
const KEPT: usize = 16 * 1024;
/// Lines shown.
const LINES: usize = 10;
/// How often the program is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// How long a stream may stay open behind the program's end: a grandchild may hold it.
const DRAIN: Duration = Duration::from_millis(100);

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed, because its time was up.
    TooLate,
    /// It was killed, because this run was asked to stop.
    Stopped,
}

/// What became of a program.
pub(super) struct Output {
    pub(super) ended: Ended,
    pub(super) took: Duration,
    text: String,
}

impl Output {
    /// The first line that is not empty.
    pub(super) fn first_line(&self) -> String {
        let mut lines = self.text.lines().map(str::trim);
        lines.find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }

    /// The last lines: what a program says before it gives up.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines: Vec<&str> = self.text.lines().filter(|line| !line.trim().is_empty()).collect();
        let from = lines.len().saturating_sub(LINES);
        lines[from..].iter().map(|&line| line.to_owned()).collect()
    }
}

/// Runs it in a process group of its own, which is killed as a whole at the end.
pub(super) fn run(words: &[String], limit: Duration, cancel: &Cancel) -> Result<Output> {
    let program = words.first().map_or("", String::as_str);
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(words.get(1..).unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| {
            Error::unable(format!("cannot run {program}"))
                .because(error)
                .hint("give the whole path of a program that this user may run; no shell reads the command")
        })?;
    let stdout = child.stdout.take().map(reader);
    let stderr = child.stderr.take().map(reader);
    let ended = wait(&mut child, began + limit, cancel);
    // Also behind a program that ended by itself: what it left running would hold its output open.
    end_group(&child);
    let _ = child.wait();
    let ended = ended.map_err(|error| Error::unable(format!("cannot wait for {program}")).because(error))?;
    let kept = |stream: Option<mpsc::Receiver<Vec<u8>>>| {
        let bytes = stream.and_then(|stream| stream.recv_timeout(DRAIN).ok());
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    };
    let text = [kept(stdout), kept(stderr)].join("\n");
    Ok(Output {
        ended,
        took: began.elapsed(),
        text,
    })
}

fn wait(child: &mut Child, end: Instant, cancel: &Cancel) -> std::io::Result<Ended> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(match (status.code(), status.signal()) {
                (Some(code), _) => Ended::Code(code),
                (None, signal) => Ended::Signal(signal.unwrap_or_default()),
            });
        }
        if cancel.is_cancelled() {
            return Ok(Ended::Stopped);
        }
        if Instant::now() >= end {
            return Ok(Ended::TooLate);
        }
        std::thread::sleep(GLANCE);
    }
}

fn end_group(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It may have ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Reads a stream to its end in a thread, and keeps the beginning and the end of it.
fn reader(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut kept, mut buffer) = (Vec::new(), [0_u8; 4096]);
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..read]);
            if kept.len() > 2 * KEPT {
                kept.drain(KEPT / 2..kept.len() - KEPT / 2);
            }
        }
        // Nobody listens any more when the program was given up.
        let _ = sender.send(kept);
    });
    receiver
}

//! What a command costs: time, processor time and memory of it and everything it starts.

use std::fmt;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often memory is looked at: often at first, as a short command may be over soon.
const PACE: Duration = Duration::from_millis(20);
const FIRST_PACE: Duration = Duration::from_millis(2);
const FIRST: Duration = Duration::from_millis(200);
/// Ticks a second in `/proc/<pid>/stat`: 100 for every program, whatever the kernel itself uses (proc(5), `USER_HZ`).
const TICKS: f64 = 100.0;

/// What one run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Seconds by the clock.
    pub(crate) wall: f64,
    /// Seconds of processor time, user and system, of all its processes.
    pub(crate) cpu: f64,
    /// Highest sum of the resident memory of its processes, in bytes.
    pub(crate) rss: u64,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} s, {:.2} CPU-s, {} MiB",
            self.wall,
            self.cpu,
            self.rss >> 20
        )
    }
}

/// Runs a command to its end. Nothing else that this process started may end meanwhile, because processor time is
/// counted when a child is waited for.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<Cost> {
    let cpu = children_cpu()?;
    let began = Instant::now();
    let child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {what}"))?;
    let over = Arc::new(AtomicBool::new(false));
    let (group, watched) = (child.id(), Arc::clone(&over));
    let watching = std::thread::spawn(move || {
        let mut peak = 0;
        while !watched.load(Ordering::Relaxed) {
            peak = peak.max(group_rss(group));
            std::thread::sleep(if began.elapsed() < FIRST { FIRST_PACE } else { PACE });
        }
        peak
    });
    let output = child.wait_with_output();
    let wall = began.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let rss = watching.join().unwrap_or_default();
    let output = output?;
    if !output.status.success() {
        bail!(
            "{what} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(Cost {
        wall,
        cpu: children_cpu()? - cpu,
        rss,
    })
}

/// Fields of `/proc/<pid>/stat` after the name, which may hold anything but ends with the last parenthesis.
fn stat(pid: &str) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = text.rsplit_once(')')?.1;
    Some(rest.split_whitespace().map(ToOwned::to_owned).collect())
}

/// Processor time of children that were waited for, in seconds: fields 16 and 17 of proc(5).
fn children_cpu() -> Result<f64> {
    let fields = stat("self").context("cannot read /proc/self/stat; this benchmark needs Linux")?;
    let ticks = |index: usize| -> Result<f64> {
        let field = fields.get(index).context("/proc/self/stat is short")?;
        Ok(field.parse()?)
    };
    Ok((ticks(13)? + ticks(14)?) / TICKS)
}

/// Resident memory of the processes of a group.
fn group_rss(group: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let group = group.to_string();
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        // Field 5 is the process group.
        .filter(|pid| stat(pid).is_some_and(|fields| fields.get(2) == Some(&group)))
        .filter_map(|pid| rss(&pid))
        .sum()
}

fn rss(pid: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_seen_and_failure_is_no_measurement() {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let cost = run(Command::new("sh").args(["-c", busy]), "sh").unwrap();
        assert!(cost.cpu > 0.0 && cost.wall > 0.0 && cost.rss > 0, "{cost:?}");
        let error = run(Command::new("sh").args(["-c", "echo no >&2; exit 3"]), "sh").unwrap_err();
        assert!(error.to_string().contains("exit status: 3: no"), "{error}");
    }
}

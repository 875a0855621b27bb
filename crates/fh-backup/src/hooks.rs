//! Commands of the configuration around a backup.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fh_core::app::Session;
use fh_core::report::{Check, Report};
use fh_core::{Cancel, Context as _, Error, Exit, Result, scrub};

use crate::context;

/// Output of a command that goes to the log at most; a command that prints without end must not fill memory.
const OUTPUT: u64 = 64 << 10;
/// Last lines of it that are shown with a failure.
const SHOWN: usize = 5;

/// What the commands are told, beside what this process was told.
struct Told {
    variables: Vec<(&'static str, String)>,
}

/// Runs `work` between the commands of `[backup.hooks]`.
///
/// # Errors
/// Those of `work`; exit code 3 when a command before it failed: then `work` was not begun.
pub fn around(session: &Session, command: &str, work: impl FnOnce() -> Result<Report>) -> Result<Report> {
    let hooks = &session.config().backup.hooks;
    let repository = context::location(session)
        .map(|place| place.to_string())
        .unwrap_or_default();
    let mut told = Told {
        variables: vec![
            ("FH_BACKUP_COMMAND", command.to_owned()),
            ("FH_BACKUP_REPOSITORY", repository),
        ],
    };
    let runner = Runner {
        timeout: hooks.timeout.get(),
        cancel: &session.cancel,
    };
    let mut result = match runner.each("before", &hooks.before, &told, true) {
        Ok(()) => work(),
        Err(error) => Err(error),
    };
    told.end(&result, session);
    let good = matches!(&result, Ok(report) if report.exit(session.common.fail_on) == Exit::Good);
    let (name, commands) = if good {
        ("after", &hooks.after)
    } else {
        ("failed", &hooks.failed)
    };
    for (name, commands) in [(name, commands), ("finally", &hooks.finally)] {
        // What stands at the end runs after a signal too.
        if let Err(error) = runner.each(name, commands, &told, false) {
            match &mut result {
                Ok(report) => {
                    let mut check = Check::warn(format!("hooks.{name}"), error.message());
                    check.evidence = error.causes();
                    check.hint = error.advice();
                    report.push(check);
                }
                Err(_) => tracing::warn!("{}", error.message()),
            }
        }
    }
    result
}

impl Told {
    fn end(&mut self, result: &Result<Report>, session: &Session) {
        let (exit, set, error) = match result {
            Ok(report) => {
                let set = report.data["set"].as_str().unwrap_or_default();
                (report.exit(session.common.fail_on), set, None)
            }
            Err(error) => (error.exit(), "", Some(error.message())),
        };
        self.variables.extend([
            ("FH_BACKUP_EXIT_CODE", exit.code().to_string()),
            ("FH_BACKUP_SET", set.to_owned()),
            ("FH_BACKUP_ERROR", error.unwrap_or_default()),
        ]);
    }
}

struct Runner<'s> {
    timeout: Duration,
    cancel: &'s Cancel,
}

impl Runner<'_> {
    /// Runs the commands one after the other, until one fails. With `stoppable`, a signal ends them.
    fn each(&self, name: &str, commands: &[String], told: &Told, stoppable: bool) -> Result<()> {
        for (index, command) in commands.iter().enumerate() {
            let what = format!("command {} of backup.hooks.{name}", index + 1);
            self.one(&what, name, command, told, stoppable)?;
        }
        Ok(())
    }

    fn one(&self, what: &str, name: &str, command: &str, told: &Told, stoppable: bool) -> Result<()> {
        let mut child = Command::new("sh")
            .args(["-c", command])
            .envs(told.variables.iter().map(|(name, value)| (*name, value)))
            .env("FH_BACKUP_HOOK", name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()
            .or_unable(|| format!("cannot start {what}"))?;
        let readers = [
            child.stdout.take().map(|pipe| reader(what, pipe)),
            child.stderr.take().map(|pipe| reader(what, pipe)),
        ];
        let ended = self.wait(what, &mut child, stoppable);
        if ended.is_err() {
            end(&mut child);
        }
        // A process that it left behind may hold the pipes open; nobody waits for that one.
        let patience = Instant::now() + Duration::from_secs(2);
        let mut said = Vec::new();
        for reader in readers.into_iter().flatten() {
            while !reader.is_finished() && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(5));
            }
            if reader.is_finished() {
                said.extend(reader.join().unwrap_or_default());
            }
        }
        ended.map_err(|error| {
            let last = said.split_off(said.len().saturating_sub(SHOWN));
            if last.is_empty() {
                error
            } else {
                error.because(last.join("\n"))
            }
        })
    }

    fn wait(&self, what: &str, child: &mut Child, stoppable: bool) -> Result<()> {
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().or_unable(|| format!("cannot wait for {what}"))? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(Error::unable(format!("{what} failed: {status}"))
                        .hint("all of its output is in the log with -v"))
                };
            }
            if begun.elapsed() > self.timeout {
                return Err(Error::unable(format!(
                    "{what} took longer than {} and was ended",
                    fh_core::render::duration(self.timeout)
                ))
                .hint("give more time with backup.hooks.timeout"));
            }
            if stoppable {
                self.cancel.check()?;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Ends a command and what it started.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

/// Logs what a pipe gives, line by line, without what is secret, and returns it.
fn reader(what: &str, mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<String>> {
    let what = what.to_owned();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = pipe.by_ref().take(OUTPUT).read_to_end(&mut text);
        let lines: Vec<String> = String::from_utf8_lossy(&text).lines().map(scrub).collect();
        for line in &lines {
            tracing::info!("{what}: {line}");
        }
        if std::io::copy(&mut pipe, &mut std::io::sink()).is_ok_and(|more| more > 0) {
            tracing::info!("{what}: what it printed after the first {OUTPUT} bytes is left out");
        }
        lines
    })
}

//! Starting other programs: a clean environment, and a limit on time where a network is in play.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use xshell::Cmd;

use crate::workspace::Workspace;

/// The cargo that runs us, so that a toolchain chosen with `cargo +X` stays chosen.
pub(crate) fn cargo(workspace: &Workspace) -> Cmd<'_> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    clean(workspace.shell.cmd(cargo))
}

/// Takes out what `cargo run` puts into our own environment. Left in, it makes build scripts that watch such a variable
/// run again after a plain `cargo build`.
pub(crate) fn clean(command: Cmd<'_>) -> Cmd<'_> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(comes_from_cargo_run))
        .fold(command, Cmd::env_remove)
}

fn comes_from_cargo_run(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || matches!(
            name,
            "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR"
        )
}

/// How a program ended that had only so much time.
#[derive(Debug)]
pub(crate) enum Ended {
    Good,
    /// With the last line that it wrote to standard error.
    Bad(String),
    TooLate,
}

/// Runs `command` without input for at most `limit`, and kills it then. Its standard error goes to a file, so that a
/// full pipe cannot stop it.
pub(crate) fn run_for(command: &mut Command, limit: Duration) -> anyhow::Result<Ended> {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let log = std::env::temp_dir().join(format!("xtask-{}-{number}.log", std::process::id()));
    let file = std::fs::File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    let name = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .with_context(|| format!("starting {name}"))?;
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| format!("waiting for {name}"))? {
            break Some(status);
        }
        if started.elapsed() > limit {
            child
                .kill()
                .and_then(|()| child.wait())
                .with_context(|| format!("ending {name}"))?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    let last_line = said
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or("no message")
        .to_owned();
    Ok(match status {
        Some(status) if status.success() => Ended::Good,
        Some(_) => Ended::Bad(last_line),
        None => Ended::TooLate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_ended() {
        let mut hangs = Command::new("sleep");
        hangs.arg("600");
        assert!(matches!(
            run_for(&mut hangs, Duration::from_millis(100)).unwrap(),
            Ended::TooLate
        ));
    }

    #[test]
    fn the_last_line_of_a_failure_is_kept() {
        let mut fails = Command::new("sh");
        fails.args(["-c", "echo first >&2; echo 'no such host' >&2; exit 3"]);
        match run_for(&mut fails, Duration::from_secs(60)).unwrap() {
            Ended::Bad(line) => assert_eq!(line, "no such host"),
            other => panic!("{other:?}"),
        }
        assert!(
            run_for(
                &mut Command::new("no-such-program-anywhere"),
                Duration::from_secs(1)
            )
            .is_err()
        );
    }

    #[test]
    fn only_what_cargo_run_sets_is_taken_out() {
        assert!(comes_from_cargo_run("CARGO_MANIFEST_DIR"));
        assert!(comes_from_cargo_run("CARGO_PKG_VERSION_MAJOR"));
        assert!(!comes_from_cargo_run("CARGO_HOME"));
        assert!(!comes_from_cargo_run("CARGO_TARGET_DIR"));
        assert!(!comes_from_cargo_run("PATH"));
    }
}

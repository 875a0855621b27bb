//! What comes from outside: licences, sources, advisories, and what nothing uses.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Outcome, Run, verdict};
use crate::process::{Ended, cargo, run_for};
use crate::tools;

pub(super) fn deny(run: &Run) -> anyhow::Result<Outcome> {
    let program = match run.tool(&tools::DENY) {
        Ok(program) => program,
        Err(missing) => return Ok(Outcome::Unavailable(missing.to_string())),
    };
    let check = run
        .workspace
        .shell
        .cmd(program)
        .args(["--locked", "check", "licenses", "bans", "sources"]);
    Ok(verdict(&check, "see deny.toml for what is allowed and why"))
}

pub(super) fn shear(run: &Run) -> anyhow::Result<Outcome> {
    let program = match run.tool(&tools::SHEAR) {
        Ok(program) => program,
        Err(missing) => return Ok(Outcome::Unavailable(missing.to_string())),
    };
    Ok(verdict(
        &run.workspace.shell.cmd(program),
        "take the dependency out of the crate's Cargo.toml",
    ))
}

/// An advisory database whose last commit is older than this many days proves nothing about today.
const OLDEST_DATABASE: u64 = 30;

/// cargo-deny calls a database fresh by the time of its last fetch, even if the fetched mirror stopped years ago; so
/// the age of the last commit is looked at here.
pub(super) fn advisories(run: &Run) -> anyhow::Result<Outcome> {
    let program = match run.tool(&tools::DENY) {
        Ok(program) => program,
        Err(missing) => return Ok(Outcome::Unavailable(missing.to_string())),
    };
    let mut fetch = Command::new(&program);
    fetch.args(["fetch", "db"]).current_dir(&run.workspace.root);
    // Where the host is unreachable but does not say so, git must give up.
    fetch.envs([
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_HTTP_LOW_SPEED_LIMIT", "1000"),
        ("GIT_HTTP_LOW_SPEED_TIME", "20"),
    ]);
    let fetched = run_for(&mut fetch, Duration::from_secs(90))?;
    let offline = match fetched {
        Ended::Good => None,
        Ended::Bad(why) => Some(format!("the advisory database cannot be fetched: {why}")),
        Ended::TooLate => Some("the advisory database could not be fetched within 90 s".to_owned()),
    };
    let Some(database) = database() else {
        return Ok(match offline {
            Some(why) => Outcome::Unreachable(why),
            None => Outcome::Fail(
                "the advisory database was fetched, but it is not where cargo-deny keeps it".into(),
            ),
        });
    };
    let age = age(&database)?;
    let days = age.as_secs() / (24 * 60 * 60);
    // Offline, so that nothing is fetched a second time; cargo-deny then takes crates of other platforms only from here.
    cargo(run.workspace)
        .args(["fetch", "--locked", "--quiet"])
        .run()?;
    let check = run
        .workspace
        .shell
        .cmd(program)
        .args(["--locked", "--offline", "check", "advisories"]);
    match verdict(
        &check,
        "see deny.toml for how an advisory is set aside, with a reason and a date",
    ) {
        Outcome::Pass(_) => Ok(judge_age(days, offline)),
        other => Ok(other),
    }
}

/// What a check without findings is worth against a database this many days old.
fn judge_age(days: u64, offline: Option<String>) -> Outcome {
    if days <= OLDEST_DATABASE {
        return Outcome::Pass(format!("database {days} days old"));
    }
    let why = format!("nothing found, but the database's last commit is {days} days old");
    match offline {
        Some(reason) => Outcome::Unreachable(format!("{why}, and {reason}")),
        None => Outcome::Unavailable(why),
    }
}

/// Where cargo-deny keeps its clone, with our `deny.toml`: under cargo's home.
fn database() -> Option<PathBuf> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cargo"),
    };
    let entries = std::fs::read_dir(home.join("advisory-dbs")).ok()?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.join(".git").exists())
}

/// How long ago the last commit was made. One from the future is of age zero.
fn age(database: &Path) -> anyhow::Result<Duration> {
    let git = Command::new("git")
        .args(["log", "-1", "--format=%ct"])
        .current_dir(database)
        .output()?;
    let text = String::from_utf8_lossy(&git.stdout);
    let seconds: u64 = text.trim().parse().map_err(|_| {
        anyhow::anyhow!(
            "the advisory database at {} has no readable last commit",
            database.display()
        )
    })?;
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_that_of_the_last_commit_and_not_of_the_files() {
        let folder = std::env::temp_dir().join(format!("xtask-advisories-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let git = |args: &[&str]| {
            let mut command = Command::new("git");
            command.args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.com",
                "-c",
                "commit.gpgsign=false",
            ]);
            command
                .args(args)
                .current_dir(&folder)
                .env("GIT_COMMITTER_DATE", "2025-02-24T00:00:00Z");
            assert!(command.output().unwrap().status.success(), "{args:?}");
        };
        assert!(age(&folder).is_err());
        git(&["init", "--quiet"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "old"]);
        assert!(age(&folder).unwrap() > Duration::from_secs(OLDEST_DATABASE * 24 * 60 * 60));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_old_database_never_passes() {
        assert!(matches!(judge_age(30, None), Outcome::Pass(_)));
        assert!(matches!(judge_age(30, Some("offline".into())), Outcome::Pass(_)));
        assert!(matches!(judge_age(31, None), Outcome::Unavailable(_)));
        assert!(matches!(
            judge_age(637, Some("offline".into())),
            Outcome::Unreachable(_)
        ));
    }
}

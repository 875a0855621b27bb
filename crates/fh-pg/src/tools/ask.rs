//! Asking a program for its version.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::{Program, Tool, ToolVersion};
use crate::version::numbers;

/// What a candidate said, or the end of the sentence that begins with its path.
pub(super) type Answer = Result<Tool, String>;

/// A program on a sleeping network drive gets some time; one that hangs must not hold up the run.
const LIMIT: Duration = Duration::from_secs(10);

/// More than any version; a program that writes without end is none of PostgreSQL's.
const LONGEST: u64 = 4096;

pub(super) async fn ask(program: Program, path: &Path) -> Answer {
    ask_within(program, path, LIMIT).await
}

async fn ask_within(program: Program, path: &Path, limit: Duration) -> Answer {
    let mut child = Command::new(path)
        .arg("--version")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let Some(stdout) = child.stdout.take() else {
        return Err("has no output".into());
    };
    let talk = async {
        let mut said = Vec::new();
        stdout
            .take(LONGEST)
            .read_to_end(&mut said)
            .await
            .map_err(|error| format!("cannot be read from: {error}"))?;
        let status = child
            .wait()
            .await
            .map_err(|error| format!("cannot be waited for: {error}"))?;
        Ok::<_, String>((said, status))
    };
    let (said, status) = match tokio::time::timeout(limit, talk).await {
        Ok(result) => result?,
        Err(_) => return Err(format!("did not answer --version within {limit:?}")),
    };
    if !status.success() {
        return Err(format!("failed when asked for its version ({status})"));
    }
    let text = String::from_utf8_lossy(&said);
    let version = parse(program, &text).ok_or_else(|| format!("is not PostgreSQL's {program}"))?;
    Ok(Tool {
        path: path.to_owned(),
        version,
    })
}

/// `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` gives `15.18`, of major version 15.
fn parse(program: Program, text: &str) -> Option<ToolVersion> {
    let rest = text
        .strip_prefix(program.name())?
        .trim_start()
        .strip_prefix("(PostgreSQL)")?;
    let version = rest.split_whitespace().next()?;
    let (major, _, _) = numbers(version)?;
    Some(ToolVersion {
        text: version.to_owned(),
        major,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn reads_versions() {
        let read =
            |text: &str| parse(Program::PgDump, text).map(|version| (version.to_string(), version.major()));
        assert_eq!(
            read("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(("15.18".into(), 15))
        );
        assert_eq!(
            read("pg_dump (PostgreSQL) 18beta1\n"),
            Some(("18beta1".into(), 18))
        );
        assert_eq!(
            read("pg_dump (PostgreSQL) 17devel\n"),
            Some(("17devel".into(), 17))
        );
        assert_eq!(read("pg_dump (PostgreSQL) 9.6.24\n"), Some(("9.6.24".into(), 9)));
        for nothing in [
            "",
            "pg_dump",
            "pg_dump (PostgreSQL)",
            "pg_dump (PostgreSQL) new",
            "psql (PostgreSQL) 15.1",
            "usage: pg_dump",
        ] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pg_dump");
        fs_err::write(&path, "#!/bin/sh\nexec sleep 600\n").unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let answer = ask_within(Program::PgDump, &path, Duration::from_millis(200)).await;
        assert_eq!(answer.unwrap_err(), "did not answer --version within 200ms");
    }
}

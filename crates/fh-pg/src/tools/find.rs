//! Finding `pg_dump` and its like in a version that fits the server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fh_core::{Error, Result};

/// `--version` answers at once; a program that does not is broken.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A program of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Writes archives.
    PgDump,
    /// Restores archives.
    PgRestore,
    /// The terminal.
    Psql,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::PgDump => "pg_dump",
            Self::PgRestore => "pg_restore",
            Self::Psql => "psql",
        }
    }
}

/// A program that was found, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Where it is.
    pub path: PathBuf,
    /// Its version.
    pub version: ToolVersion,
}

/// Version of a program, for example 15.18.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolVersion {
    major: u32,
    text: String,
}

impl ToolVersion {
    /// The major version.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }

    /// Reads `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 18beta1`, `… 19devel`.
    fn parse(output: &str) -> Option<Self> {
        let (_, rest) = output.split_once("(PostgreSQL)")?;
        let text = rest.split_whitespace().next()?;
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { major: digits.parse().ok()?, text: text.to_owned() })
    }
}

impl fmt::Display for ToolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where programs may be.
#[derive(Debug, Clone)]
pub struct Tools {
    folders: Vec<PathBuf>,
}

impl Tools {
    /// The program for a server: of its own major version, or else the next newer one. An older program cannot read a
    /// newer server (PostgreSQL manual, pg_dump, notes).
    ///
    /// `bin_dir` is searched alone when it is given; otherwise the folders of Debian, Red Hat and Homebrew packages, and
    /// PATH.
    ///
    /// # Errors
    /// Exit code 3 when there is none that fits, with what was found and how to install one.
    pub async fn find(program: Program, server_major: u32, bin_dir: Option<&Path>) -> Result<Tool> {
        let tools = match bin_dir {
            Some(folder) => Self { folders: vec![folder.to_owned()] },
            None => Self { folders: usual_folders() },
        };
        tools.search(program, server_major).await
    }

    async fn search(&self, program: Program, server_major: u32) -> Result<Tool> {
        let mut found = Vec::new();
        let mut broken = Vec::new();
        for folder in &self.folders {
            let path = folder.join(program.name());
            if !path.is_file() || found.iter().any(|tool: &Tool| tool.path == path) {
                continue;
            }
            match ask_version(&path).await {
                Ok(version) if version.major == server_major => return Ok(Tool { path, version }),
                Ok(version) => found.push(Tool { path, version }),
                Err(why) => broken.push(format!("{} {why}", path.display())),
            }
        }
        let newer = found.iter().filter(|tool| tool.version.major > server_major).min_by_key(|tool| tool.version.major);
        newer.cloned().ok_or_else(|| missing(program, server_major, &found, &broken))
    }
}

fn missing(program: Program, major: u32, found: &[Tool], broken: &[String]) -> Error {
    let name = program.name();
    let seen: Vec<String> = found
        .iter()
        .map(|tool| format!("{} is version {}", tool.path.display(), tool.version))
        .chain(broken.iter().cloned())
        .collect();
    let message = if seen.is_empty() {
        format!("{name} is not installed, and the server is PostgreSQL {major}")
    } else {
        format!("no {name} fits PostgreSQL {major}: {}", seen.join("; "))
    };
    Error::unable(message).hint(format!(
        "install version {major}: apt-get install postgresql-client-{major} (Debian, Ubuntu), dnf install \
         postgresql{major} (Red Hat), brew install postgresql@{major} (macOS); or set database.bin_dir"
    ))
}

async fn ask_version(path: &Path) -> Result<ToolVersion, String> {
    let mut command = tokio::process::Command::new(path);
    command.arg("--version").stdin(Stdio::null()).env("LC_ALL", "C").kill_on_drop(true);
    let output = match tokio::time::timeout(TIMEOUT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("cannot be started: {error}")),
        Err(_) => return Err(format!("did not answer --version within {} seconds", TIMEOUT.as_secs())),
    };
    if !output.status.success() {
        return Err(format!("--version failed ({})", output.status));
    }
    ToolVersion::parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| "gave no version that is understood".into())
}

fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, prefix, rest) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
        ("/opt/homebrew/opt", "libpq", "bin"),
        ("/usr/local/opt", "libpq", "bin"),
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        let mut names: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path().join(rest))
            .collect();
        names.sort();
        folders.extend(names);
    }
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn folder(parent: &Path, name: &str, script: &str, mode: u32) -> PathBuf {
        let folder = parent.join(name);
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("pg_dump");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        folder
    }

    fn says(version: &str) -> String {
        format!("echo 'pg_dump (PostgreSQL) {version}'")
    }

    #[tokio::test]
    async fn the_servers_own_version_is_best_and_the_next_newer_one_second() {
        let all = tempfile::tempdir().unwrap();
        let folders = ["14.9", "18beta1", "16.3 (Debian 16.3-1)", "15.18 (Debian 15.18-0+deb12u1)"]
            .iter()
            .enumerate()
            .map(|(index, version)| folder(all.path(), &index.to_string(), &says(version), 0o755))
            .collect();
        let tools = Tools { folders };
        for (server, version) in [(15, "15.18"), (17, "18beta1"), (16, "16.3"), (13, "14.9")] {
            assert_eq!(tools.search(Program::PgDump, server).await.unwrap().version.to_string(), version);
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named_with_the_reason() {
        let all = tempfile::tempdir().unwrap();
        let folders = vec![
            folder(all.path(), "old", &says("13.4"), 0o755),
            folder(all.path(), "odd", "echo hello", 0o755),
            folder(all.path(), "bad", "exit 3", 0o755),
            folder(all.path(), "off", &says("15.1"), 0o644),
        ];
        let error = Tools { folders }.search(Program::PgDump, 15).await.unwrap_err();
        assert_eq!(error.exit(), fh_core::Exit::Unable);
        let text = error.render().replace(&all.path().display().to_string(), "…");
        for part in [
            "no pg_dump fits PostgreSQL 15",
            "…/old/pg_dump is version 13.4",
            "…/odd/pg_dump gave no version that is understood",
            "…/bad/pg_dump --version failed (exit status: 3)",
            "…/off/pg_dump cannot be started: Permission denied",
            "apt-get install postgresql-client-15",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[tokio::test]
    async fn nothing_at_all_says_how_to_install() {
        let error = Tools { folders: Vec::new() }.search(Program::PgDump, 15).await.unwrap_err();
        assert!(error.message().starts_with("pg_dump is not installed"));
    }
}

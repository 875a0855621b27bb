//! PostgreSQL and Redis on this machine: what tests and the demo start throw-away servers from.

use std::path::{Path, PathBuf};

use crate::find;

/// The oldest major version of PostgreSQL that the toolkit is made for.
pub(crate) const OLDEST_POSTGRES: u32 = 15;

/// The programs of a server and its client that must lie in one folder.
const PROGRAMS: &[&str] = &["initdb", "pg_ctl", "pg_dump", "pg_restore", "postgres", "psql"];

/// A PostgreSQL installation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Postgres {
    pub(crate) folder: PathBuf,
    pub(crate) major: u32,
}

/// The newest complete installation: `FH_PG_BINDIR` if set, else Debian's, Homebrew's, and the one on PATH.
pub(crate) fn postgres() -> Option<Postgres> {
    if let Some(folder) = std::env::var_os("FH_PG_BINDIR") {
        return installation(Path::new(&folder));
    }
    let mut folders = Vec::new();
    for parent in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        folders.extend(entries.map(|entry| entry.path().join("bin")));
    }
    if let Some(program) = find::on_path("postgres").and_then(|path| path.canonicalize().ok()) {
        folders.extend(program.parent().map(Path::to_owned));
    }
    folders
        .iter()
        .filter_map(|folder| installation(folder))
        .max_by_key(|found| found.major)
}

/// The path of redis-server.
pub(crate) fn redis() -> Option<PathBuf> {
    find::on_path("redis-server")
}

fn installation(folder: &Path) -> Option<Postgres> {
    if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
        return None;
    }
    let output = std::process::Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let major = major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Postgres {
        folder: folder.to_owned(),
        major,
    })
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)` or `… 18beta1`.
fn major(about: &str) -> Option<u32> {
    let version = about.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_form() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("something else 15"), None);
    }

    #[test]
    fn an_incomplete_folder_is_no_installation() {
        assert_eq!(installation(Path::new("/usr/bin")), None);
        assert_eq!(installation(Path::new("/nowhere")), None);
    }
}

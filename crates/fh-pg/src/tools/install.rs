//! Where packages put PostgreSQL's programs, and how to get them.

use std::path::{Path, PathBuf};

use super::Program;

/// Every folder in which a package, Homebrew or the user may have put them; newest version first within each kind.
pub(super) fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    // On Debian PATH has a wrapper that picks a version by rules of its own, so the real ones come first.
    folders.extend(versioned(Path::new("/usr/lib/postgresql"), ""));
    folders.extend(versioned(Path::new("/usr"), "pgsql-"));
    for prefix in ["/opt/homebrew/opt", "/usr/local/opt"] {
        let prefix = Path::new(prefix);
        folders.extend(versioned(prefix, "postgresql@"));
        folders.push(prefix.join("libpq/bin"));
    }
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path).filter(|folder| folder.is_absolute()));
    }
    folders
}

/// `bin` of the folders in `parent` called `prefix` and a number.
fn versioned(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// The command that installs the program of a version.
pub(super) fn hint(program: Program, major: u32) -> String {
    let (debian, red_hat) = match program {
        Program::Initdb => ("postgresql", "-server"),
        Program::PgDump | Program::PgRestore | Program::Psql => ("postgresql-client", ""),
    };
    format!(
        "install it: `apt-get install {debian}-{major}` (Debian and Ubuntu; versions they lack come from apt.postgresql.org), \
         `dnf install postgresql{major}{red_hat}` (Red Hat, from yum.postgresql.org), `brew install postgresql@{major}` (macOS)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_newest_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pgsql-9", "pgsql-15", "pgsql-x", "other", "pgsql-16"] {
            fs_err::create_dir_all(parent.path().join(name).join("bin")).unwrap();
        }
        let found = versioned(parent.path(), "pgsql-");
        let names: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(parent.path()).unwrap())
            .collect();
        assert_eq!(
            names,
            ["pgsql-16/bin", "pgsql-15/bin", "pgsql-9/bin"].map(Path::new)
        );
    }
}

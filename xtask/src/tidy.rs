//! `cargo xtask tidy`: this repository's own rules, as code. Each rule is a function from what it looks at to findings,
//! and each finding says what to do.

mod crates;
mod floor;
mod lock;
pub(crate) mod manifest;
mod permissions;
mod rust;
mod text;

use std::fmt;

use crate::gates::{Outcome, Run};
use crate::ui;
use crate::workspace::Workspace;

/// One breach of a rule.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 where the finding is about the whole file.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(formatter, "{}: {}", self.path, self.what),
            line => write!(formatter, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl File {
    fn has_extension(&self, wanted: &str) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extension == wanted)
    }

    /// Data that tests compare byte by byte, and texts that others wrote: not ours to tidy.
    fn is_data(&self) -> bool {
        const FOLDERS: &[&str] = &["snapshots", "fixtures", "testdata"];
        self.path.split('/').any(|part| FOLDERS.contains(&part))
            || ["snap", "pem", "crt", "lock"]
                .iter()
                .any(|extension| self.has_extension(extension))
            || self.path.starts_with("LICENSE-")
    }

    /// Lines with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

/// The gate.
pub(crate) fn gate(run: &Run) -> anyhow::Result<Outcome> {
    let files = read(run.workspace)?;
    if files.is_empty() {
        return Ok(Outcome::Fail("the repository has no files to check".to_owned()));
    }
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(text::check(file));
        findings.extend(rust::check(file));
    }
    findings.extend(rust::stale_exceptions(&files));
    findings.extend(crates::check(run.workspace)?);
    findings.extend(permissions::check(&run.workspace.root, &files));
    findings.extend(floor::check(run.workspace));
    findings.extend(lock::check(run.workspace));
    findings.sort();
    for finding in &findings {
        ui::say(&finding.to_string());
    }
    Ok(match findings.len() {
        0 => Outcome::Pass(format!("{} files", files.len())),
        1 => Outcome::Fail("1 finding".to_owned()),
        number => Outcome::Fail(format!("{number} findings")),
    })
}

/// The repository's files that are text.
fn read(workspace: &Workspace) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for path in workspace.files()? {
        if let Ok(text) = String::from_utf8(std::fs::read(workspace.root.join(&path))?) {
            files.push(File {
                path: path.to_string_lossy().into_owned(),
                text,
            });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file for tests of rules.
    pub(super) fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_finding_says_where() {
        assert_eq!(Finding::new("a.rs", 3, "bad").to_string(), "a.rs:3: bad");
        assert_eq!(Finding::new("a.rs", 0, "bad").to_string(), "a.rs: bad");
    }

    #[test]
    fn data_is_left_alone() {
        assert!(file("crates/fh-core/tests/snapshots/x.txt", "").is_data());
        assert!(file("Cargo.lock", "").is_data());
        assert!(!file("crates/fh-core/src/lib.rs", "").is_data());
    }
}

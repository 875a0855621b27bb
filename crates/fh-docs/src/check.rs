//! The documentation check: every command and every internal link of what people read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Command;

use crate::markdown::{self, Page};
use crate::{commands, links};

/// What a check found.
#[derive(Debug)]
pub struct Outcome {
    /// Markdown files read.
    pub pages: usize,
    /// Commands of ours that were parsed.
    pub commands: usize,
    /// One message for each thing that is wrong, with file and line.
    pub wrong: Vec<String>,
}

/// Checks the Markdown files of the root, `docs`, `runbooks` and `deploy`.
///
/// # Errors
/// When a file cannot be read.
pub fn run(root: &Path, trees: &[Command]) -> Result<Outcome> {
    let mut files = markdown_files(root, root, false)?;
    for folder in ["docs", "runbooks", "deploy"] {
        files.extend(markdown_files(root, &root.join(folder), true)?);
    }
    let mut pages: BTreeMap<PathBuf, Page> = BTreeMap::new();
    for file in files {
        let text = fs_err::read_to_string(root.join(&file))?;
        pages.insert(file, markdown::parse(&text));
    }
    let mut outcome = Outcome {
        pages: pages.len(),
        commands: 0,
        wrong: Vec::new(),
    };
    for (path, page) in &pages {
        for (line, command) in &page.commands {
            outcome.commands += commands::count(command, trees);
            let wrong = commands::check_line(command, trees);
            outcome.wrong.extend(
                wrong
                    .into_iter()
                    .map(|why| format!("{}:{line}: {why}", path.display())),
            );
        }
        outcome.wrong.extend(links::check(root, path, page, &pages));
    }
    Ok(outcome)
}

fn markdown_files(root: &Path, folder: &Path, deep: bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if deep && path.is_dir() {
            found.extend(markdown_files(root, &path, true)?);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(
                path.strip_prefix(root)
                    .context("a file outside the repository")?
                    .to_owned(),
            );
        }
    }
    found.sort();
    Ok(found)
}

//! A suite from its file.

use std::path::{Path, PathBuf};

use fh_core::config::{Places, SecretSource, read_document};
use fh_core::error::{Context, Hint};
use fh_core::nearest::nearest;
use fh_core::{Error, Result};

use crate::suite::{Environment, Suite};
use crate::validate;

/// A suite that was read and found to be sound.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it holds.
    pub suite: Suite,
    /// Where each value stands.
    pub places: Places,
    /// Its file, as people write it.
    pub path: PathBuf,
}

/// Reads a suite and checks all that can be known before anything is sent.
///
/// # Errors
/// Exit code 2, with line and column: unreadable, not TOML, an unknown key, a wrong value, an undefined variable, a capture
/// that nobody uses, a step that asserts nothing.
pub fn load(path: &Path) -> Result<Loaded> {
    let bytes = std::fs::read(path)
        .or_usage(|| format!("cannot read the suite {}", path.display()))
        .hint(|| "give the path of a suite's TOML file")?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::usage(format!("the suite {} is not valid UTF-8", path.display())).hint("save it as UTF-8")
    })?;
    parse(&text, path)
}

/// As [`load`], from a text. `path` is the file that it is from, for messages and for paths relative to it.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, path: &Path) -> Result<Loaded> {
    let (mut suite, places) = read_document::<Suite>(text, path)?;
    anchor(&mut suite, path.parent().unwrap_or(Path::new("")));
    let loaded = Loaded {
        suite,
        places,
        path: path.to_owned(),
    };
    validate::check(&loaded)?;
    Ok(loaded)
}

/// Relative paths in a suite start at its folder.
fn anchor(suite: &mut Suite, folder: &Path) {
    if let Some(file) = &mut suite.suite.ca_file {
        *file = folder.join(&file);
    }
    let of_environments = suite.env.values_mut().map(|env| &mut env.secrets);
    for secrets in std::iter::once(&mut suite.secrets).chain(of_environments) {
        for source in secrets.values_mut() {
            if let SecretSource::File { file } = source {
                *file = folder.join(&file);
            }
        }
    }
}

impl Loaded {
    /// The environment of this name; the only one, when none is named and there is no other.
    ///
    /// # Errors
    /// Exit code 2, with the names that there are.
    pub fn environment(&self, name: Option<&str>) -> Result<(String, Environment)> {
        let all = &self.suite.env;
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        match (name, names.as_slice()) {
            (Some(name), _) => {
                let found = all.get(name).ok_or_else(|| {
                    let near = nearest(name, names.iter().copied())
                        .map_or(String::new(), |near| format!("did you mean `{near}`? "));
                    Error::usage(format!("{} has no environment `{name}`", self.path.display()))
                        .hint(format!("{near}its environments: {}", names.join(", ")))
                })?;
                Ok((name.to_owned(), found.clone()))
            }
            (None, [only]) => Ok(((*only).to_owned(), all[*only].clone())),
            (None, _) => Err(Error::usage(format!(
                "{} has several environments, and none was chosen",
                self.path.display()
            ))
            .hint(format!("add --env NAME, one of: {}", names.join(", ")))),
        }
    }
}

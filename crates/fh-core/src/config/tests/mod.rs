//! The loader as its callers see it: files in a temporary folder, variables from a list.

mod errors;
mod layers;
mod secrets;

use std::path::Path;

use super::{Config, ConfigSource, Loaded};
use crate::error::{Error, Result};

/// Loads `toml` as `financehub.toml` of an empty folder, with variables and flags.
fn load_with(toml: &str, variables: &[(&str, &str)], flags: &[(&str, &str, &'static str)]) -> Result<Loaded> {
    let folder = folder_with(toml);
    let source = ConfigSource {
        flags: flags
            .iter()
            .map(|(path, value, flag)| ((*path).to_owned(), (*value).to_owned(), *flag))
            .collect(),
        ..ConfigSource::default()
    };
    load_in(folder.path(), &source, variables)
}

fn load_in(folder: &Path, source: &ConfigSource, variables: &[(&str, &str)]) -> Result<Loaded> {
    let vars = |name: &str| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    };
    Config::load(source, &vars, folder)
}

fn load(toml: &str) -> Result<Loaded> {
    load_with(toml, &[], &[])
}

/// A folder that looks like a repository's root, so that nothing above it is searched.
fn folder_with(toml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    std::fs::write(folder.path().join(super::FILE_NAME), toml).unwrap();
    folder
}

/// The whole text of the error that `toml` leads to. Everything here is exit code 2.
fn error(toml: &str) -> String {
    rendered(load(toml).unwrap_err())
}

#[expect(clippy::needless_pass_by_value, reason = "the end of the error's way")]
fn rendered(error: Error) -> String {
    assert_eq!(error.exit(), crate::Exit::Usage, "{}", error.render());
    assert!(error.advice().is_some(), "no hint: {}", error.render());
    error.render()
}

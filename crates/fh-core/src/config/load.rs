//! From file, variables and flags to one typed value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::origin::{Origin, Origins};
use super::tree::{Node, Value, join};
use super::{Config, file, parse, paths, reader, variables};
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct ConfigSource {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `-e`, `--env`.
    pub environment: Option<String>,
    /// Settings given as flags: dotted path, value, and the flag's name for messages.
    pub flags: Vec<(String, String, &'static str)>,
}

/// The configuration with where each value came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Where each came from.
    pub origins: Origins,
    /// The file that was read, absolute when the current folder was.
    pub file: Option<PathBuf>,
    /// The environment that was chosen.
    pub environment: Option<String>,
    secrets: BTreeSet<String>,
}

/// One setting, as `config show` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The dotted path.
    pub path: String,
    /// The value. A secret is `***` or says where it is fetched.
    pub value: serde_json::Value,
    /// Where it came from.
    pub origin: Origin,
}

impl Config {
    /// Reads the configuration: flags over environment variables over the file (the chosen `[env.NAME]` over its
    /// base) over built-in defaults. `vars` looks up an environment variable; `cwd` is the current folder.
    ///
    /// Every environment's table is checked, chosen or not: a mistake in production's must not wait for production.
    ///
    /// # Errors
    /// Exit code 2 for everything: a named file that is missing, invalid TOML, an unknown key, a wrong type, an
    /// unknown environment. Messages never hold the value of a string.
    pub fn load(source: &ConfigSource, vars: &dyn Fn(&str) -> Option<String>, cwd: &Path) -> Result<Loaded> {
        let var = |name: &str| vars(name).filter(|value| !value.is_empty());
        let mut secrets = BTreeSet::new();

        let file = file::choose(source.file.as_deref(), var("FH_CONFIG"), cwd)?;
        let mut tree = match &file {
            Some(path) => parse::parse(&file::text(path, cwd)?, &file::shown(path, cwd))?,
            None => Node::table(Origin::Default),
        };
        let mut environments = take_environments(&mut tree)?;
        check(&tree, "", &mut secrets)?;
        for (name, overlay) in &environments {
            check(overlay, &join("env", name), &mut secrets)?;
        }

        let environment = source
            .environment
            .clone()
            .filter(|name| !name.is_empty())
            .or_else(|| var("FH_ENV"));
        if let Some(name) = &environment {
            let overlay = environments
                .remove(name)
                .ok_or_else(|| unknown_environment(name, &environments, file.as_deref(), cwd))?;
            tree.lay(overlay, &secrets);
        }
        for layer in variables::layers(&var) {
            check(&layer, "", &mut secrets)?;
            tree.lay(layer, &secrets);
        }
        for (path, value, flag) in &source.flags {
            tree.lay(
                Node::at(path, Value::Typed(value.clone()), &Origin::Flag(flag)),
                &secrets,
            );
        }

        let mut config: Config = check(&tree, "", &mut secrets)?;
        let origins = Origins(tree.origins(&secrets));
        if let Some(folder) = file.as_deref().and_then(Path::parent) {
            paths::anchor(&mut config, &origins, folder);
        }
        Ok(Loaded {
            config,
            origins,
            file,
            environment,
            secrets,
        })
    }
}

impl Loaded {
    /// Every setting with its value and origin, in the order of the types; secrets are masked.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        // The configuration consists of strings, numbers and tables, which always convert.
        if let Ok(value) = serde_json::to_value(&self.config) {
            self.collect("", value, &mut entries);
        }
        entries
    }

    fn collect(&self, path: &str, value: serde_json::Value, entries: &mut Vec<Entry>) {
        match value {
            serde_json::Value::Object(map) if !self.secrets.contains(path) => {
                for (key, value) in map {
                    self.collect(&join(path, &key), value, entries);
                }
            }
            value => entries.push(Entry {
                path: path.to_owned(),
                value,
                origin: self.origins.of(path).clone(),
            }),
        }
    }
}

/// Reads a layer as the types say.
fn check(tree: &Node, prefix: &str, secrets: &mut BTreeSet<String>) -> Result<Config> {
    reader::read(tree, secrets).map_err(|fault| fault.into_error(prefix))
}

/// Takes `[env.*]` out of the tree.
fn take_environments(tree: &mut Node) -> Result<BTreeMap<String, Node>> {
    let Value::Table(entries) = &mut tree.value else {
        return Ok(BTreeMap::new());
    };
    let Some(node) = entries.remove("env") else {
        return Ok(BTreeMap::new());
    };
    let not_a_table = |path: &str, origin: &Origin| {
        Error::usage(format!("{path}: expected a table ({origin})"))
            .hint("settings of one environment go under [env.NAME] or [env.NAME.SECTION]")
    };
    let Value::Table(environments) = node.value else {
        return Err(not_a_table("env", &node.origin));
    };
    for (name, overlay) in &environments {
        if !matches!(overlay.value, Value::Table(_)) {
            return Err(not_a_table(&join("env", name), &overlay.origin));
        }
    }
    Ok(environments)
}

fn unknown_environment(name: &str, known: &BTreeMap<String, Node>, file: Option<&Path>, cwd: &Path) -> Error {
    let place = match file {
        Some(path) => format!("in {}", file::shown(path, cwd).display()),
        None => format!("because there is no {}", file::FILE_NAME),
    };
    let error = Error::usage(format!("unknown environment `{name}`: no [env.{name}] {place}"));
    if known.is_empty() {
        return error.hint("leave out --env and FH_ENV, or add the table");
    }
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let near =
        nearest(name, names.iter().copied()).map_or(String::new(), |near| format!("did you mean `{near}`? "));
    error.hint(format!("{near}known environments: {}", names.join(", ")))
}

//! What a tool remembers from one run to the next: a JSON file with a version, replaced in one step.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::config::Config;
use crate::error::{Context, Error, Hint, Result};

/// A state file.
///
/// ```
/// use fh_core::state::{Found, State};
/// let folder = tempfile::tempdir().unwrap();
/// let state = State::new(folder.path().join("runs.json"), 1);
/// assert!(matches!(state.load::<u64>().unwrap(), Found::Nothing));
/// state.save(&7_u64).unwrap();
/// assert!(matches!(state.load().unwrap(), Found::Value(7_u64)));
/// ```
#[derive(Debug, Clone)]
pub struct State {
    path: PathBuf,
    version: u32,
}

/// What a state file held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// There is no file: a first run.
    Nothing,
    /// The value of the last run.
    Value(T),
    /// The file could not be understood. It was moved away and not overwritten; say so to people, and go on as in a
    /// first run.
    Corrupt {
        /// Where the file is now.
        kept: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl<T> Found<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Corrupt { .. } => None,
        }
    }
}

/// The folder for state files and locks: `project.state_dir`, else systemd's `STATE_DIRECTORY` (the first of several),
/// else `fh` in `XDG_STATE_HOME`, else `~/.local/state/fh` (XDG Base Directory Specification). `vars` looks up an
/// environment variable.
///
/// # Errors
/// Exit code 2 when nothing names one, as for a cron job without `HOME`.
pub fn folder(config: &Config, vars: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf> {
    if let Some(folder) = &config.project.state_dir {
        return Ok(folder.clone());
    }
    let var = |name: &str| vars(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let systemd = vars("STATE_DIRECTORY")
        .and_then(|list| list.split(':').next().map(PathBuf::from))
        .filter(|path| path.is_absolute());
    systemd
        .or_else(|| {
            var("XDG_STATE_HOME")
                .filter(|path| path.is_absolute())
                .map(|home| home.join("fh"))
        })
        .or_else(|| var("HOME").map(|home| home.join(".local/state/fh")))
        .ok_or_else(|| {
            Error::usage("no folder to keep state in: neither HOME nor project.state_dir is set")
                .hint("set project.state_dir in the configuration, or FH_STATE_DIR")
        })
}

#[derive(Serialize)]
struct Written<'a, T> {
    version: u32,
    written: Timestamp,
    data: &'a T,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

#[derive(Deserialize)]
struct Body<T> {
    data: T,
}

impl State {
    /// The state file at `path`, whose data has the shape of `version`. Raise the version when the shape changes.
    pub fn new(path: impl Into<PathBuf>, version: u32) -> Self {
        Self {
            path: path.into(),
            version,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what the last run saved. A file that cannot be understood, or has an older version, is moved aside.
    ///
    /// # Errors
    /// Exit code 3 when the file cannot be read or moved aside, and when a newer tool wrote it: that one's memory is
    /// not ours to put away.
    pub fn load<T: DeserializeOwned>(&self) -> Result<Found<T>> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => {
                return Err(
                    Error::unable(format!("cannot read the state file {}", self.path.display()))
                        .because(error)
                        .hint("check that it is a file and that this user may read it"),
                );
            }
        };
        let why = match serde_json::from_slice::<Head>(&bytes) {
            Err(error) => error.to_string(),
            Ok(head) if head.version > self.version => {
                return Err(Error::unable(format!(
                    "the state file {} has version {}, and this tool knows versions up to {}",
                    self.path.display(),
                    head.version,
                    self.version
                ))
                .hint("a newer tool wrote it: use that one here too, or move the file away"));
            }
            Ok(head) if head.version < self.version => {
                format!("it has the old version {}, not {}", head.version, self.version)
            }
            Ok(_) => match serde_json::from_slice::<Body<T>>(&bytes) {
                Ok(body) => return Ok(Found::Value(body.data)),
                Err(error) => error.to_string(),
            },
        };
        let kept = self.set_aside()?;
        Ok(Found::Corrupt { kept, why })
    }

    /// Replaces the file, creating its folder if need be. Only this user can read it.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be written; what was there stays.
    pub fn save<T: Serialize>(&self, data: &T) -> Result<()> {
        let failed = || format!("cannot write the state file {}", self.path.display());
        let written = Written {
            version: self.version,
            written: Timestamp::now(),
            data,
        };
        let mut text = serde_json::to_vec_pretty(&written).or_unable(failed)?;
        text.push(b'\n');
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| atomic::failed(&failed(), error))?;
        }
        atomic::write(&self.path, &text, Some(0o600))
    }

    /// Renames the file to `NAME.corrupt-TIME`, or the first free name after that.
    fn set_aside(&self) -> Result<PathBuf> {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let kept = (0..)
            .map(|number: u32| match number {
                0 => format!("{name}.corrupt-{stamp}"),
                _ => format!("{name}.corrupt-{stamp}-{number}"),
            })
            .map(|name| self.path.with_file_name(name))
            .find(|path| !path.exists())
            .unwrap_or_default();
        std::fs::rename(&self.path, &kept)
            .or_unable(|| {
                format!(
                    "cannot move the unreadable state file {} aside",
                    self.path.display()
                )
            })
            .hint(|| "look at it, and remove it if nothing in it is worth keeping")?;
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Memory {
        runs: u32,
    }

    fn state(folder: &tempfile::TempDir, version: u32) -> State {
        State::new(folder.path().join("sub/health.json"), version)
    }

    #[test]
    fn the_folder_is_the_nearest_that_is_named() {
        let all = [
            ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"),
            ("XDG_STATE_HOME", "/x"),
            ("HOME", "/home/u"),
        ];
        let found = |variables: &[(&str, &str)]| {
            let vars = |name: &str| {
                variables
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            folder(&Config::default(), &vars).map(|path| path.display().to_string())
        };
        assert_eq!(found(&all).unwrap(), "/var/lib/a");
        assert_eq!(found(&all[1..]).unwrap(), "/x/fh");
        assert_eq!(found(&all[2..]).unwrap(), "/home/u/.local/state/fh");
        assert_eq!(
            found(&[("STATE_DIRECTORY", ""), ("XDG_STATE_HOME", "rel"), all[2]]).unwrap(),
            "/home/u/.local/state/fh"
        );
        let error = found(&[]).unwrap_err();
        assert_eq!(error.exit(), crate::Exit::Usage);
        insta::assert_snapshot!(error.render(), @r"
        error: no folder to keep state in: neither HOME nor project.state_dir is set
        hint: set project.state_dir in the configuration, or FH_STATE_DIR
        ");
        let mut config = Config::default();
        config.project.state_dir = Some("/mine".into());
        assert_eq!(
            folder(&config, &|_| Some("/x".into())).unwrap(),
            Path::new("/mine")
        );
    }

    #[test]
    fn remembers() {
        let folder = tempfile::tempdir().unwrap();
        let state = state(&folder, 1);
        assert_eq!(state.load::<Memory>().unwrap(), Found::Nothing);
        for runs in 1..3 {
            state.save(&Memory { runs }).unwrap();
            assert_eq!(state.load().unwrap().value(), Some(Memory { runs }));
        }
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(state.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_cannot_be_understood_is_kept_and_reported() {
        let folder = tempfile::tempdir().unwrap();
        let state = state(&folder, 2);
        state.save(&Memory { runs: 1 }).unwrap();
        let good = std::fs::read_to_string(state.path()).unwrap();
        let bad = [
            good[..good.len() / 2].to_owned(),
            String::new(),
            good.replace("runs", "walks"),
            good.replace("\"version\": 2", "\"version\": 1"),
        ];
        let mut said = Vec::new();
        for text in &bad {
            std::fs::write(state.path(), text).unwrap();
            let Found::Corrupt { kept, why } = state.load::<Memory>().unwrap() else {
                panic!("{text} was understood");
            };
            assert_eq!(&std::fs::read_to_string(&kept).unwrap(), text);
            assert!(
                kept.display().to_string().contains("health.json.corrupt-2"),
                "{}",
                kept.display()
            );
            assert!(!state.path().exists());
            said.push(why);
        }
        insta::assert_snapshot!(said.join("\n"), @r"
        EOF while parsing a string at line 3 column 30
        EOF while parsing a value at line 1 column 0
        missing field `runs` at line 6 column 3
        it has the old version 1, not 2
        ");
        let files = std::fs::read_dir(state.path().parent().unwrap()).unwrap();
        assert_eq!(files.count(), bad.len(), "each is kept");
    }

    #[test]
    fn the_memory_of_a_newer_tool_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        state(&folder, 3).save(&Memory { runs: 1 }).unwrap();
        let old = state(&folder, 1);
        let error = old.load::<Memory>().unwrap_err();
        assert_eq!(error.exit(), crate::Exit::Unable);
        insta::assert_snapshot!(error.render().replace(&old.path().display().to_string(), "PATH"), @r"
        error: the state file PATH has version 3, and this tool knows versions up to 1
        hint: a newer tool wrote it: use that one here too, or move the file away
        ");
        assert!(old.path().exists());
    }

    #[test]
    fn a_file_that_cannot_be_read_or_written() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path(), 1);
        let shown = |error: Error| {
            error
                .render()
                .replace(&folder.path().display().to_string(), "PATH")
        };
        insta::assert_snapshot!(shown(state.load::<Memory>().unwrap_err()), @r"
        error: cannot read the state file PATH
        caused by: Is a directory (os error 21)
        hint: check that it is a file and that this user may read it
        ");
        insta::assert_snapshot!(shown(state.save(&Memory { runs: 1 }).unwrap_err()), @r"
        error: cannot write PATH
        caused by: Is a directory (os error 21)
        hint: a folder is in the way: give the path of a file
        ");
    }
}

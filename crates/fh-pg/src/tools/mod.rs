//! PostgreSQL's own programs: finding one that is new enough for a server.
//!
//! `pg_dump` refuses a server newer than itself, and a `pg_restore` of another major version than the server's writes
//! settings that the server may not know. So the program of the server's own major version is used when there is one,
//! else the next newer one, never an older one.

mod ask;
mod install;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use fh_core::{Error, Result};

use ask::{Answer, ask};

/// A program of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `pg_dump`
    PgDump,
    /// `pg_restore`
    PgRestore,
    /// `psql`
    Psql,
    /// `initdb`, which comes with the server
    Initdb,
}

impl Program {
    /// The file's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PgDump => "pg_dump",
            Self::PgRestore => "pg_restore",
            Self::Psql => "psql",
            Self::Initdb => "initdb",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The file.
    pub path: PathBuf,
    /// What it calls its version.
    pub version: ToolVersion,
}

/// Version of a program, such as `15.18` or `18beta1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolVersion {
    text: String,
    major: u32,
}

impl ToolVersion {
    /// The major version, such as 15.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.major
    }
}

impl fmt::Display for ToolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The folders in which to look, in order.
#[derive(Debug, Clone)]
pub struct Tools {
    folders: Vec<PathBuf>,
    /// The one folder was configured, so it is also the one to correct.
    configured: bool,
}

impl Tools {
    /// Finds the best `program` on this machine for a server of `server_major`.
    ///
    /// With `bin_dir` only that folder counts. Without, `/usr/lib/postgresql/*/bin` (Debian), `/usr/pgsql-*/bin` (Red
    /// Hat), Homebrew's folders and `PATH` do, in this order among equals. Each candidate is asked for its `--version`.
    ///
    /// # Errors
    /// Exit code 3 when there is none or all are too old, with what was found where and how to install the right one.
    pub async fn find(program: Program, server_major: u32, bin_dir: Option<&Path>) -> Result<Tool> {
        let tools = match bin_dir {
            Some(folder) => Self {
                folders: vec![folder.to_owned()],
                configured: true,
            },
            None => Self::in_folders(install::folders()),
        };
        tools.locate(program, server_major).await
    }

    /// Looks in these folders and no others.
    #[must_use]
    pub fn in_folders(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            configured: false,
        }
    }

    /// [`Tools::find`] in these folders.
    ///
    /// # Errors
    /// As [`Tools::find`].
    pub async fn locate(&self, program: Program, server_major: u32) -> Result<Tool> {
        let answers = self.ask_all(program).await;
        let mut best: Option<&Tool> = None;
        for tool in answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()) {
            if tool.version.major >= server_major
                && best.is_none_or(|best| tool.version.major < best.version.major)
            {
                best = Some(tool);
            }
        }
        match best {
            Some(tool) => {
                tracing::debug!("using {} of version {}", tool.path.display(), tool.version);
                Ok(tool.clone())
            }
            None => Err(self.missing(program, server_major, &answers)),
        }
    }

    /// Every file of that name, with its version or why it has none. A file with two names is asked once.
    async fn ask_all(&self, program: Program) -> Vec<(PathBuf, Answer)> {
        let mut seen: Vec<PathBuf> = Vec::new();
        let mut questions = Vec::new();
        for folder in &self.folders {
            let path = folder.join(program.name());
            let Ok(real) = path.canonicalize() else { continue };
            if !seen.contains(&real) {
                seen.push(real);
                questions.push((
                    path.clone(),
                    tokio::spawn(async move { ask(program, &path).await }),
                ));
            }
        }
        let mut answers = Vec::new();
        for (path, question) in questions {
            let answer = question
                .await
                .unwrap_or_else(|_| Err("the question was not finished".into()));
            answers.push((path, answer));
        }
        answers
    }

    fn missing(&self, program: Program, server_major: u32, answers: &[(PathBuf, Answer)]) -> Error {
        let too_old = answers.iter().any(|(_, answer)| answer.is_ok());
        let message = if too_old {
            format!("every {program} here is older than the server, which is PostgreSQL {server_major}")
        } else {
            format!("there is no {program} for the server, which is PostgreSQL {server_major}")
        };
        let found: Vec<String> = answers
            .iter()
            .map(|(path, answer)| match answer {
                Ok(tool) => format!("{} is version {}", path.display(), tool.version),
                Err(why) => format!("{} {why}", path.display()),
            })
            .collect();
        let looked = if found.is_empty() {
            let folders: Vec<String> = self
                .folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            format!("looked in {}", folders.join(", "))
        } else {
            found.join("; ")
        };
        let install = install::hint(program, server_major);
        Error::unable(message).because(looked).hint(if self.configured {
            format!("correct bin_dir of the [database] section (or FH_PG_BINDIR), or leave it out; {install}")
        } else {
            install
        })
    }
}

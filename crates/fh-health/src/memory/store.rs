//! The file in which the memory is kept: locked while it changes, replaced in one step.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fh_core::app::Session;
use fh_core::lock::Lock;
use fh_core::state::{self, Found, State};
use fh_core::{Exit, Result};

use super::Memory;

/// The shape of [`Memory`]. New fields with defaults need no new version.
const VERSION: u32 = 1;
/// How long another run may hold the memory: it may be telling Slack.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a held lock is tried again.
const GLANCE: Duration = Duration::from_millis(20);

/// Where the memory of one environment is kept.
#[derive(Debug)]
pub struct Store {
    state: State,
    folder: PathBuf,
    stem: String,
}

impl Store {
    /// The memory of the session's environment.
    ///
    /// # Errors
    /// Exit code 2 when nothing names a folder for it.
    pub fn of(session: &Session) -> Result<Self> {
        let folder = state::folder(session.config(), &|name| std::env::var(name).ok())?;
        let stem = match &session.loaded.environment {
            Some(environment) => format!("health-{environment}"),
            None => "health".to_owned(),
        };
        Ok(Self {
            state: State::new(folder.join(format!("{stem}.json")), VERSION),
            folder,
            stem,
        })
    }

    /// A file beside the memory, such as the log of samples.
    #[must_use]
    pub fn beside(&self, end: &str) -> PathBuf {
        self.folder.join(format!("{}{end}", self.stem))
    }

    /// What the last run left. The file is replaced in one step, so no lock is needed to read it. `notes` hears of a damaged
    /// one, which was moved aside.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be read, or a newer version of this tool wrote it.
    pub fn load(&self, notes: &mut Vec<String>) -> Result<Memory> {
        Ok(match self.state.load::<Memory>()? {
            Found::Value(memory) => memory,
            Found::Nothing => Memory::default(),
            Found::Corrupt { kept, why } => {
                notes.push(format!(
                    "the memory of earlier runs was damaged ({why}); it is now {} and a new one begins",
                    kept.display()
                ));
                Memory::default()
            }
        })
    }

    /// Changes the memory: alone, on what the last run left, and saved in one step. A run that overlaps waits.
    ///
    /// # Errors
    /// Exit code 4 when another run holds it for too long, 3 when it cannot be read or written.
    pub fn change<T>(&self, notes: &mut Vec<String>, change: impl FnOnce(&mut Memory) -> T) -> Result<T> {
        let lock = self.lock()?;
        let mut memory = self.load(notes)?;
        let value = change(&mut memory);
        self.state.save(&memory)?;
        drop(lock);
        Ok(value)
    }

    fn lock(&self) -> Result<Lock> {
        let path = self.beside(".lock");
        let end = Instant::now() + PATIENCE;
        loop {
            match Lock::acquire(&path, "fh-health check") {
                Err(error) if error.exit() == Exit::Refused && Instant::now() < end => {
                    std::thread::sleep(GLANCE);
                }
                result => return result,
            }
        }
    }
}

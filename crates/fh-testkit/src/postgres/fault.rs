//! Stopping, restarting and killing a cluster on purpose.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use super::{Postgres, client};

/// How long a server may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(30);

impl Postgres {
    /// Fast shutdown: connections are cut, data is written out. [`Postgres::restart`] brings it back.
    ///
    /// # Panics
    /// When the server cannot be signalled.
    pub fn stop(&mut self) {
        self.must("stop", |pg| pg.daemon.end(Signal::INT, PATIENCE));
    }

    /// Stops the server if it runs, and starts it on the same port.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn restart(&mut self) {
        self.must("restart", |pg| {
            pg.daemon.end(Signal::INT, PATIENCE)?;
            pg.launch()
        });
    }

    /// Kills the server's main process at once (`kill -9`); its children notice and end. [`Postgres::restart`] recovers.
    ///
    /// # Panics
    /// When the server cannot be signalled.
    pub fn kill9(&mut self) {
        let segment = self.shared_memory_segment();
        self.must("kill", |pg| pg.daemon.end(Signal::KILL, PATIENCE));
        // The little System V segment of a killed server stays until reboot unless somebody takes it away. The server
        // would only do it at its next start, which a test may not want.
        if let Some(id) = segment {
            let remover = client::clean(Command::new("ipcrm"), self.socket_dir())
                .args(["-m", &id])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            drop(remover);
        }
    }

    /// Process id of the server's main process, or `None` when it was stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.daemon.pid()
    }

    /// The seventh line of the pid file: key and id.
    fn shared_memory_segment(&self) -> Option<String> {
        let text = fs_err::read_to_string(self.data_dir().join("postmaster.pid")).ok()?;
        text.lines().nth(6)?.split_whitespace().nth(1).map(str::to_owned)
    }

    fn must(&mut self, what: &str, action: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = action(self) {
            panic!("cannot {what} PostgreSQL: {error:#}\n{}", self.daemon.log_tail());
        }
    }
}

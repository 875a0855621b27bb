//! SIGINT and SIGTERM as a flag that work can wait for, so that a stopped run leaves nothing half-written.

use std::sync::atomic::{AtomicI32, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::watch;

use crate::error::{Context, Error, Result};
use crate::exit::Exit;

/// A handle on "somebody asked us to stop". Clones share the state.
#[derive(Debug, Clone)]
pub struct Cancel {
    state: std::sync::Arc<State>,
}

#[derive(Debug)]
struct State {
    /// The first signal that came, or 0.
    signal: AtomicI32,
    sender: watch::Sender<bool>,
}

impl Cancel {
    /// A handle that nothing has triggered yet, without signal handlers. For tests and libraries.
    #[must_use]
    pub fn new() -> Self {
        let (sender, _) = watch::channel(false);
        Self {
            state: std::sync::Arc::new(State {
                signal: AtomicI32::new(0),
                sender,
            }),
        }
    }

    /// A handle triggered by SIGINT and SIGTERM of this process. The first signal asks for a clean stop; the second
    /// ends the process at once, for an operator who cannot wait.
    ///
    /// # Errors
    /// Exit code 3 when the handlers cannot be installed.
    pub fn on_signals() -> Result<Self> {
        let cancel = Self::new();
        let mut signals =
            Signals::new([SIGINT, SIGTERM]).or_unable(|| "cannot install handlers for SIGINT and SIGTERM")?;
        let handle = cancel.clone();
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for signal in signals.forever() {
                    if handle.is_cancelled() {
                        let _ = signal_hook::low_level::emulate_default_handler(signal);
                    }
                    handle.trigger(signal);
                }
            })
            .or_unable(|| "cannot start the signal thread")?;
        Ok(cancel)
    }

    /// Asks for a stop, as if `signal` had come.
    pub fn trigger(&self, signal: i32) {
        let _ = self
            .state
            .signal
            .compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        self.state.sender.send_replace(true);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state.signal.load(Ordering::SeqCst) != 0
    }

    /// Fails once a stop was asked for; call it between units of work.
    ///
    /// # Errors
    /// Exit code 130 after SIGINT, 143 after SIGTERM.
    pub fn check(&self) -> Result<()> {
        match self.state.signal.load(Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(self.error()),
        }
    }

    /// Waits until a stop is asked for, and returns the error to end with.
    pub async fn cancelled(&self) -> Error {
        let mut receiver = self.state.sender.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = receiver.wait_for(|stop| *stop).await;
        self.error()
    }

    fn error(&self) -> Error {
        if self.state.signal.load(Ordering::SeqCst) == SIGTERM {
            Error::new(Exit::Terminated, "stopped by SIGTERM")
        } else {
            Error::new(Exit::Interrupted, "stopped by SIGINT")
        }
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_decides_the_exit_code() {
        let cancel = Cancel::new();
        assert!(cancel.check().is_ok());
        cancel.trigger(SIGTERM);
        cancel.trigger(SIGINT);
        assert_eq!(cancel.check().unwrap_err().exit(), Exit::Terminated);
    }
}

//! Telling people and watchdogs how a run ended.
//!
//! ```no_run
//! # fn main() -> fh_core::Result<()> {
//! use fh_core::config::{LocalSecrets, Notify};
//! use fh_core::notify::{Message, Notifier};
//! use fh_core::{Deadline, Exit};
//!
//! let notifier = Notifier::new(&Notify::default(), &LocalSecrets, "/var/lib/fh/backup-create.json")?;
//! notifier.start(&Deadline::never());
//! // … the run …
//! let message = Message::new(Exit::Good, "fh-backup create: 412 segments");
//! for outcome in notifier.finish(&message, "the log", &Deadline::never()) {
//!     if let Err(error) = outcome.result {
//!         tracing::warn!("{}: {}", outcome.channel, error.render());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A notification that fails never changes how the run ended: the outcome is handed back, for the caller to show.

mod decide;
mod message;
mod ping;
mod post;
mod slack;

use std::path::PathBuf;

use jiff::Timestamp;

use crate::config::{Notify, NotifyOn, SecretResolver};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::exit::Exit;
use crate::secret::Secret;
use crate::state::{Found, State};

use decide::Last;
pub use message::Message;
pub use ping::{Ping, ping};
pub use slack::slack;

/// The shape of [`Last`].
const STATE_VERSION: u32 = 1;

/// Tells Slack and the ping address about runs, as the configuration says.
#[derive(Debug)]
pub struct Notifier {
    slack: Option<Secret>,
    ping: Option<Secret>,
    on: NotifyOn,
    remind_after: std::time::Duration,
    state: State,
}

/// What became of one notification.
#[derive(Debug)]
pub struct Outcome {
    /// `slack` or `ping`.
    pub channel: &'static str,
    /// What happened.
    pub result: Result<Told>,
}

/// How a notification ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The other side has it.
    Sent,
    /// The configuration says that such a run is not worth a message.
    NotNeeded,
}

impl Notifier {
    /// A notifier for one kind of run: `memory` is the file that holds what was last said, and each tool, command and
    /// environment needs its own.
    ///
    /// # Errors
    /// When a secret cannot be fetched.
    pub fn new(config: &Notify, resolver: &dyn SecretResolver, memory: impl Into<PathBuf>) -> Result<Self> {
        let fetch = |source: &Option<crate::config::SecretSource>, what| {
            source
                .as_ref()
                .map(|source| source.resolve(resolver, what))
                .transpose()
        };
        Ok(Self {
            slack: fetch(&config.slack_webhook, "the Slack webhook")?,
            ping: fetch(&config.ping_url, "the ping address")?,
            on: config.on,
            remind_after: config.remind_after.get(),
            state: State::new(memory, STATE_VERSION),
        })
    }

    /// Says that the run begins. Only the ping address hears of it.
    pub fn start(&self, deadline: &Deadline) -> Vec<Outcome> {
        self.send_ping(Ping::Start, "", deadline).into_iter().collect()
    }

    /// Says how the run ended: to the ping address always, with `log` as the body; to Slack when it is worth it. One
    /// outcome for each channel that is configured, whatever became of the other.
    ///
    /// Give a deadline of its own: one that the run has used up would leave nothing to say so with.
    pub fn finish(&self, message: &Message, log: &str, deadline: &Deadline) -> Vec<Outcome> {
        let ping = if message.exit == Exit::Good {
            Ping::Ok
        } else {
            Ping::Fail
        };
        let body = format!("{}\n\n{log}", message.text());
        let slack = self.slack.as_ref().map(|webhook| Outcome {
            channel: "slack",
            result: self.tell_slack(webhook, message, deadline),
        });
        self.send_ping(ping, body.trim_end(), deadline)
            .into_iter()
            .chain(slack)
            .collect()
    }

    fn send_ping(&self, kind: Ping, body: &str, deadline: &Deadline) -> Option<Outcome> {
        let url = self.ping.as_ref()?;
        Some(Outcome {
            channel: "ping",
            result: ping(url, kind, body, deadline).map(|()| Told::Sent),
        })
    }

    /// The memory changes only after Slack has the message, so that what could not be said is said by the next run.
    fn tell_slack(&self, webhook: &Secret, message: &Message, deadline: &Deadline) -> Result<Told> {
        let now = Timestamp::now();
        let last = self.last();
        let told = if decide::worth_telling(self.on, last, message.exit, now, self.remind_after) {
            slack(webhook, message, deadline)?;
            Told::Sent
        } else {
            Told::NotNeeded
        };
        if told == Told::Sent || last.is_none_or(|last| last.exit != message.exit.code()) {
            self.state.save(&Last {
                exit: message.exit.code(),
                told: now,
            })?;
        }
        Ok(told)
    }

    /// What was last said. A memory that is lost or cannot be read is as none: too many messages are better than none.
    fn last(&self) -> Option<Last> {
        match self.state.load() {
            Ok(Found::Corrupt { kept, why }) => {
                tracing::warn!(
                    "the memory of notifications could not be read ({why}) and is now {}",
                    kept.display()
                );
                None
            }
            Ok(found) => found.value(),
            Err(error) => {
                tracing::warn!("{}", error.render());
                None
            }
        }
    }
}

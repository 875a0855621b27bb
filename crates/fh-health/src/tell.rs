//! Slack and the ping address.

use std::time::Duration;

use fh_core::app::Session;
use fh_core::config::NotifyOn;
use fh_core::notify::{self, Message, Ping};
use fh_core::report::{FailOn, Report};
use fh_core::{Check, Deadline, Error, Exit, Result, Secret};
use jiff::Timestamp;

use crate::alert::{self, Policy};
use crate::cli::Keeping;
use crate::incident::Finding;
use crate::memory::Memory;

/// How long telling may take. It has a time of its own: a round that used up its deadline has the most to say.
const BUDGET: Duration = Duration::from_secs(10);

/// Who is told, and when.
#[derive(Debug)]
pub struct Teller {
    slack: Option<Result<Secret>>,
    ping: Option<Result<Secret>>,
    policy: Policy,
    fail_on: FailOn,
    environment: Option<String>,
}

impl Teller {
    /// Reads the configuration. A secret that cannot be read is noted when it is needed: nobody to tell is no reason not to
    /// look.
    #[must_use]
    pub fn new(session: &Session, keeping: &Keeping) -> Self {
        let config = session.config();
        let secrets = crate::engine::secrets(config);
        let secret = |source: &Option<fh_core::config::SecretSource>, what: &str| {
            let source = source.as_ref().filter(|_| !keeping.no_notify);
            source.map(|source| source.resolve(&secrets, what))
        };
        Self {
            slack: secret(&config.notify.slack_webhook, "the Slack webhook"),
            ping: secret(&config.health.ping_url, "the ping address of fh-health"),
            policy: Policy {
                on: config.notify.on,
                remind_after: config.notify.remind_after.get(),
                warnings: config.health.alert_warnings,
            },
            fail_on: session.common.fail_on,
            environment: session.loaded.environment.clone(),
        }
    }

    /// Tells what is new in one message, and gives what there is to note when that failed. What could not be told stays in the
    /// memory, for the next run.
    pub fn tell(
        &self,
        memory: &mut Memory,
        checks: &[Check],
        incidents: &[Finding],
        now: Timestamp,
    ) -> Option<String> {
        alert::note(memory, checks, self.policy, now);
        let events = alert::events(memory, checks, self.policy, now);
        if self.slack.is_none() || self.policy.on == NotifyOn::Failure {
            alert::forget_resolved(memory);
        }
        let slack = self.slack.as_ref()?;
        if events.is_empty() && self.policy.on != NotifyOn::Always {
            return None;
        }
        let message: Message = alert::message(&events, checks, incidents, self.environment.as_deref(), now);
        let delivered = slack.as_ref().map_err(Error::render).and_then(|slack| {
            notify::slack(slack, &message, &Deadline::after(BUDGET)).map_err(|error| error.render())
        });
        match delivered {
            Ok(()) => {
                alert::told(memory, &events, now);
                None
            }
            Err(why) => Some(format!(
                "people could not be told, the next run tries again: {why}"
            )),
        }
    }

    /// Says to the ping address how the round ended, and gives what there is to note when that failed.
    pub fn ping(&self, report: &Report) -> Option<String> {
        let url = self.ping.as_ref()?;
        let kind = if report.exit(self.fail_on) == Exit::Good {
            Ping::Ok
        } else {
            Ping::Fail
        };
        let body = report.headline();
        let told = url.as_ref().map_err(Error::render).and_then(|url| {
            notify::ping(url, kind, &body, &Deadline::after(BUDGET)).map_err(|error| error.render())
        });
        Some(format!("the ping address could not be told: {}", told.err()?))
    }
}

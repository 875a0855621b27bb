//! A command, judged by its exit code.

mod child;

use std::sync::Arc;

use fh_core::config::HealthCommand;
use fh_core::render::duration;
use fh_core::report::{Measure, Status, Unit};
use fh_core::{Check, Result};

use super::{Context, Needs, Planned, Probe, Setup};
use crate::limits::{Limits, Worse};
use child::{Ended, Output};

/// The probes of `[[health.command]]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthCommand| -> Result<Arc<dyn Probe>> {
        let id = setup.id("command", &entry.name)?;
        if entry.command.first().is_none_or(String::is_empty) {
            return Err(setup
                .wrong("command", &entry.name, "the command is empty")
                .hint("such as command = [\"/usr/local/bin/check-queue\", \"--max\", \"100\"]"));
        }
        Ok(Arc::new(Command {
            id,
            entry: entry.clone(),
        }))
    };
    setup.config().health.command.iter().map(make).collect()
}

struct Command {
    id: String,
    entry: HealthCommand,
}

impl Probe for Command {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let about = match self.entry.nagios {
            true => format!("the Nagios plugin {}", self.program()),
            false => format!("{} ends with exit code 0", self.program()),
        };
        vec![Planned::new(&self.id, about).limits(Limits::open(Unit::Seconds, Worse::Above))]
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let found = self.look(context);
        vec![found.unwrap_or_else(|error| Check::from_error(&self.id, &error))]
    }

    fn needs(&self, _: &str) -> Needs {
        Needs::default().other(format!("this user must be able to run {}", self.program()))
    }
}

impl Command {
    /// Without arguments, which may hold what others should not read.
    fn program(&self) -> &str {
        self.entry.command.first().map_or("", String::as_str)
    }

    fn look(&self, context: &Context) -> Result<Check> {
        let limit = context.timeout(self.entry.timeout, &format!("running {}", self.program()))?;
        let output = child::run(&self.entry.command, limit, &context.cancel)?;
        let took = Measure::duration("took", output.took);
        let (status, summary) = self.verdict(&output, limit);
        let mut check = match status {
            // A command that is good can still be slow.
            Status::Pass => context.judge(&self.id, took, summary),
            status => Check::new(&self.id, status, summary).measure(took),
        };
        check.evidence.extend(output.lines());
        Ok(check)
    }

    fn verdict(&self, output: &Output, limit: std::time::Duration) -> (Status, String) {
        let program = self.program();
        let code = match output.ended {
            Ended::Code(code) => code,
            Ended::Signal(signal) => {
                return (Status::Fail, format!("{program} was ended by signal {signal}"));
            }
            Ended::TooLate => {
                let summary = format!("{program} did not end within {} and was killed", duration(limit));
                return (Status::Unknown, summary);
            }
            Ended::Stopped => return (Status::Unknown, format!("{program} was stopped with this run")),
        };
        if self.entry.nagios {
            // The first line up to the performance data is what a plugin has to say.
            let line = output.first_line();
            let line = line.split('|').next().unwrap_or_default().trim().to_owned();
            let said = if line.is_empty() {
                format!("exit code {code}")
            } else {
                line
            };
            return match code {
                0 => (Status::Pass, said),
                1 => (Status::Warn, said),
                2 => (Status::Fail, said),
                _ => (Status::Unknown, said),
            };
        }
        match code {
            0 => (Status::Pass, format!("{program} ended with exit code 0")),
            code => (Status::Fail, format!("{program} ended with exit code {code}")),
        }
    }
}

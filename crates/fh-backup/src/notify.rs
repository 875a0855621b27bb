//! Telling people and watchdogs how a run ended, whatever way it ended.

use std::time::Duration;

use fh_core::app::Session;
use fh_core::config::Notify;
use fh_core::notify::{Message, Notifier, Outcome};
use fh_core::report::{Check, Report};
use fh_core::{Deadline, Exit, Result};
use jiff::Timestamp;

use crate::command::TOOL;
use crate::context;

/// How long telling may take: a chat service that hangs must not hold up a night's jobs.
const PATIENCE: Duration = Duration::from_secs(30);
/// After a signal somebody is waiting for the end.
const IMPATIENCE: Duration = Duration::from_secs(5);

/// Runs `work`, and tells that it begins and how it ended. What could not be told is a warning in the report, and changes
/// nothing else.
///
/// # Errors
/// Those of `work`.
pub fn around(
    session: &Session,
    command: &'static str,
    work: impl FnOnce() -> Result<Report>,
) -> Result<Report> {
    let mut problems = Vec::new();
    let notifier = match notifier(session, command) {
        Ok(None) => return work(),
        Ok(Some(notifier)) => {
            note(notifier.start(&Deadline::after(PATIENCE)), &mut problems);
            Some(notifier)
        }
        Err(error) => {
            problems.push(Check::warn("notify", error.message()).hint("correct the [notify] section"));
            None
        }
    };
    let result = work();
    if let Some(notifier) = notifier {
        let message = message(session, command, &result);
        let patience = match message.exit {
            Exit::Interrupted | Exit::Terminated => IMPATIENCE,
            _ => PATIENCE,
        };
        note(
            notifier.finish(&message, "", &Deadline::after(patience)),
            &mut problems,
        );
    }
    match result {
        Ok(mut report) => {
            report.checks.extend(problems);
            Ok(report)
        }
        Err(error) => {
            for problem in problems {
                tracing::warn!("{}: {}", problem.id, problem.summary);
            }
            Err(error)
        }
    }
}

/// `None` when nobody is to be told.
fn notifier(session: &Session, command: &str) -> Result<Option<Notifier>> {
    let config = session.config();
    let ping = &config.backup.ping;
    let notify = Notify {
        ping_url: match command {
            "create" => config.notify.ping_url.clone(),
            "prune" => ping.prune.clone(),
            "drill" => ping.drill.clone(),
            "status" => ping.status.clone(),
            _ => None,
        },
        ..config.notify.clone()
    };
    if notify.slack_webhook.is_none() && notify.ping_url.is_none() {
        return Ok(None);
    }
    let folder = fh_core::state::folder(config, &|name| std::env::var(name).ok())?;
    let place = session
        .loaded
        .environment
        .as_deref()
        .unwrap_or(&config.project.name);
    let place: String = place
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() || "-_".contains(char) {
                char
            } else {
                '_'
            }
        })
        .collect();
    let memory = folder.join(format!("{TOOL}-{command}-{place}.json"));
    Notifier::new(&notify, &context::secrets(session), memory).map(Some)
}

fn message(session: &Session, command: &str, result: &Result<Report>) -> Message {
    let mut report = match result {
        Ok(report) => report.clone(),
        Err(error) => Report::failed(TOOL, command, error),
    };
    report.started = session.started;
    report.finished = Timestamp::now().max(session.started);
    if let Some(environment) = &session.loaded.environment {
        report
            .subject
            .insert(0, ("environment".into(), environment.clone()));
    }
    let exit = report.exit(session.common.fail_on);
    Message::of(&report, exit)
}

fn note(outcomes: Vec<Outcome>, problems: &mut Vec<Check>) {
    for Outcome { channel, result } in outcomes {
        let id = format!("notify.{channel}");
        let Err(error) = result else { continue };
        if problems.iter().any(|problem: &Check| problem.id == id) {
            continue;
        }
        let mut check = Check::warn(id, error.message());
        check.evidence = error.causes();
        check.hint = error.advice();
        problems.push(check);
    }
}

//! One round: all probes at once, under one deadline.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use fh_core::report::Status;
use fh_core::{Check, Deadline, Error, Result};

use crate::probe::{Context, Probe};
use crate::rules::Rules;
use crate::selection::Selection;

/// Time kept back at the end of a round, in which a probe whose own time is up can still say so.
const GRACE: Duration = Duration::from_millis(250);

/// How long a stopped round waits for the next probe that ends what it began.
const FAREWELL: Duration = Duration::from_millis(100);

/// How often a waiting round looks whether somebody asked for a stop.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs the probes that are wanted, each in a thread of its own, and gives every check that is wanted in the order of the
/// probes. A probe that does not end in time is left behind and its checks are unknown; so are those of one that breaks.
///
/// # Errors
/// Exit code 130 or 143 when the run is asked to stop; 3 when no thread can be had.
pub fn run(
    probes: &[Arc<dyn Probe>],
    selection: &Selection,
    limit: Duration,
    context: &Context,
) -> Result<Vec<Check>> {
    let began = Instant::now();
    let grace = GRACE.min(limit / 10);
    let context = Context {
        deadline: Deadline::after(limit.saturating_sub(grace)),
        ..context.clone()
    };
    let wanted: Vec<&Arc<dyn Probe>> = probes
        .iter()
        .filter(|probe| is_wanted(probe.as_ref(), selection, &context.rules))
        .collect();
    let (sender, receiver) = mpsc::channel();
    for (index, probe) in wanted.iter().enumerate() {
        let (probe, context, sender) = (Arc::clone(probe), context.clone(), sender.clone());
        std::thread::Builder::new()
            .name(probe.id().to_owned())
            .spawn(move || {
                let began = Instant::now();
                let checks = std::panic::catch_unwind(AssertUnwindSafe(|| probe.run(&context)));
                // Nobody listens any more when the time was up.
                let _ = sender.send((index, checks.ok(), began.elapsed()));
            })
            .map_err(|error| Error::unable("cannot start a thread for a check").because(error))?;
    }
    drop(sender);
    let mut answers: Vec<Option<Vec<Check>>> = wanted.iter().map(|_| None).collect();
    loop {
        if let Err(stopped) = context.cancel.check() {
            // Children are being killed; each probe that ends says so.
            while receiver.recv_timeout(FAREWELL).is_ok() {}
            return Err(stopped);
        }
        let left = limit.saturating_sub(began.elapsed());
        if left.is_zero() {
            break;
        }
        match receiver.recv_timeout(left.min(GLANCE)) {
            Ok((index, checks, took)) => {
                answers[index] = Some(answered(wanted[index].id(), checks, took));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    let answers = wanted.iter().zip(answers).flat_map(|(probe, answer)| {
        let id = probe.id();
        let answer = answer.unwrap_or_else(|| vec![unfinished(id, limit)]);
        // What a whole probe could not say is said, whichever of its checks was wanted.
        answer.into_iter().filter(move |check| {
            selection.takes(&check.id) || check.id == id && check.status == Status::Unknown
        })
    });
    Ok(answers
        .filter(|check| context.rules.of(&check.id).enabled)
        .map(|check| ruled(check, &context.rules))
        .collect())
}

/// Whether any of its checks is wanted and enabled.
fn is_wanted(probe: &dyn Probe, selection: &Selection, rules: &Rules) -> bool {
    let checks = probe.checks();
    checks
        .iter()
        .any(|check| selection.takes(&check.id) && rules.of(&check.id).enabled)
}

fn answered(id: &str, checks: Option<Vec<Check>>, took: Duration) -> Vec<Check> {
    let Some(mut checks) = checks else {
        return vec![
            Check::unknown(id, "the check broke off at a mistake in this program")
                .hint("please report it, with what stands on stderr"),
        ];
    };
    if checks.is_empty() {
        checks.push(Check::unknown(id, "the check came to no answer"));
    }
    if let Some(first) = checks.first_mut()
        && first.duration.is_none()
    {
        first.duration = Some(took);
    }
    checks
}

fn unfinished(id: &str, limit: Duration) -> Check {
    let limit_text = fh_core::render::duration(limit);
    Check::unknown(id, format!("did not finish within {limit_text}"))
        .hint("give more time with --deadline or health.deadline, or find out why it is slow")
        .took(limit)
}

/// The check with what the configuration says about its id.
fn ruled(mut check: Check, rules: &Rules) -> Check {
    let rule = rules.of(&check.id);
    for id in rule.depends_on {
        if id != check.id && !check.depends_on.contains(&id) {
            check.depends_on.push(id);
        }
    }
    if let Some(hint) = rule.hint
        && check.status != Status::Pass
    {
        check.hint = Some(hint);
    }
    check
}

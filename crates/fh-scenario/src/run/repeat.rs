//! When to try again, and how long to wait before.

use std::time::{Duration, Instant};

use fh_core::{Cancel, Deadline};
use fh_http::{Failure, Kind, Request, Response};

use crate::step::{Backoff, Cause, Retry};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How often a pause looks whether somebody asked for a stop.
const LOOK: Duration = Duration::from_millis(20);

/// What of an attempt could be a cause for another one.
pub(super) fn cause(answered: &Result<(Request, Response), Failure>) -> Option<Cause> {
    match answered {
        Ok((_, response)) if response.status >= 400 => Some(Cause::Status(response.status)),
        Ok(_) => None,
        Err(failure) => match failure.kind() {
            Kind::Dns | Kind::Connect => Some(Cause::Connect),
            Kind::Timeout => Some(Cause::Timeout),
            Kind::Closed => Some(Cause::Closed),
            _ => None,
        },
    }
}

/// What an attempt came to, in a few words.
pub(super) fn said(answered: &Result<(Request, Response), Failure>) -> String {
    match answered {
        Ok((_, response)) => format!("status {}", response.status),
        Err(failure) => failure.text().to_owned(),
    }
}

/// Whether there is to be another attempt after attempt `number`.
pub(super) fn wanted(retry: &Retry, cause: Option<Cause>, method: &str, number: usize) -> bool {
    // RFC 9110 §9.2.1.
    let is_safe = matches!(method, "GET" | "HEAD" | "OPTIONS");
    let attempts = usize::try_from(retry.max).unwrap_or(usize::MAX);
    number <= attempts
        && (is_safe || retry.any_method)
        && cause.is_some_and(|cause| retry.on.contains(&cause))
}

/// Waits before the attempt after `number`. False when the time does not suffice, or somebody asks for a stop.
pub(super) fn pause(retry: &Retry, number: usize, deadline: Deadline, cancel: &Cancel) -> bool {
    let pause = length(retry, number);
    if deadline.remaining().is_some_and(|left| left <= pause) {
        return false;
    }
    let end = Instant::now() + pause;
    loop {
        if cancel.is_cancelled() {
            return false;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
}

fn length(retry: &Retry, number: usize) -> Duration {
    let base = retry.delay.get();
    match retry.backoff {
        Backoff::Fixed => base.min(LONGEST_PAUSE),
        Backoff::Exponential => {
            let doublings = u32::try_from(number - 1).unwrap_or(u32::MAX).min(16);
            let pause = base.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
            pause + pause.mul_f64(f64::from(chance()) / 512.0)
        }
    }
}

/// A number from 0 to 255, so that clients which failed together do not come back together.
fn chance() -> u8 {
    let mut byte = [0];
    // Without chance the pause is merely regular.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(max: u32) -> Retry {
        Retry {
            max,
            ..Retry::default()
        }
    }

    #[test]
    fn only_listed_causes_and_safe_methods_are_repeated() {
        assert!(wanted(&retry(1), Some(Cause::Status(503)), "GET", 1));
        assert!(
            !wanted(&retry(1), Some(Cause::Status(503)), "GET", 2),
            "once is once"
        );
        assert!(
            !wanted(&retry(1), Some(Cause::Status(500)), "GET", 1),
            "not listed"
        );
        assert!(
            !wanted(&retry(1), None, "GET", 1),
            "a missed expectation is no cause"
        );
        assert!(!wanted(&retry(1), Some(Cause::Connect), "POST", 1));
        let any = Retry {
            any_method: true,
            ..retry(1)
        };
        assert!(wanted(&any, Some(Cause::Connect), "POST", 1));
    }

    #[test]
    fn pauses_grow_to_a_limit_and_never_pass_the_deadline() {
        for number in 1..40 {
            let pause = length(&retry(40), number);
            assert!(pause <= LONGEST_PAUSE.mul_f64(1.5), "{number}: {pause:?}");
            assert!(pause >= Duration::from_millis(250));
        }
        assert!(length(&retry(9), 4) >= Duration::from_secs(2));
        let long = Retry {
            delay: fh_core::duration::Period::from_secs(3600),
            ..retry(1)
        };
        let soon = Deadline::after(Duration::from_secs(5));
        assert!(!pause(&long, 1, soon, &Cancel::new()));
    }
}

//! What became of a step.

use std::time::Duration;

use fh_http::{Failure, Request, Response};

use crate::judge::Miss;
use crate::step::Step;

/// What became of a step.
#[derive(Debug, Clone)]
pub struct StepOutcome {
    /// The step's name.
    pub title: String,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
    /// How long all of it took, pauses included.
    pub took: Duration,
    /// How it ended.
    pub result: StepResult,
}

/// One attempt.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The status, or why there was no answer.
    pub said: String,
    /// How long it took.
    pub took: Duration,
}

/// How a step ended.
#[derive(Debug, Clone)]
pub enum StepResult {
    /// An earlier step was not as it should be.
    NotRun(String),
    /// The deadline passed, or somebody asked for a stop.
    Stopped(String),
    /// The request could not be made.
    Unusable(String),
    /// No answer came.
    NoAnswer(Box<Exchange>, Failure),
    /// An answer came, and was judged.
    Answered(Box<Exchange>, Vec<Assertion>),
}

/// One thing that had to be true.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// What was looked at: `status`, `header content-type`, `json $.id`, `capture token`.
    pub what: String,
    /// What was found, when it is as it should be.
    pub outcome: Result<String, Miss>,
}

/// A request with the answer to it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was asked.
    pub request: Request,
    /// What came back.
    pub response: Option<Response>,
}

impl Exchange {
    pub(super) fn answered(request: Request, response: Response) -> Self {
        Self {
            request,
            response: Some(response),
        }
    }

    pub(super) fn without_answer(request: Request) -> Self {
        Self {
            request,
            response: None,
        }
    }
}

impl StepOutcome {
    pub(super) fn not_run(step: &Step, why: String) -> Self {
        Self {
            title: step.title(),
            attempts: Vec::new(),
            took: Duration::ZERO,
            result: StepResult::NotRun(why),
        }
    }

    /// Whether an answer came and everything about it is as it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        match &self.result {
            StepResult::Answered(_, assertions) => {
                assertions.iter().all(|assertion| assertion.outcome.is_ok())
            }
            _ => false,
        }
    }

    /// Whether it is good, but was not at the first attempt.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.is_good() && self.attempts.len() > 1
    }

    /// Whether the server answered at all, in whatever way.
    #[must_use]
    pub fn reached(&self) -> bool {
        use fh_http::Kind::{Closed, Protocol, Tls, TooLarge};
        match &self.result {
            StepResult::Answered(..) => true,
            StepResult::NoAnswer(_, failure) => {
                matches!(failure.kind(), Closed | Protocol | Tls | TooLarge)
            }
            _ => false,
        }
    }

    /// The exchange, when one took place.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        match &self.result {
            StepResult::NoAnswer(exchange, _) | StepResult::Answered(exchange, _) => Some(exchange),
            _ => None,
        }
    }
}

//! Running steps, one after the other, with what they share: variables and cookies.

mod answer;
mod cookies;
mod diff;
mod outcome;
mod prepare;
mod repeat;

use std::net::SocketAddr;
use std::time::Instant;

use fh_core::{Cancel, Deadline};
use fh_http::{Failure, Kind, Request, Response, TlsOptions, redirected};
use url::Url;

pub use cookies::{Cookie, Cookies};
pub use diff::difference;
pub use outcome::{Assertion, Attempt, Exchange, StepOutcome, StepResult};
pub use prepare::locate;

use crate::scope::Scope;
use crate::step::Step;
use crate::suite::Settings;

/// What carries requests: the network, or something that plays it.
pub trait Transport: Sync {
    /// One exchange, without redirects.
    ///
    /// # Errors
    /// Why there was no answer.
    fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Response, Failure>;
}

/// The network.
#[derive(Debug)]
pub struct Network<'c> {
    /// Ends exchanges when somebody asks for a stop.
    pub cancel: &'c Cancel,
}

impl Transport for Network<'_> {
    fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Response, Failure> {
        fh_http::exchange(request, deadline, self.cancel)
    }
}

/// Where and how steps are run.
#[derive(Clone)]
pub struct Runner<'r> {
    /// What carries the requests.
    pub transport: &'r dyn Transport,
    /// The suite's limits.
    pub settings: &'r Settings,
    /// What paths are relative to.
    pub base: Url,
    /// Where to connect for the base's host, when not where its name leads.
    pub connect_to: Option<SocketAddr>,
    /// How TLS is spoken.
    pub tls: TlsOptions,
    /// When the whole run must be over.
    pub deadline: Deadline,
    /// Whether somebody asked for a stop.
    pub cancel: &'r Cancel,
}

/// What the steps of one scenario share.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// Variables and captures.
    pub scope: Scope,
    /// Cookies.
    pub cookies: Cookies,
}

impl Runner<'_> {
    /// Runs steps in order. After one that is not as it should be, the others are not run: they stand on it.
    pub fn steps(&self, steps: &[Step], shared: &mut Shared) -> Vec<StepOutcome> {
        let mut outcomes: Vec<StepOutcome> = Vec::with_capacity(steps.len());
        let mut blocked: Option<String> = None;
        for step in steps {
            let outcome = match &blocked {
                Some(by) => {
                    StepOutcome::not_run(step, format!("not run, because {by} was not as it should be"))
                }
                None => self.step(step, shared),
            };
            if blocked.is_none() && !outcome.is_good() {
                blocked = Some(format!("the step `{}`", step.title()));
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    fn step(&self, step: &Step, shared: &mut Shared) -> StepOutcome {
        let retry = step.retry.as_ref().unwrap_or(&self.settings.retry);
        let began = Instant::now();
        let mut attempts = Vec::new();
        let result = loop {
            if let Some(why) = self.stopped("it could be asked") {
                break StepResult::Stopped(why);
            }
            let request = match prepare::request(self, step, shared) {
                Ok(request) => request,
                Err(why) => break StepResult::Unusable(why),
            };
            let asked = Instant::now();
            let answered = self.ask(&request, step.redirects, shared);
            let cause = repeat::cause(&answered);
            attempts.push(Attempt {
                said: repeat::said(&answered),
                took: asked.elapsed(),
            });
            let number = attempts.len();
            if repeat::wanted(retry, cause, &request.method, number)
                && repeat::pause(retry, number, self.deadline, self.cancel)
            {
                continue;
            }
            break match answered {
                Err(failure) if failure.kind() == Kind::Cancelled => {
                    StepResult::Stopped(failure.text().to_owned())
                }
                Err(failure) if failure.kind() == Kind::Timeout && self.is_over() => {
                    StepResult::Stopped(format!("the deadline of the run passed: {}", failure.text()))
                }
                Err(failure) => StepResult::NoAnswer(Box::new(Exchange::without_answer(request)), failure),
                Ok((request, response)) => {
                    let assertions = answer::judge(step, &request, &response, shared);
                    StepResult::Answered(Box::new(Exchange::answered(request, response)), assertions)
                }
            };
        };
        StepOutcome {
            title: step.title(),
            attempts,
            took: began.elapsed(),
            result,
        }
    }

    /// One attempt, with its redirects. Gives the last request with its answer.
    fn ask(
        &self,
        request: &Request,
        redirects: usize,
        shared: &mut Shared,
    ) -> Result<(Request, Response), Failure> {
        let mut request = request.clone();
        let mut left = redirects;
        loop {
            let response = self.transport.exchange(&request, self.deadline)?;
            shared.cookies.take(&request.url, &response);
            if left == 0 {
                return Ok((request, response));
            }
            // A redirect that leads nowhere is an answer too, which the expectations judge.
            let Some(Ok(mut next)) = redirected(&request, &response) else {
                return Ok((request, response));
            };
            left -= 1;
            next.headers
                .retain(|(name, _)| !name.eq_ignore_ascii_case("cookie"));
            if let Some(cookies) = shared.cookies.header(&next.url) {
                next.headers.push(("cookie".into(), cookies));
            }
            request = next;
        }
    }

    fn is_over(&self) -> bool {
        self.deadline.remaining().is_some_and(|left| left.is_zero())
    }

    /// Why nothing more may be begun.
    fn stopped(&self, before: &str) -> Option<String> {
        if let Err(error) = self.cancel.check() {
            return Some(error.message());
        }
        self.is_over()
            .then(|| format!("the deadline of the run passed before {before}"))
    }
}

//! A web address: every address of its host, phases, status, headers, body, and the certificate on the way.

mod answer;
mod expect;
mod phases;

use std::sync::Arc;

use fh_core::config::{Addresses, HealthHttp};
use fh_core::report::{Measure, Unit};
use fh_core::{Check, Deadline, Result};
use fh_http::{Request, TlsOptions};

use super::certificate;
use super::each::each;
use super::{Context, Needs, Planned, Probe, Setup};
use crate::limits::{Limits, Worse};
use answer::Answer;
use expect::Expect;
use phases::PHASES;

/// The probes of `[[health.http]]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthHttp| -> Result<Arc<dyn Probe>> {
        let id = setup.id("http", &entry.name)?;
        let wrong = |why: String| setup.wrong("http", &entry.name, why);
        let mut request = Request::new(entry.method.clone(), &entry.url).map_err(|error| {
            wrong(error.to_string()).hint("such as url = \"https://app.example.com/api/health/\"")
        })?;
        if let Some(limit) = entry.max_size {
            request.max_body = usize::try_from(limit.bytes()).unwrap_or(usize::MAX);
        }
        request.tls = TlsOptions {
            extra_roots: certificate::authorities(entry.ca_file.as_deref())?,
            ..TlsOptions::default()
        };
        let expect = Expect::new(entry).map_err(|why| {
            wrong(why).hint("`status` takes 200, 2xx or 200-299; `json` takes conditions such as $.database == \"connected\"")
        })?;
        Ok(Arc::new(Web {
            id,
            entry: entry.clone(),
            request,
            expect,
        }))
    };
    setup.config().health.http.iter().map(make).collect()
}

struct Web {
    id: String,
    entry: HealthHttp,
    request: Request,
    expect: Expect,
}

impl Probe for Web {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let below = |name: &str| format!("{}.{name}", self.id);
        let which = match self.entry.addresses {
            Addresses::All => "every address answers",
            Addresses::First => "it answers",
        };
        let about = format!(
            "{} {}: {which} {}",
            self.entry.method, self.entry.url, self.expect
        );
        let mut planned = vec![Planned::new(&self.id, about)];
        for phase in &PHASES {
            let limits = match phase.name {
                "total" => Limits::above(Unit::Seconds, 2.0, 8.0),
                _ => Limits::open(Unit::Seconds, Worse::Above),
            };
            planned.push(Planned::new(below(phase.name), phase.about).limits(limits));
        }
        if self.request.is_https() {
            planned.push(certificate::planned(below("certificate")));
        }
        planned
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        self.look(context)
            .unwrap_or_else(|error| vec![Check::from_error(&self.id, &error)])
    }

    fn needs(&self, _: &str) -> Needs {
        let (host, port) = self.request.host_and_port();
        Needs::default().other(format!("the network must let this host connect to {host}:{port}"))
    }
}

impl Web {
    fn look(&self, context: &Context) -> Result<Vec<Check>> {
        let limit = context.timeout(self.entry.timeout, &format!("asking {}", self.entry.url))?;
        let until = Deadline::after(limit);
        let (host, port) = self.request.host_and_port();
        let mut request = self.request.clone();
        for (name, source) in &self.entry.headers {
            let value = context.secret(source, &format!("the header {name} of {}", self.id))?;
            request = request.header(name, value.expose());
        }
        let began = std::time::Instant::now();
        let places = match context.places(&host, port, until) {
            Ok(places) => places,
            Err(failure) => return Ok(vec![answer::unresolved(&self.id, &failure)]),
        };
        let dns = host.parse::<std::net::IpAddr>().is_err().then(|| began.elapsed());
        let asked = match self.entry.addresses {
            Addresses::All => places.near.iter().copied().map(Some).collect(),
            Addresses::First => vec![None],
        };
        let answers = each(&asked, |address| self.ask(&request, *address, until, context));
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        if answers.len() < asked.len() {
            return Ok(vec![
                Check::unknown(&self.id, "the check broke off at a mistake in this program")
                    .hint("please report it, with what stands on stderr"),
            ]);
        }
        let mut check = self.judge(&answers, dns);
        if self.entry.addresses == Addresses::All {
            check.evidence.extend(places.unasked());
        }
        let mut checks = vec![check];
        checks.extend(phases::checks(&self.id, &answers, dns, context));
        if self.request.is_https() {
            let facts: Vec<_> = answers.iter().filter_map(Answer::certificate).collect();
            let id = format!("{}.certificate", self.id);
            checks.push(certificate::expiry(&id, &facts, context).depends_on_if(facts.is_empty(), &self.id));
        }
        Ok(checks)
    }

    fn ask(
        &self,
        request: &Request,
        address: Option<std::net::SocketAddr>,
        until: Deadline,
        context: &Context,
    ) -> Answer {
        let mut request = request.clone();
        request.connect_to = address;
        request.timeout = until.remaining().unwrap_or(request.timeout);
        let redirects = usize::try_from(self.entry.redirects).unwrap_or(usize::MAX);
        let result = if redirects == 0 {
            fh_http::exchange(&request, until, &context.cancel)
        } else {
            // The first answer's phases are those of the address; the last one is what is judged.
            fh_http::follow(&request, redirects, until, &context.cancel).and_then(|hops| {
                let total = hops.hops.iter().map(|(_, hop)| hop.phases.total).sum();
                hops.hops
                    .into_iter()
                    .next_back()
                    .map(|(_, mut last)| {
                        last.phases.total = total;
                        last
                    })
                    .map_or_else(|| fh_http::exchange(&request, until, &context.cancel), Ok)
            })
        };
        Answer::new(address, result, &self.expect)
    }

    fn judge(&self, answers: &[Answer], dns: Option<std::time::Duration>) -> Check {
        let bad: Vec<&Answer> = answers
            .iter()
            .filter(|answer| answer.problem().is_some())
            .collect();
        let many = answers.len() > 1;
        let mut check = match bad.first() {
            None => {
                let status = answers.first().and_then(Answer::status).unwrap_or_default();
                Check::pass(
                    &self.id,
                    if many {
                        format!("all {} addresses answer {status}", answers.len())
                    } else {
                        format!("answers {status}")
                    },
                )
            }
            Some(first) => {
                let problem = first.problem().unwrap_or_default();
                let summary = if many {
                    format!("{} of {} addresses: {problem}", bad.len(), answers.len())
                } else {
                    problem.to_owned()
                };
                let mut check = Check::new(&self.id, first.verdict(), summary);
                check.hint = first.advice();
                check
            }
        };
        for answer in bad
            .iter()
            .copied()
            .chain(answers.iter().filter(|answer| answer.problem().is_none()))
        {
            check.evidence.extend(answer.evidence());
        }
        if many {
            check = check
                .measure(Measure::count("addresses", answers.len() as u64))
                .measure(Measure::count("addresses_bad", bad.len() as u64));
        }
        for (phase, value) in phases::slowest(answers, dns) {
            check = check.measure(Measure::duration(phase.name, value));
        }
        let size = answers.iter().filter_map(Answer::size).max();
        match size {
            Some(size) => check.measure(Measure::bytes("body", size)),
            None => check,
        }
    }
}

/// Adds a dependency when there is a reason for it.
trait DependsOnIf {
    fn depends_on_if(self, condition: bool, id: &str) -> Self;
}

impl DependsOnIf for Check {
    fn depends_on_if(self, condition: bool, id: &str) -> Self {
        if condition { self.depends_on(id) } else { self }
    }
}

#[cfg(test)]
mod tests;

//! `fh-smoke run`: the version first, then what must be done once, then everything else side by side.

use std::net::SocketAddr;

use fh_core::app::Session;
use fh_core::render::Format;
use fh_core::report::{Check, Failure, Report, Status};
use fh_core::{Deadline, Error, Result};
use fh_scenario::run::{Network, Runner, Shared, StepOutcome};
use fh_scenario::{DEFAULT_ROUTE, Scenario, Suite};
use serde_json::json;

use super::TOOL;
use crate::cli::Run;
use crate::engine::{self, Job};
use crate::findings::{Circumstances, Detail, Row, slug};
use crate::record;
use crate::session::{Prepared, chosen};
use crate::{assets, certificate, gate, security};

/// What one piece of the run came to.
enum Piece {
    Steps(Row),
    /// Checks, and whether the target answered.
    Checks(Vec<Check>, bool),
}

pub(crate) fn run(session: &Session, options: &Run) -> Result<Report> {
    let prepared = Prepared::new(session, options)?;
    let scenarios = chosen(&prepared.loaded, &options.choice)?;
    let network = Network {
        cancel: &session.cancel,
    };
    let runner = prepared.runner(&network);
    let suite = &prepared.loaded.suite;
    let mut report = Report::verdict_run(TOOL, "run", format!("Smoke test of {}", suite.suite.name))
        .about("environment", &prepared.environment)
        .about("base", prepared.base.as_str());
    let mut pieces: Vec<Piece> = Vec::new();
    let mut shared = Shared {
        scope: prepared.scope.clone(),
        ..Shared::default()
    };

    let mut blocked = None;
    if let Some(gate) = suite.version.as_ref().filter(|_| !options.no_version) {
        let (check, reached) = gate::wait(&runner, gate, &shared.scope);
        if check.status != Status::Pass {
            blocked = Some("not run, because the version is not what it should be");
        }
        pieces.push(Piece::Checks(vec![check], reached));
    }
    if blocked.is_none() {
        let setup = Row {
            id: "setup".into(),
            steps: runner.steps(&suite.setup, &mut shared),
        };
        if !setup.steps.iter().all(StepOutcome::is_good) {
            blocked = Some("not run, because the setup was not as it should be");
        }
        pieces.push(Piece::Steps(setup));
    }
    let mut jobs = jobs(&prepared, options, &scenarios, &runner, &shared, blocked)?;
    if options.choice.scenario.is_empty() && options.choice.tag.is_empty() && options.route.is_none() {
        jobs.extend(pages(suite, &runner, &shared, blocked));
    }
    pieces.extend(engine::all(&jobs, suite.suite.concurrency));
    drop(jobs);
    session.cancel.check()?;

    let reached = pieces.iter().any(|piece| match piece {
        Piece::Steps(row) => row.steps.iter().any(StepOutcome::reached),
        Piece::Checks(_, reached) => *reached,
    });
    let circumstances = Circumstances {
        detail: detail(session.common.format),
        reached,
        fail_flaky: options.fail_flaky,
    };
    let mut rows = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Steps(row) => {
                report.checks.extend(row.checks(circumstances));
                rows.push(row);
            }
            Piece::Checks(checks, _) => report.checks.extend(checks),
        }
    }
    report.data = data(&prepared, &rows);
    if let Some(folder) = &options.record {
        match record::write(folder, &rows) {
            Ok(count) => report
                .subject
                .push(("recorded".into(), format!("{count} in {}", folder.display()))),
            // What was found is shown all the same.
            Err(error) => report.failure = Some(Failure::from(&error)),
        }
    }
    Ok(report)
}

/// People see steps; machines count assertions.
fn detail(format: Format) -> Detail {
    match format {
        Format::Human | Format::Markdown | Format::Github => Detail::Step,
        Format::Json | Format::Junit | Format::Prometheus | Format::Nagios => Detail::Assertion,
    }
}

fn jobs<'j>(
    prepared: &'j Prepared,
    options: &'j Run,
    scenarios: &[&'j Scenario],
    runner: &'j Runner<'j>,
    shared: &'j Shared,
    blocked: Option<&'static str>,
) -> Result<Vec<Job<'j, Piece>>> {
    let mut jobs: Vec<Job<'j, Piece>> = Vec::new();
    let mut left_out = 0;
    for &scenario in scenarios {
        for route in &scenario.routes {
            if options.route.as_ref().is_some_and(|only| only != route) {
                left_out += 1;
                continue;
            }
            let id = if route == DEFAULT_ROUTE {
                slug(&scenario.name)
            } else {
                format!("{}@{}", slug(&scenario.name), slug(route))
            };
            if let Some(why) = blocked {
                let skip = Check::skip(&id, why);
                jobs.push(Box::new(move || Piece::Checks(vec![skip.clone()], false)));
                continue;
            }
            if route != DEFAULT_ROUTE && !prepared.settings.routes.contains_key(route) {
                let why = format!(
                    "the environment `{}` has no route `{route}`",
                    prepared.environment
                );
                let skip = Check::skip(&id, why);
                jobs.push(Box::new(move || Piece::Checks(vec![skip.clone()], false)));
                continue;
            }
            jobs.push(Box::new(move || {
                on_route(prepared, scenario, route, &id, runner, shared)
            }));
        }
    }
    if jobs.is_empty() && left_out > 0 {
        return Err(
            Error::usage("no chosen scenario runs on that route, so that nothing would be checked")
                .hint("`fh-smoke list SUITE` shows the routes"),
        );
    }
    Ok(jobs)
}

/// What is looked at beside the scenarios.
fn pages<'j>(
    suite: &'j Suite,
    runner: &'j Runner<'j>,
    shared: &'j Shared,
    blocked: Option<&'static str>,
) -> Vec<Job<'j, Piece>> {
    let scope = &shared.scope;
    let mut jobs: Vec<Job<'j, Piece>> = Vec::new();
    let mut add = |id: &'static str, job: Job<'j, (Vec<Check>, bool)>| {
        jobs.push(Box::new(move || {
            if let Some(why) = blocked {
                return Piece::Checks(vec![Check::skip(id, why)], false);
            }
            if runner.deadline.remaining().is_some_and(|left| left.is_zero()) {
                let check = Check::unknown(id, "the deadline of the run passed before it could be asked");
                return Piece::Checks(vec![check], false);
            }
            let (checks, reached) = job();
            Piece::Checks(checks, reached)
        }));
    };
    for assets in &suite.assets {
        add("assets", Box::new(move || assets::check(runner, assets, scope)));
    }
    for security in &suite.security {
        add(
            "security",
            Box::new(move || security::check(runner, security, scope)),
        );
    }
    for certificate in &suite.tls {
        add(
            "tls",
            Box::new(move || certificate::check(runner, certificate, scope)),
        );
    }
    jobs
}

/// Runs a scenario on one of its routes.
fn on_route(
    prepared: &Prepared,
    scenario: &Scenario,
    route: &str,
    id: &str,
    runner: &Runner<'_>,
    shared: &Shared,
) -> Piece {
    let mut runner = runner.clone();
    if let Some(place) = prepared
        .settings
        .routes
        .get(route)
        .filter(|_| route != DEFAULT_ROUTE)
    {
        match address(place, runner.deadline, runner.cancel) {
            Ok(address) => runner.connect_to = Some(address),
            Err(why) => return Piece::Checks(vec![Check::unknown(id, why)], false),
        }
    }
    let mut shared = shared.clone();
    Piece::Steps(Row {
        id: id.to_owned(),
        steps: runner.steps(&scenario.step, &mut shared),
    })
}

/// The address of a route's HOST:PORT.
fn address(
    place: &str,
    deadline: Deadline,
    cancel: &fh_core::Cancel,
) -> std::result::Result<SocketAddr, String> {
    let (host, port) = place
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)))
        .ok_or_else(|| format!("the route `{place}` is not HOST:PORT"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let text = |failure: fh_http::Failure| failure.text().to_owned();
    let found = fh_http::resolve(host, port, deadline, cancel).map_err(text)?;
    if let [only] = found.as_slice() {
        return Ok(*only);
    }
    fh_http::first_open(&found, deadline, cancel).map_err(text)
}

/// What machines see beside the checks.
fn data(prepared: &Prepared, rows: &[Row]) -> serde_json::Value {
    let steps = rows.iter().flat_map(|row| &row.steps);
    let attempts: usize = steps.clone().map(|step| step.attempts.len()).sum();
    let flaky = steps.clone().filter(|step| step.is_flaky()).count();
    json!({
        "suite": prepared.loaded.suite.suite.name,
        "environment": prepared.environment,
        "base": prepared.base.as_str(),
        "steps": steps.count(),
        "requests": attempts,
        "flaky": flaky,
        "rules": security::RULES,
    })
}

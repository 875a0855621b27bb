//! The version first: while old and new tasks answer side by side, nothing else can be judged.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fh_core::Deadline;
use fh_core::render::duration;
use fh_core::report::{Check, Measure};
use fh_http::{Kind, Request, Response, jsonpath};
use fh_scenario::run::{Runner, locate};
use fh_scenario::{Addresses, Scope, VersionGate, render};

use crate::page;

/// How often a pause looks whether somebody asked for a stop.
const LOOK: Duration = Duration::from_millis(20);

/// What one address said last.
#[derive(Debug, Clone)]
struct Seen {
    /// Right answers in a row.
    streak: u32,
    /// The version, or why there is none.
    said: Result<String, String>,
    /// Whether it answered at all.
    reached: bool,
}

/// Waits until the wanted version answers. Gives the check, and whether the target answered anything.
pub(crate) fn wait(runner: &Runner<'_>, gate: &VersionGate, scope: &Scope) -> (Check, bool) {
    const ID: &str = "version";
    let (wanted, request) = match prepare(runner, gate, scope) {
        Ok(prepared) => prepared,
        Err(why) => return (Check::unknown(ID, why), false),
    };
    let began = Instant::now();
    let window = Deadline::after(
        runner
            .deadline
            .remaining()
            .map_or(gate.within.get(), |left| left.min(gate.within.get())),
    );
    // By address; `None` is whichever connects, whose answers are one row.
    let mut seen: BTreeMap<Option<SocketAddr>, Seen> = BTreeMap::new();
    let mut reached = false;
    let mut unasked = Vec::new();
    let mut trouble: Option<String>;
    let mut rounds = 0_u64;
    loop {
        rounds += 1;
        match places(runner, gate, &request, window, &mut unasked) {
            Ok(places) => {
                trouble = None;
                // An address that the name no longer has says nothing any more.
                seen.retain(|place, _| places.contains(place));
                for place in places {
                    let answer = ask(runner, gate, &request, place, window, &wanted);
                    reached |= answer.reached;
                    // What it said before tells more than that the time was up.
                    let cut = window.remaining().is_some_and(|left| left.is_zero());
                    if cut && answer.said.is_err() && seen.contains_key(&place) {
                        continue;
                    }
                    let streak = match (&answer.said, seen.get(&place)) {
                        (Ok(said), before) if *said == wanted => before.map_or(0, |before| before.streak) + 1,
                        _ => 0,
                    };
                    seen.insert(place, Seen { streak, ..answer });
                }
            }
            Err(why) => trouble = Some(why),
        }
        if trouble.is_none() && !seen.is_empty() && seen.values().all(|one| one.streak >= gate.stable_for) {
            let addresses = seen.len();
            let summary = format!(
                "{wanted} on {addresses} address{}, {} times in a row, after {}",
                if addresses == 1 { "" } else { "es" },
                gate.stable_for,
                duration(began.elapsed())
            );
            let mut check = Check::pass(ID, summary).measure(Measure::duration("waited", began.elapsed()));
            check.evidence = unasked;
            return (check.took(began.elapsed()), true);
        }
        if runner.cancel.is_cancelled() || !pause(runner, gate.every.get(), window) {
            break;
        }
    }
    let evidence: Vec<String> = seen
        .iter()
        .map(|(place, one)| {
            let place = place.map_or_else(|| "any address".to_owned(), |address| address.to_string());
            match &one.said {
                Ok(version) => format!("{place}: {version}, {} times right in a row", one.streak),
                Err(why) => format!("{place}: {why}"),
            }
        })
        .chain(unasked)
        .chain(trouble)
        .collect();
    let took = duration(began.elapsed());
    let cut_short = runner.deadline.remaining().is_some_and(|left| left.is_zero());
    let mut check = if !reached {
        Check::unknown(ID, format!("nothing answered within {took} ({rounds} rounds)"))
            .hint("is the address right, and may this host reach it?")
    } else if cut_short {
        Check::unknown(
            ID,
            format!("{wanted} was not there yet when the deadline of the run passed"),
        )
        .hint("give more time with --deadline")
    } else {
        Check::fail(
            ID,
            format!("{wanted} did not answer everywhere within {took} ({rounds} rounds)"),
        )
        .hint("is the deploy still rolling, was it rolled back, or does an old task still answer?")
    };
    check.evidence = evidence;
    (check.took(began.elapsed()), reached)
}

fn prepare(runner: &Runner<'_>, gate: &VersionGate, scope: &Scope) -> Result<(String, Request), String> {
    let wanted = render(&gate.equals, scope)?;
    let url = locate(&runner.base, &render(&gate.path, scope)?)?;
    let mut request = Request::to("GET", url);
    request.tls = runner.tls.clone();
    request.timeout = runner.settings.timeout.get();
    // What a cache in between remembers is not what runs.
    request.headers.push(("cache-control".into(), "no-cache".into()));
    Ok((wanted, request))
}

/// The addresses to ask; `None` is whichever connects.
fn places(
    runner: &Runner<'_>,
    gate: &VersionGate,
    request: &Request,
    window: Deadline,
    unasked: &mut Vec<String>,
) -> Result<Vec<Option<SocketAddr>>, String> {
    if gate.addresses == Addresses::Any {
        return Ok(vec![None]);
    }
    let (host, port) = request.host_and_port();
    page::addresses(runner, &host, port, window)
        .map(|places| {
            *unasked = places.unasked();
            places.near.into_iter().map(Some).collect()
        })
        .map_err(|failure| failure.text().to_owned())
}

fn ask(
    runner: &Runner<'_>,
    gate: &VersionGate,
    request: &Request,
    place: Option<SocketAddr>,
    window: Deadline,
    wanted: &str,
) -> Seen {
    let mut request = request.clone();
    request.connect_to = place;
    let (said, reached) = match runner.transport.exchange(&request, window) {
        Ok(response) => (version(gate, &response, wanted), true),
        Err(failure) => {
            let silent = matches!(
                failure.kind(),
                Kind::Dns | Kind::Connect | Kind::Timeout | Kind::Cancelled
            );
            (Err(failure.text().to_owned()), !silent)
        }
    };
    Seen {
        streak: 0,
        said,
        reached,
    }
}

/// The version that an answer names.
fn version(gate: &VersionGate, response: &Response, wanted: &str) -> Result<String, String> {
    let found = match (&gate.jsonpath, &gate.header) {
        (Some(path), _) => {
            let path: jsonpath::Path = path.parse()?;
            let json = response
                .json()
                .map_err(|why| format!("status {}: {why}", response.status))?;
            let values = path.all(&json);
            let first = values
                .first()
                .ok_or_else(|| format!("status {}: {path} is not there", response.status))?;
            first.as_str().map_or_else(|| first.to_string(), str::to_owned)
        }
        (None, Some(name)) => response
            .header(name)
            .ok_or_else(|| format!("status {}: no header {name}", response.status))?
            .to_owned(),
        (None, None) => return Err("the gate does not say where the version stands".into()),
    };
    // A broken answer of the right version is not the version answering.
    if found == wanted && !(200..300).contains(&response.status) {
        return Err(format!("{found}, but with status {}", response.status));
    }
    Ok(found)
}

/// False when the time does not suffice for another round.
fn pause(runner: &Runner<'_>, pause: Duration, window: Deadline) -> bool {
    if window.remaining().is_some_and(|left| left <= pause) {
        return false;
    }
    let end = Instant::now() + pause;
    while Instant::now() < end {
        if runner.cancel.is_cancelled() {
            return false;
        }
        std::thread::sleep(end.saturating_duration_since(Instant::now()).min(LOOK));
    }
    true
}

//! A TCP port: every address of the host must accept a connection.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use fh_core::config::HealthTcp;
use fh_core::report::{Measure, Unit};
use fh_core::{Check, Deadline, Result};

use super::each::each;
use super::{Context, Needs, Planned, Probe, Setup};
use crate::limits::Limits;

/// The probes of `[[health.tcp]]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthTcp| -> Result<Arc<dyn Probe>> {
        let id = setup.id("tcp", &entry.name)?;
        if entry.host.is_empty() || entry.port == 0 {
            return Err(setup
                .wrong("tcp", &entry.name, "host and port must name a place")
                .hint("such as host = \"db.example.com\" and port = 5432"));
        }
        Ok(Arc::new(Port {
            id,
            entry: entry.clone(),
        }))
    };
    setup.config().health.tcp.iter().map(make).collect()
}

struct Port {
    id: String,
    entry: HealthTcp,
}

impl Probe for Port {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let about = format!(
            "{}:{} accepts connections on every address",
            self.entry.host, self.entry.port
        );
        vec![Planned::new(&self.id, about).limits(Limits::above(Unit::Seconds, 1.0, 5.0))]
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let found = self.look(context);
        vec![found.unwrap_or_else(|error| Check::from_error(&self.id, &error))]
    }

    fn needs(&self, _: &str) -> Needs {
        Needs::default().other(format!(
            "the network must let this host connect to {}:{}",
            self.entry.host, self.entry.port
        ))
    }
}

impl Port {
    fn look(&self, context: &Context) -> Result<Check> {
        let place = format!("{}:{}", self.entry.host, self.entry.port);
        let limit = context.timeout(self.entry.timeout, &format!("connecting to {place}"))?;
        let until = Deadline::after(limit);
        let places = match context.places(&self.entry.host, self.entry.port, until) {
            Ok(places) => places,
            Err(failure) => return Ok(Check::fail(&self.id, failure.text())),
        };
        let addresses = &places.near;
        let (mut slowest, mut refused, mut seen) = (0.0_f64, Vec::new(), Vec::new());
        let tried = each(addresses, |address| {
            let began = Instant::now();
            let left = until
                .bound(limit, &place)
                .map_err(|_| "no answer in time".to_owned())?;
            let connected = TcpStream::connect_timeout(address, left);
            connected.map_err(|error| plain(&error))?;
            Ok::<_, String>(began.elapsed())
        });
        for (address, connected) in addresses.iter().zip(tried) {
            match connected.unwrap_or_else(|| Err("the check broke off at a mistake in this program".into()))
            {
                Ok(took) => {
                    slowest = slowest.max(took.as_secs_f64());
                    let took = fh_core::render::duration(took);
                    seen.push(format!("{address}: connected in {took}"));
                }
                Err(why) => refused.push(format!("{address}: {why}")),
            }
        }
        let check = match (refused.len(), addresses.len()) {
            (0, all) => {
                let summary = match all {
                    1 => format!("{place} accepts connections"),
                    many => format!("all {many} addresses of {place} accept connections"),
                };
                context.judge(&self.id, Measure::new("connect", slowest, Unit::Seconds), summary)
            }
            (bad, all) => {
                let summary = if bad == all {
                    format!("{place} accepts no connection")
                } else {
                    format!("{bad} of {all} addresses of {place} accept no connection")
                };
                Check::fail(&self.id, summary)
                    .hint("is the service running there, and does the firewall let this host in?")
            }
        };
        let lines = refused.into_iter().chain(seen).chain(places.unasked());
        Ok(lines.fold(check, Check::evidence))
    }
}

/// An error of connecting in few words.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".into(),
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => "no answer in time".into(),
        _ => error.to_string(),
    }
}

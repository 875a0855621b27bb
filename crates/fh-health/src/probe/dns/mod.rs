//! Records of a name in the DNS, asked of one name server.

mod ask;
mod message;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use fh_core::config::{DnsRecord, HealthDns};
use fh_core::report::{Measure, Unit};
use fh_core::{Check, Deadline, Error, Result};

use super::{Context, Needs, Planned, Probe, Setup};
use crate::limits::Limits;
use message::{Answer, Kind};

/// The probes of `[[health.dns]]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthDns| -> Result<Arc<dyn Probe>> {
        let id = setup.id("dns", &entry.name)?;
        let wrong = |why: &str| setup.wrong("dns", &entry.name, why);
        let server = entry.server.as_deref().map(|text| {
            server(text).ok_or_else(|| {
                wrong("the server is no address")
                    .hint("such as server = \"192.0.2.53\" or \"[2001:db8::53]:53\"")
            })
        });
        let server = server.transpose()?;
        if message::question(0, &entry.domain, kind(entry.record)).is_none() {
            return Err(
                wrong("the domain is no name (RFC 1035 §2.3.4)").hint("such as domain = \"app.example.com\"")
            );
        }
        Ok(Arc::new(Name {
            id,
            entry: entry.clone(),
            server,
        }))
    };
    setup.config().health.dns.iter().map(make).collect()
}

fn kind(record: DnsRecord) -> Kind {
    match record {
        DnsRecord::A => Kind::A,
        DnsRecord::Aaaa => Kind::Aaaa,
        DnsRecord::Cname => Kind::Cname,
        DnsRecord::Mx => Kind::Mx,
        DnsRecord::Ns => Kind::Ns,
        DnsRecord::Txt => Kind::Txt,
        DnsRecord::Caa => Kind::Caa,
    }
}

/// An address with or without a port.
fn server(text: &str) -> Option<SocketAddr> {
    let alone = || {
        text.parse::<IpAddr>()
            .ok()
            .map(|address| SocketAddr::new(address, 53))
    };
    text.parse().ok().or_else(alone)
}

/// The first name server of resolv.conf(5).
fn system_server() -> Result<SocketAddr> {
    let failed = |why: &str| {
        Error::unable(format!("no name server to ask: /etc/resolv.conf {why}"))
            .hint("set `server` in the entry of health.dns")
    };
    let text = std::fs::read_to_string("/etc/resolv.conf")
        .map_err(|error| failed("cannot be read").because(error))?;
    let mut named = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"));
    named
        .find_map(|rest| server(rest.trim()))
        .ok_or_else(|| failed("names none"))
}

struct Name {
    id: String,
    entry: HealthDns,
    server: Option<SocketAddr>,
}

impl Probe for Name {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let about = match self.entry.expect.as_slice() {
            [] => format!("{} has a {} record", self.entry.domain, kind(self.entry.record)),
            some => format!(
                "the {} records of {} hold {}",
                kind(self.entry.record),
                self.entry.domain,
                some.join(", ")
            ),
        };
        vec![Planned::new(&self.id, about).limits(Limits::above(Unit::Seconds, 1.0, 5.0))]
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        let found = self.look(context);
        vec![found.unwrap_or_else(|error| Check::from_error(&self.id, &error))]
    }

    fn needs(&self, _: &str) -> Needs {
        let place = self
            .server
            .map_or("the first name server of /etc/resolv.conf".to_owned(), |at| {
                at.to_string()
            });
        Needs::default().other(format!(
            "the network must let this host ask {place} over UDP and TCP"
        ))
    }
}

impl Name {
    fn look(&self, context: &Context) -> Result<Check> {
        let limit = context.timeout(self.entry.timeout, &format!("asking for {}", self.entry.domain))?;
        let server = match self.server {
            Some(server) => server,
            None => system_server()?,
        };
        let began = std::time::Instant::now();
        let asked = ask::ask(
            server,
            &self.entry.domain,
            kind(self.entry.record),
            Deadline::after(limit),
        );
        let answer = match asked {
            Ok(answer) => answer,
            Err(why) => {
                return Ok(Check::fail(&self.id, format!("{server}: {why}")).hint(
                    "is the name server running there, and does the firewall let UDP and TCP through?",
                ));
            }
        };
        Ok(self.judge(&answer, server, began.elapsed(), context))
    }

    fn judge(
        &self,
        answer: &Answer,
        server: SocketAddr,
        took: std::time::Duration,
        context: &Context,
    ) -> Check {
        let domain = &self.entry.domain;
        let wanted = kind(self.entry.record);
        let problem = match answer.code {
            0 => None,
            3 => Some(format!("{domain} does not exist, says {server}")),
            code => Some(format!(
                "{server} refuses to answer: {}",
                message::code_name(code)
            )),
        };
        let missing: Vec<&String> = self
            .entry
            .expect
            .iter()
            .filter(|text| !answer.records.iter().any(|record| same(record, text)))
            .collect();
        let shown = answer.records.join(", ");
        let problem = problem.or_else(|| {
            if answer.records.is_empty() {
                Some(format!("{domain} has no {wanted} record"))
            } else if missing.is_empty() {
                None
            } else {
                let missing: Vec<&str> = missing.iter().map(|text| text.as_str()).collect();
                Some(format!(
                    "{} is not among the {wanted} records of {domain}",
                    missing.join(", ")
                ))
            }
        });
        let measure = Measure::duration("took", took);
        let check = match problem {
            None => context.judge(&self.id, measure, format!("{domain} {wanted}: {shown}")),
            Some(why) => Check::fail(&self.id, why).measure(measure).hint(
                "compare with what the zone should hold, and with what its own name servers say (dig +trace)",
            ),
        };
        answer.records.iter().cloned().fold(check, Check::evidence)
    }
}

/// Names do not mind case or the dot of the root; texts are what they are.
fn same(record: &str, text: &str) -> bool {
    let plain = |text: &str| text.trim().trim_end_matches('.').to_ascii_lowercase();
    match (record.parse::<IpAddr>(), text.trim().parse::<IpAddr>()) {
        (Ok(record), Ok(text)) => record == text,
        _ => plain(record) == plain(text),
    }
}

//! A TLS server: does its certificate verify, how long does it last, are key and signature strong, are old protocols off.

mod protocols;
mod strength;

use std::net::SocketAddr;
use std::sync::Arc;

use fh_core::config::{HealthTls, Starttls};
use fh_core::report::{Measure, Status};
use fh_core::{Check, Deadline, Result};
use fh_http::tls::{TlsFacts, inspect};
use fh_http::{Failure, Kind, Phase, TlsOptions};

use super::certificate;
use super::each::each;
use super::{Context, Needs, Planned, Probe, Setup};

/// The probes of `[[health.tls]]`.
pub(super) fn probes(setup: &Setup<'_>) -> Result<Vec<Arc<dyn Probe>>> {
    let make = |entry: &HealthTls| -> Result<Arc<dyn Probe>> {
        let id = setup.id("tls", &entry.name)?;
        if entry.host.is_empty() || entry.port == Some(0) {
            return Err(setup
                .wrong("tls", &entry.name, "host and port must name a place")
                .hint("such as host = \"app.example.com\""));
        }
        let (starttls, port) = match entry.starttls {
            Starttls::None => (fh_http::tls::Starttls::None, 443),
            Starttls::Postgres => (fh_http::tls::Starttls::Postgres, 5432),
        };
        Ok(Arc::new(Server {
            id,
            port: entry.port.unwrap_or(port),
            starttls,
            options: TlsOptions {
                extra_roots: certificate::authorities(entry.ca_file.as_deref())?,
                server_name: entry.server_name.clone(),
                ..TlsOptions::default()
            },
            entry: entry.clone(),
        }))
    };
    setup.config().health.tls.iter().map(make).collect()
}

struct Server {
    id: String,
    entry: HealthTls,
    port: u16,
    starttls: fh_http::tls::Starttls,
    options: TlsOptions,
}

impl Probe for Server {
    fn id(&self) -> &str {
        &self.id
    }

    fn checks(&self) -> Vec<Planned> {
        let place = format!("{}:{}", self.entry.host, self.port);
        let mut planned = vec![
            Planned::new(
                &self.id,
                format!("the certificate of {place} verifies and fits the name"),
            ),
            certificate::planned(self.below("expiry")),
            Planned::new(self.below("key"), "key and signature are strong enough"),
        ];
        if self.entry.old_protocols {
            planned.push(Planned::new(
                self.below("protocols"),
                "TLS 1.0 and 1.1 are refused (RFC 8996)",
            ));
        }
        planned
    }

    fn run(&self, context: &Context) -> Vec<Check> {
        self.look(context)
            .unwrap_or_else(|error| vec![Check::from_error(&self.id, &error)])
    }

    fn needs(&self, _: &str) -> Needs {
        Needs::default().other(format!(
            "the network must let this host connect to {}:{}",
            self.entry.host, self.port
        ))
    }
}

impl Server {
    fn below(&self, name: &str) -> String {
        format!("{}.{name}", self.id)
    }

    fn look(&self, context: &Context) -> Result<Vec<Check>> {
        let place = format!("{}:{}", self.entry.host, self.port);
        let until = Deadline::after(context.timeout(self.entry.timeout, &format!("looking at {place}"))?);
        let places = match context.places(&self.entry.host, self.port, until) {
            Ok(places) => places,
            Err(failure) => return Ok(vec![Check::fail(&self.id, failure.text())]),
        };
        let addresses = &places.near;
        let shown = each(addresses, |address| {
            let (host, options) = (&self.entry.host, &self.options);
            inspect(host, *address, self.starttls, options, until, &context.cancel)
        });
        let shown: Vec<Result<TlsFacts, Failure>> = shown.into_iter().flatten().collect();
        if shown.len() < addresses.len() {
            return Ok(vec![
                Check::unknown(&self.id, "the check broke off at a mistake in this program")
                    .hint("please report it, with what stands on stderr"),
            ]);
        }
        let seen: Vec<(SocketAddr, Result<TlsFacts, Failure>)> =
            addresses.iter().copied().zip(shown).collect();
        // A handshake that broke off may have shown the certificate before: a key that is too weak ends it.
        let facts: Vec<&TlsFacts> = seen
            .iter()
            .filter_map(|(_, seen)| seen.as_ref().map_or_else(Failure::tls, Some))
            .collect();
        let mut check = self.verified(&seen);
        check.evidence.extend(places.unasked());
        let mut checks = vec![check];
        let nothing_seen = facts.is_empty();
        let mut others = vec![
            certificate::expiry(&self.below("expiry"), &facts, context),
            strength::check(&self.below("key"), &facts),
        ];
        if self.entry.old_protocols {
            // A server that speaks nothing but old protocols fails in the handshake.
            let speaks = |seen: &Result<TlsFacts, Failure>| match seen {
                Ok(_) => true,
                Err(failure) => failure.phase() == Phase::Tls && failure.kind() == Kind::Tls,
            };
            let asked = seen.iter().filter(|(_, seen)| speaks(seen));
            let asked: Vec<SocketAddr> = asked.map(|(address, _)| *address).collect();
            let check = protocols::check(self, &asked, until, context);
            if check.status == Status::Warn {
                checks.push(check);
            } else {
                others.push(check);
            }
        }
        checks.extend(others.into_iter().map(|check| {
            if nothing_seen {
                check.depends_on(&self.id)
            } else {
                check
            }
        }));
        Ok(checks)
    }

    fn verified(&self, seen: &[(SocketAddr, Result<TlsFacts, Failure>)]) -> Check {
        let name = self.options.server_name.as_deref().unwrap_or(&self.entry.host);
        let problem = |facts: &Result<TlsFacts, Failure>| match facts {
            Ok(facts) => facts.verified.clone().err(),
            Err(failure) => Some(failure.text().to_owned()),
        };
        let bad: Vec<String> = seen
            .iter()
            .filter_map(|(address, facts)| Some(format!("{address}: {}", problem(facts)?)))
            .collect();
        let first = seen.iter().find_map(|(_, facts)| problem(facts));
        let stopped = seen
            .iter()
            .any(|(_, facts)| matches!(facts, Err(failure) if failure.kind() == Kind::Cancelled));
        let mut check = match first {
            None => Check::pass(&self.id, format!("the certificate verifies for {name}")),
            Some(why) if stopped => Check::unknown(&self.id, why),
            Some(why) if seen.len() == 1 => Check::fail(&self.id, why),
            Some(why) => Check::fail(
                &self.id,
                format!("{} of {} addresses: {why}", bad.len(), seen.len()),
            ),
        };
        if !bad.is_empty() {
            check = check.hint("install the right certificate with its whole chain, and reload the server");
        }
        for (address, facts) in seen {
            if let Ok(facts) = facts {
                let version = facts.version.as_deref().unwrap_or("no handshake to its end");
                let cipher = facts.cipher.as_deref().unwrap_or_default();
                check = check.evidence(format!("{address}: {version} {cipher}").trim_end().to_owned());
                for certificate in &facts.chain {
                    check = check.evidence(format!("  {} by {}", certificate.subject, certificate.issuer));
                }
            }
        }
        bad.into_iter()
            .fold(check, Check::evidence)
            .measure(Measure::count("addresses", seen.len() as u64))
    }
}

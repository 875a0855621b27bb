//! Certificates that must last, on every address of a host.

use fh_core::render::duration;
use fh_core::report::{Check, Measure};
use fh_http::tls::{Starttls, TlsFacts, inspect};
use fh_scenario::run::Runner;
use fh_scenario::{Certificate, Scope, render};
use jiff::Timestamp;

use crate::findings::slug;
use crate::page;

/// Below this share of its lifetime a certificate is not renewed as it should be, in percent. Renewal is due at a third.
const MIN_LEFT: f64 = 100.0 / 6.0;

/// Checks one certificate. Gives the checks, and whether the target answered.
pub(crate) fn check(runner: &Runner<'_>, certificate: &Certificate, scope: &Scope) -> (Vec<Check>, bool) {
    let (host, port) = match place(runner, certificate, scope) {
        Ok(Some(place)) => place,
        Ok(None) => {
            let skip = Check::skip("tls", "the base is not https here, and no host is given");
            return (vec![skip], false);
        }
        Err(why) => return (vec![Check::unknown("tls", why)], false),
    };
    let id = format!("tls.{}", slug(&host));
    let places = match page::addresses(runner, &host, port, runner.deadline) {
        Ok(found) => found,
        Err(failure) => return (vec![Check::unknown(id, failure.text())], false),
    };
    let mut checks = Vec::new();
    let mut reached = false;
    let several = places.near.len() > 1;
    for &address in &places.near {
        let id = if several {
            format!("{id}.{}", slug(&address.ip().to_string()))
        } else {
            id.clone()
        };
        let looked = inspect(
            &host,
            address,
            Starttls::None,
            &runner.tls,
            runner.deadline,
            runner.cancel,
        );
        match looked {
            Ok(facts) => {
                reached = true;
                checks.push(judge(&id, certificate, &facts, Timestamp::now()));
            }
            Err(failure) => {
                let (check, here) = page::silence(&id, &failure);
                reached |= here;
                checks.push(check);
            }
        }
    }
    if let Some(first) = checks.first_mut() {
        first.evidence.extend(places.unasked());
    }
    (checks, reached)
}

fn place(
    runner: &Runner<'_>,
    certificate: &Certificate,
    scope: &Scope,
) -> Result<Option<(String, u16)>, String> {
    let Some(host) = &certificate.host else {
        let is_https = runner.base.scheme() == "https";
        let host = runner.base.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        return Ok(is_https.then(|| (host, runner.base.port_or_known_default().unwrap_or(443))));
    };
    let host = render(host, scope)?;
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => {
            let port = port
                .parse()
                .map_err(|_| format!("`{host}` is neither HOST nor HOST:PORT"))?;
            Ok(Some((name.to_owned(), port)))
        }
        _ => Ok(Some((host, 443))),
    }
}

fn judge(id: &str, certificate: &Certificate, facts: &TlsFacts, now: Timestamp) -> Check {
    let Some(leaf) = facts.leaf() else {
        return Check::fail(id, "the server showed no certificate");
    };
    if let Err(why) = &facts.verified {
        return Check::fail(id, format!("it does not verify: {why}"))
            .evidence(format!("subject: {}", leaf.subject));
    }
    let first = facts.first_to_end().unwrap_or(leaf);
    let left = first.left(now) * 100.0;
    let time = std::time::Duration::try_from(first.not_after.duration_since(now)).unwrap_or_default();
    let least = certificate.min_left.unwrap_or(MIN_LEFT);
    let mut wrong = Vec::new();
    // A whole chain is judged by what ends first, and a share means something for the server's own certificate only.
    let own_left = leaf.left(now) * 100.0;
    if own_left < least {
        wrong.push(format!(
            "{own_left:.0} % of its lifetime is left, expected {least:.0} % or more"
        ));
    }
    if let Some(min) = certificate.min_time
        && time < min.get()
    {
        wrong.push(format!(
            "{} ends in {}, expected {min} or more",
            if first == leaf { "it" } else { "its chain" },
            duration(time)
        ));
    }
    if let Some(wanted) = &certificate.alpn {
        let agreed = facts.alpn.as_deref().unwrap_or("none");
        if agreed != wanted {
            wrong.push(format!("the application protocol is {agreed}, expected {wanted}"));
        }
    }
    let version = facts.version.as_deref().unwrap_or("TLS");
    let check = if wrong.is_empty() {
        let summary = format!("{version}, ends in {} ({own_left:.0} % left)", duration(time));
        if own_left < 2.0 * least {
            Check::warn(id, summary).hint("renewal is due: is it automatic, and does it work?")
        } else {
            Check::pass(id, summary)
        }
    } else {
        Check::fail(id, wrong.join("; "))
    };
    let chain = left.min(own_left);
    check
        .measure(Measure::percent("left", chain))
        .evidence(format!("subject: {}", leaf.subject))
        .evidence(format!("names: {}", leaf.names.join(", ")))
        .evidence(format!("ends: {}", first.not_after))
}

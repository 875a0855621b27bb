//! How long certificates last: the share of their lifetime that is left, because lifetimes shrink (the CA/Browser Forum's
//! ballot SC-081v3 goes to 100 days in 2027 and 47 in 2029), and a fixed number of days would become a permanent warning.

use std::path::Path;
use std::time::Duration;

use fh_core::report::{Measure, Status, Unit};
use fh_core::{Check, Context as _, Hint as _, Result};
use fh_http::tls::{CertFacts, TlsFacts};
use jiff::Timestamp;

use super::{Context, Planned};
use crate::limits::Limits;

/// A third of the lifetime left is when automatic renewal has begun (Let's Encrypt's advice to clients).
const WARN: f64 = 100.0 / 3.0;
/// A sixth left: renewal has failed for some time.
const CRIT: f64 = 100.0 / 6.0;
/// An intermediate certificate lives for years; what counts is whether it ends before anybody changes it.
const CHAIN_DAYS: f64 = 14.0;

/// The check of [`expiry`].
pub(super) fn planned(id: String) -> Planned {
    Planned::new(
        id,
        "share of the certificate's lifetime that is left; its chain too",
    )
    .limits(Limits::below(Unit::Percent, WARN, CRIT))
}

/// Further authorities from a PEM file; none without one.
///
/// # Errors
/// Exit code 2 when it cannot be read.
pub(super) fn authorities(file: Option<&Path>) -> Result<Vec<u8>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    std::fs::read(file)
        .or_usage(|| format!("cannot read the certificate authorities in {}", file.display()))
        .hint(|| "check ca_file; relative paths start at the folder of the configuration")
}

/// Judges what several addresses showed: the one that ends first counts.
pub(super) fn expiry(id: &str, facts: &[&TlsFacts], context: &Context) -> Check {
    let now = context.now;
    let leaves = facts.iter().filter_map(|facts| facts.leaf());
    let readable = leaves.filter(|leaf| leaf.problem.is_none());
    let Some(leaf) = readable.min_by_key(|leaf| leaf.not_after) else {
        let problem = facts.iter().find_map(|facts| facts.leaf()?.problem.clone());
        return Check::unknown(id, problem.unwrap_or_else(|| "no certificate was shown".into()));
    };
    let left = leaf.left(now) * 100.0;
    let measure = Measure::percent("left", left.max(0.0));
    let mut check = context.judge(id, measure, says(leaf, now));
    if let Some(chain) = ends_soon(facts, now)
        && check.status == Status::Pass
    {
        check.status = Status::Warn;
        check.summary = format!("{} in the chain: {}", chain.subject, says(chain, now));
    }
    if leaf.not_after <= now {
        check.status = Status::Fail;
    }
    if check.status != Status::Pass {
        check = check
            .hint("renew the certificate and reload the server; find out why the automatic renewal did not");
    }
    check
        .measure(Measure::new(
            "not_after_timestamp",
            seconds(leaf.not_after),
            Unit::Seconds,
        ))
        .evidence(format!(
            "{} by {}, for {}",
            leaf.subject,
            leaf.issuer,
            leaf.names.join(", ")
        ))
        .evidence(format!("valid from {} to {}", leaf.not_before, leaf.not_after))
}

/// An authority's certificate below the root that ends within days. A root that is sent along is not looked at by anybody.
fn ends_soon<'f>(facts: &[&'f TlsFacts], now: Timestamp) -> Option<&'f CertFacts> {
    facts
        .iter()
        .flat_map(|facts| facts.chain.iter().skip(1))
        .filter(|certificate| certificate.problem.is_none() && !certificate.is_self_signed())
        .filter(|certificate| days_left(certificate, now) <= CHAIN_DAYS)
        .min_by_key(|certificate| certificate.not_after)
}

fn days_left(certificate: &CertFacts, now: Timestamp) -> f64 {
    certificate.not_after.duration_since(now).as_secs_f64() / 86_400.0
}

fn says(certificate: &CertFacts, now: Timestamp) -> String {
    let left = certificate.not_after.duration_since(now);
    match Duration::try_from(left) {
        Ok(left) if !left.is_zero() => {
            let share = certificate.left(now) * 100.0;
            format!(
                "ends in {}, {share:.0} % of its lifetime left",
                fh_core::render::duration(left)
            )
        }
        _ => format!("expired at {}", certificate.not_after),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 fit a double exactly"
)]
fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

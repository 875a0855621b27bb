//! Whether TLS 1.0 or 1.1, which RFC 8996 withdraws, is still accepted at any address.

use std::net::SocketAddr;

use fh_core::{Check, Deadline};
use fh_http::tls::{OldProtocol, accepts_old};

use super::{Context, Server, each};

/// Tries both at every address that speaks TLS.
pub(super) fn check(server: &Server, addresses: &[SocketAddr], until: Deadline, context: &Context) -> Check {
    let id = server.below("protocols");
    if addresses.is_empty() {
        return Check::unknown(id, "no TLS came about");
    }
    let tries: Vec<(SocketAddr, OldProtocol)> = addresses
        .iter()
        .flat_map(|address| OldProtocol::ALL.map(|old| (*address, old)))
        .collect();
    let answers = each(&tries, |(address, old)| {
        let host = &server.entry.host;
        accepts_old(*old, host, *address, server.starttls, until, &context.cancel)
    });
    let (mut accepted, mut lines, mut unclear) = (Vec::new(), Vec::new(), None);
    for ((address, old), answer) in tries.iter().zip(answers) {
        match answer {
            Some(Ok(true)) => {
                lines.push(format!("{address}: accepts {old}"));
                if !accepted.contains(&old.to_string()) {
                    accepted.push(old.to_string());
                }
            }
            Some(Ok(false)) => {}
            Some(Err(failure)) => {
                unclear.get_or_insert_with(|| format!("cannot try {old} at {address}: {}", failure.text()));
            }
            None => {
                unclear.get_or_insert_with(|| "the check broke off at a mistake in this program".to_owned());
            }
        }
    }
    let check = match unclear {
        _ if !accepted.is_empty() => Check::warn(id, format!("{} still accepted", accepted.join(" and ")))
            .hint("set the lowest protocol of the server or load balancer to TLS 1.2 (RFC 8996)"),
        Some(why) => Check::unknown(id, why),
        None => Check::pass(id, "TLS 1.0 and 1.1 are refused"),
    };
    lines.into_iter().fold(check, Check::evidence)
}

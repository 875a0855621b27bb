//! Whether key and signature are strong enough (NIST SP 800-57 part 1, table 2: 112 bits of security; RFC 9155 on SHA-1).

use fh_core::Check;
use fh_http::tls::{CertFacts, KeyKind, TlsFacts};

const RSA_BITS: usize = 2048;
const EC_BITS: usize = 224;

/// Judges the server's own certificates and the authorities' below the root.
pub(super) fn check(id: &str, facts: &[&TlsFacts]) -> Check {
    let Some(leaf) = facts.iter().find_map(|facts| facts.leaf()) else {
        return Check::unknown(id, "no certificate was shown");
    };
    let all = facts.iter().flat_map(|facts| facts.chain.iter());
    // Nobody checks the signature of a root.
    let judged = all.filter(|certificate| !certificate.is_self_signed() || *certificate == leaf);
    let (mut weak, mut unclear) = (Vec::new(), Vec::new());
    for certificate in judged {
        match problem(certificate) {
            Some(Problem::Weak(why)) => weak.push(format!("{}: {why}", certificate.subject)),
            Some(Problem::Unclear(why)) => unclear.push(format!("{}: {why}", certificate.subject)),
            None => {}
        }
    }
    let shown = format!("{} {} bits, {}", leaf.key, leaf.key_bits, leaf.signature);
    let check = match (weak.first(), unclear.first()) {
        (Some(why), _) => Check::fail(id, why.clone())
            .hint("issue the certificate anew with an EC P-256 or RSA 2048 key and SHA-256"),
        (None, Some(why)) => Check::unknown(id, why.clone()),
        (None, None) => Check::pass(id, shown),
    };
    weak.into_iter().chain(unclear).fold(check, Check::evidence)
}

enum Problem {
    Weak(String),
    Unclear(String),
}

fn problem(certificate: &CertFacts) -> Option<Problem> {
    if let Some(why) = &certificate.problem {
        return Some(Problem::Unclear(why.clone()));
    }
    let signature = certificate.signature.to_ascii_lowercase();
    if !certificate.is_self_signed() && (signature.contains("sha1") || signature.contains("md5")) {
        return Some(Problem::Weak(format!("signed with {}", certificate.signature)));
    }
    let least = match certificate.key {
        KeyKind::Rsa => RSA_BITS,
        KeyKind::Ec => EC_BITS,
        KeyKind::Edwards => return None,
        KeyKind::Other => return Some(Problem::Unclear("a key of an unknown kind".into())),
    };
    match certificate.key_bits {
        0 => Some(Problem::Unclear("the key's size could not be read".into())),
        bits if bits < least => Some(Problem::Weak(format!(
            "an {} key of {bits} bits, and {least} are the least",
            certificate.key
        ))),
        _ => None,
    }
}

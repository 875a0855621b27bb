//! What no careful library makes any more: old protocols, weak keys, SHA-1. OpenSSL makes and serves it.

use fh_testkit::OpenSsl;
use fh_testkit::certs::Authority;

use crate::tool::{Tool, of, said};

#[test]
fn old_protocols_weak_keys_and_old_signatures_are_seen() {
    let openssl = fh_testkit::require!(OpenSsl::try_start());
    let authority = Authority::new().unwrap();
    let good = authority.server(&["localhost", "127.0.0.1"]).unwrap();
    let weak = openssl.issue("rsa:1024", "sha256").unwrap();
    let sha1 = openssl.issue("rsa:2048", "sha1").unwrap();
    let tool = Tool::new("");
    let (mut config, mut running) = (String::new(), Vec::new());
    for (name, identity, ca, options) in [
        ("generous", &good, authority.cert_pem(), &[][..]),
        ("strict", &good, authority.cert_pem(), &["-no_tls1", "-no_tls1_1"]),
        ("ancient", &good, authority.cert_pem(), &["-tls1_1"]),
        ("weak", &weak.identity, &weak.ca_pem, &["-no_tls1", "-no_tls1_1"]),
        ("weak-12", &weak.identity, &weak.ca_pem, &["-tls1_2"]),
        ("sha1", &sha1.identity, &sha1.ca_pem, &["-tls1_2"]),
    ] {
        let server = openssl.serve(identity, options).unwrap();
        std::fs::write(tool.path(&format!("{name}.pem")), ca).unwrap();
        config.push_str(&format!(
            "[[health.tls]]\nname = '{name}'\nhost = '127.0.0.1'\nport = {}\nca_file = '{name}.pem'\n",
            server.address.port()
        ));
        running.push(server);
    }
    tool.configure(&config);
    let report = tool.check(&[]);
    let mut wrong = Vec::new();
    let mut begins = |id: &str, expected: &str| {
        let found = said(&report, &format!("tls.{id}"));
        if !found.starts_with(expected) {
            wrong.push(format!("{id}: {found}, expected {expected}"));
        }
    };
    begins("generous", "pass: ");
    begins("generous.protocols", "warn: TLS 1.0 and TLS 1.1 still accepted");
    begins("generous.key", "pass: EC 256 bits");
    begins("strict", "pass: ");
    begins("strict.protocols", "pass: TLS 1.0 and 1.1 are refused");
    // No TLS of today comes about, and why is seen all the same.
    begins("ancient", "fail: no TLS with 127.0.0.1");
    begins("ancient.protocols", "warn: TLS 1.1 still accepted");
    assert_eq!(of(&report, "tls.ancient.key")["status"], "skip");
    // The key breaks the handshake off, after it was shown.
    for id in ["weak", "weak-12"] {
        begins(id, "fail: no TLS with 127.0.0.1");
        begins(
            &format!("{id}.key"),
            "fail: CN=localhost: an RSA key of 1024 bits, and 2048 are the least",
        );
        begins(&format!("{id}.expiry"), "pass: ends in");
    }
    begins("sha1", "fail: ");
    begins("sha1.key", "fail: CN=localhost: signed with ecdsa-with-SHA1");
    assert!(wrong.is_empty(), "{wrong:#?}\n{report:#}");
    drop(running);
}

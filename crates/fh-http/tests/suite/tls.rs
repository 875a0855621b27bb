//! Certificates good and bad, shown by real TLS servers.

use std::io::{Read as _, Write as _};
use std::time::{Duration, SystemTime};

use fh_core::{Cancel, Deadline};
use fh_http::tls::{KeyKind, OldProtocol, Starttls, TlsFacts, accepts_old, inspect};
use fh_http::{Kind, Phase, Request, TlsOptions, exchange};
use fh_testkit::certs::{Authority, Identity};
use fh_testkit::raw::RawServer;
use fh_testkit::webhook::{Reply, Webhook};
use jiff::Timestamp;

const NAMES: &[&str] = &["app.test", "127.0.0.1"];
const DAY: Duration = Duration::from_secs(86_400);

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

fn trusting(authority: &Authority) -> TlsOptions {
    TlsOptions {
        extra_roots: authority.cert_pem().into(),
        only_extra_roots: true,
        ..TlsOptions::default()
    }
}

fn facts_of(identity: &Identity, authority: &Authority) -> TlsFacts {
    let server = Webhook::start_tls(identity, [Reply::status(200)]);
    inspect(
        "app.test",
        server.address(),
        Starttls::None,
        &trusting(authority),
        soon(),
        &Cancel::new(),
    )
    .unwrap()
}

/// What an exchange says that must not come about.
fn refused(identity: &Identity, authority: &Authority) -> String {
    let server = Webhook::start_tls(identity, [Reply::status(200)]);
    let mut request = Request::get("https://app.test/").unwrap();
    request.connect_to = Some(server.address());
    request.tls = trusting(authority);
    let failure = exchange(&request, soon(), &Cancel::new()).unwrap_err();
    assert_eq!((failure.kind(), failure.phase()), (Kind::Tls, Phase::Tls));
    assert!(failure.tls().is_some(), "what the server showed is kept");
    assert_eq!(server.requests().len(), 0, "nothing was sent");
    failure.text().to_owned()
}

#[test]
fn a_good_certificate_verifies_and_tells_about_itself() {
    let authority = Authority::new().unwrap();
    let (from, to) = (SystemTime::now() - 60 * DAY, SystemTime::now() + 30 * DAY);
    let identity = authority.server_between(NAMES, from, to).unwrap();
    let server = Webhook::start_tls(&identity, [Reply::status(200).body("hello")]);
    let mut request = Request::get("https://app.test/").unwrap();
    request.connect_to = Some(server.address());
    request.tls = trusting(&authority);
    let response = exchange(&request, soon(), &Cancel::new()).unwrap();
    assert_eq!(response.text(), Ok("hello"));
    assert!(response.phases.tls.is_some());
    let facts = response.tls.unwrap();
    assert_eq!(facts.version.as_deref(), Some("TLS 1.3"));
    assert!(facts.cipher.is_some_and(|suite| suite.starts_with("TLS13_")));
    assert_eq!(facts.verified, Ok(()));
    let leaf = &facts.chain[0];
    assert_eq!(leaf.names, NAMES);
    assert_eq!((leaf.key, leaf.key_bits), (KeyKind::Ec, 256));
    assert_eq!(leaf.signature, "ecdsa-with-SHA256");
    assert_eq!(leaf.issuer, "CN=throw-away test authority");
    assert!(!leaf.is_authority && !leaf.is_self_signed());
    let left = leaf.left(Timestamp::now());
    assert!((0.32..0.34).contains(&left), "a third of 90 days is left: {left}");
}

#[test]
fn bad_certificates_give_facts_and_no_exchange() {
    let authority = Authority::new().unwrap();
    let expired = authority.expired_server(NAMES).unwrap();
    let facts = facts_of(&expired, &authority);
    assert_eq!(
        facts.verified,
        Err("it expired at 2021-01-01T00:00:00Z".to_owned())
    );
    assert!(facts.version.is_some(), "the handshake was finished all the same");
    assert!(facts.chain[0].left(Timestamp::now()) < 0.0);
    insta::assert_snapshot!(refused(&expired, &authority), @"the certificate of app.test does not verify: it expired at 2021-01-01T00:00:00Z");

    let other = authority.server(&["other.test"]).unwrap();
    insta::assert_snapshot!(refused(&other, &authority), @"the certificate of app.test does not verify: it is for other.test, and not for app.test");

    let own = Identity::self_signed(NAMES).unwrap();
    assert!(facts_of(&own, &authority).chain[0].is_self_signed());
    insta::assert_snapshot!(refused(&own, &authority), @"the certificate of app.test does not verify: it is self-signed, and not trusted here");

    let intermediate = authority.intermediate().unwrap();
    let incomplete = intermediate.server(NAMES).unwrap();
    insta::assert_snapshot!(refused(&incomplete, &authority), @"the certificate of app.test does not verify: no trusted authority is called CN=throw-away intermediate authority; the server sent 1 certificate, and may have left out an intermediate one");
    let complete = incomplete.followed_by(intermediate.cert_pem());
    let facts = facts_of(&complete, &authority);
    assert_eq!((facts.verified, facts.chain.len()), (Ok(()), 2));
    assert!(facts.chain[1].is_authority);

    let early = authority
        .server_between(NAMES, SystemTime::now() + DAY, SystemTime::now() + 2 * DAY)
        .unwrap();
    assert!(refused(&early, &authority).contains("it is not valid before 2"));
    // Another authority of the same name.
    let stranger = Authority::new().unwrap();
    assert!(
        facts_of(&authority.server(NAMES).unwrap(), &stranger)
            .verified
            .is_err()
    );
}

#[test]
fn what_is_not_tls_is_said_to_be_something_else() {
    let plain = RawServer::start(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let failure = inspect(
        "app.test",
        plain.address(),
        Starttls::None,
        &TlsOptions::default(),
        soon(),
        &Cancel::new(),
    )
    .unwrap_err();
    assert_eq!(failure.kind(), Kind::Tls, "{failure}");
    assert!(failure.text().contains("is not TLS"), "{failure}");
}

/// OpenSSL still speaks what it is told to.
#[test]
fn a_real_server_of_old_protocols_is_recognised() {
    let openssl = fh_testkit::require!(fh_testkit::OpenSsl::try_start());
    let authority = Authority::new().unwrap();
    let identity = authority.server(NAMES).unwrap();
    for (options, expected) in [
        (&["-tls1"][..], [true, false]),
        (&["-tls1_1"], [false, true]),
        (&[], [true, true]),
        (&["-no_tls1", "-no_tls1_1"], [false, false]),
    ] {
        let server = openssl.serve(&identity, options).unwrap();
        let cancel = Cancel::new();
        let accepted = OldProtocol::ALL.map(|version| {
            accepts_old(
                version,
                "app.test",
                server.address,
                Starttls::None,
                soon(),
                &cancel,
            )
            .unwrap()
        });
        assert_eq!(accepted, expected, "{options:?}");
    }
}

/// A server that picks whatever version it is offered, as RFC 4346 §7.4.1.3 lays the answer out; and one that does not.
#[test]
fn old_protocols_are_noticed_where_they_are_accepted() {
    let agreeable = RawServer::start(|mut stream| {
        let mut hello = [0; 11];
        stream.read_exact(&mut hello)?;
        let answer = [22, 3, 1, 0, 6, 2, 0, 0, 2, hello[9], hello[10]];
        stream.write_all(&answer)
    });
    let authority = Authority::new().unwrap();
    let modern = Webhook::start_tls(&authority.server(NAMES).unwrap(), [Reply::status(200)]);
    let silent = RawServer::start(|mut stream| stream.read_exact(&mut [0; 11]));
    for version in OldProtocol::ALL {
        let asked = |address| {
            accepts_old(
                version,
                "app.test",
                address,
                Starttls::None,
                soon(),
                &Cancel::new(),
            )
        };
        assert!(asked(agreeable.address()).unwrap(), "{version}");
        assert!(!asked(modern.address()).unwrap(), "{version}");
        assert!(!asked(silent.address()).unwrap(), "{version}");
        let plain = RawServer::start(|mut stream| stream.write_all(b"220 mail.test ESMTP ready\r\n"));
        assert_eq!(asked(plain.address()).unwrap_err().kind(), Kind::Protocol);
    }
}

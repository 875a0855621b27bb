//! A name with an address that this machine has no way to, as an IPv6 address is where there is no IPv6.

use std::net::SocketAddr;
use std::sync::Arc;

use fh_core::report::Status;
use fh_testkit::certs::{Authority, TlsFiles};
use fh_testkit::webhook::{Reply, Webhook};

use crate::round::Round;

/// Broadcasting needs a permission that nobody asks for, so there is no way to this address on any machine.
const FAR: [u8; 4] = [255, 255, 255, 255];

#[test]
fn an_address_without_a_way_to_it_is_named_and_not_judged() {
    let authority = Authority::new().unwrap();
    let files = TlsFiles::new(&authority, authority.server(&["app.example"]).unwrap()).unwrap();
    let server = Webhook::answering_tls(&files.identity, |_| Reply::status(200));
    let (port, ca) = (server.address().port(), files.ca_pem_path.display());
    let toml = format!(
        "[[health.http]]\nname = 'app'\nurl = 'https://app.example:{port}/'\nca_file = '{ca}'\n\
         [[health.tls]]\nname = 'app'\nhost = 'app.example'\nport = {port}\nca_file = '{ca}'\n\
         [[health.tcp]]\nname = 'app'\nhost = 'app.example'\nport = {port}\n"
    );
    let both: fh_http::Lookup = Arc::new(|_, port| {
        Ok([FAR, [127, 0, 0, 1]]
            .map(|address| SocketAddr::from((address, port)))
            .to_vec())
    });
    let found = Round::of(&toml).resolving(both).run();
    let named = format!("255.255.255.255:{port}: not asked, because this machine has no way to it");
    for id in ["http.app", "tls.app", "tcp.app"] {
        let check = found.expect(id, Status::Pass);
        assert!(check.evidence.contains(&named), "{check:#?}");
        assert!(!check.summary.contains("addresses"), "{check:#?}");
    }
    found.expect("tls.app.expiry", Status::Pass);

    // Where there is no way at all, that is no good news.
    let nowhere: fh_http::Lookup = Arc::new(|_, port| Ok(vec![SocketAddr::from((FAR, port))]));
    let found = Round::of(&toml).resolving(nowhere).run();
    for id in ["http.app", "tls.app", "tcp.app"] {
        found.expect(id, Status::Fail);
    }
}

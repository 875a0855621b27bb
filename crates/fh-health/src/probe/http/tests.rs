//! Several addresses of one name, which a test cannot have in its DNS.

use fh_core::Cancel;
use fh_core::report::Status;
use fh_testkit::webhook::{Reply, Webhook};

use super::*;

fn answer_of(address: std::net::SocketAddr, expect: &Expect) -> Answer {
    let mut request = Request::get("http://app.example/").unwrap();
    request.connect_to = Some(address);
    let result = fh_http::exchange(&request, Deadline::never(), &Cancel::new());
    Answer::new(Some(address), result, expect)
}

#[test]
fn one_dead_address_of_three_is_a_failure_that_names_it() {
    let [good, broken] = [200, 503].map(|status| Webhook::start([Reply::status(status)]));
    let dead = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap()
    };
    let entry: HealthHttp = serde_json::from_value(serde_json::json!({
        "name": "app", "url": "http://app.example/"
    }))
    .unwrap();
    let web = Web {
        id: "http.app".into(),
        request: Request::get(&entry.url).unwrap(),
        expect: Expect::new(&entry).unwrap(),
        entry,
    };
    let of = |address| answer_of(address, &web.expect);
    let check = web.judge(&[of(good.address()), of(dead), of(broken.address())], None);
    assert_eq!(check.status, Status::Fail);
    assert!(
        check.summary.starts_with("2 of 3 addresses: "),
        "{}",
        check.summary
    );
    // The bad ones come first, and every one has its line.
    assert!(
        check.evidence[0].starts_with(&dead.to_string()),
        "{:?}",
        check.evidence
    );
    assert!(
        check
            .evidence
            .iter()
            .any(|line| line.starts_with(&format!("{}: 200 in", good.address())))
    );
    let value = |name: &str| {
        check
            .measures
            .iter()
            .find(|measure| measure.name == name)
            .unwrap()
            .value
    };
    assert_eq!((value("addresses"), value("addresses_bad")), (3.0, 2.0));
    let all_good = web.judge(&[of(good.address()), of(good.address())], None);
    assert_eq!(all_good.summary, "all 2 addresses answer 200");
}

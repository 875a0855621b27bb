//! Whether http leads to https on the same host.

use fh_http::Kind;
use fh_scenario::Security;
use fh_scenario::run::Runner;
use url::Url;

use super::Ruling;
use crate::page;

/// Asks over http and follows a few steps.
pub(super) fn ruling(runner: &Runner<'_>, security: &Security, page: &Url) -> Ruling {
    let rule = |points, says: String| Ruling::new("redirection", points, says);
    let mut url = match &security.http_base {
        Some(base) => match Url::parse(base) {
            Ok(base) => base,
            Err(error) => return rule(-20, format!("http_base is no URL: {error}")),
        },
        None => {
            let mut url = page.clone();
            // Both can fail only for URLs without a host, and this one has one.
            let _ = url.set_port(None);
            let _ = url.set_scheme("http");
            url
        }
    };
    let mut first: Option<Url> = None;
    for _ in 0..5 {
        let response = match page::get(runner, &url) {
            Ok(response) => response,
            Err(failure) if first.is_none() && failure.kind() == Kind::Connect => {
                return rule(0, "nothing listens on http".into());
            }
            Err(failure) => return rule(-20, format!("http does not answer: {failure}")),
        };
        let target = (300..400)
            .contains(&response.status)
            .then(|| response.header("location").and_then(|to| url.join(to).ok()))
            .flatten();
        let Some(target) = target else {
            return match first {
                None => rule(
                    -20,
                    format!("http answers with status {}, and no redirect", response.status),
                ),
                Some(_) => rule(-20, "http redirects, and never to https".into()),
            };
        };
        let at_once = first.is_none();
        first.get_or_insert(target.clone());
        if target.scheme() == "https" {
            let same_host = target.host_str() == url.host_str();
            return match (at_once, same_host) {
                (true, true) => rule(0, "http leads to https on the same host".into()),
                (true, false) => rule(
                    -5,
                    format!(
                        "http leads to {} first, where HSTS is of another host",
                        target.host_str().unwrap_or_default()
                    ),
                ),
                (false, _) => rule(-10, "http leads to another page of http first".into()),
            };
        }
        url = target;
    }
    rule(-20, "http redirects, and not to https".into())
}

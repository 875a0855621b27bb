//! Scripts of other origins, and whether a hash binds them (W3C Subresource Integrity).

use fh_http::Response;
use fh_scenario::html::elements;
use url::Url;

use super::Ruling;

/// What the page's scripts are worth.
pub(super) fn ruling(page: &Url, response: &Response) -> Ruling {
    let rule = |points, says: String| Ruling::new("subresource-integrity", points, says);
    if response.media_type().as_deref() != Some("text/html") {
        return rule(0, "the page is not HTML".into());
    }
    let (mut bound, mut loose) = (0, Vec::new());
    for element in elements(response.text().unwrap_or_default()) {
        if element.name != "script" {
            continue;
        }
        let Some(url) = element.attribute("src").and_then(|src| page.join(src).ok()) else {
            continue;
        };
        if url.scheme() == "http" && page.scheme() == "https" {
            return rule(-50, format!("the script {url} comes over http"));
        }
        if url.origin() == page.origin() {
            continue;
        }
        if element
            .attribute("integrity")
            .is_some_and(|hash| !hash.trim().is_empty())
        {
            bound += 1;
        } else {
            loose.push(url.host_str().unwrap_or_default().to_owned());
        }
    }
    match (bound, loose.first()) {
        (_, Some(host)) => rule(-5, format!("a script of {host} has no integrity attribute")),
        (0, None) => rule(0, "all scripts are of the page's own origin".into()),
        (_, None) => rule(5, "all scripts of other origins are bound by a hash".into()),
    }
}

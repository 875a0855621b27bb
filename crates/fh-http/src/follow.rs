//! Redirects, followed as far as the caller allows.

use bytes::Bytes;
use fh_core::{Cancel, Deadline};

use crate::exchange::exchange;
use crate::failure::{Failure, Kind, Phase};
use crate::request::{Request, check_url};
use crate::response::Response;

/// Every answer on the way, the last one last.
#[derive(Debug, Clone)]
pub struct Hops {
    /// Each request's URL with its answer; never empty.
    pub hops: Vec<(url::Url, Response)>,
}

impl Hops {
    /// The answer at the end of the way.
    #[must_use]
    pub fn last(&self) -> Option<&Response> {
        self.hops.last().map(|(_, response)| response)
    }
}

/// Asks, and follows up to `limit` redirects (RFC 9110 §15.4): 303, and 301 and 302 to a POST, become a GET; 307 and 308
/// repeat the request. To another origin goes nothing that the caller gave: no header, whatever its name, because any may
/// hold a secret; no body, which is an error where it would have to be sent; nor the address that was chosen for the first
/// one.
///
/// # Errors
/// The first failed exchange; a redirect beyond the limit, or to a place that cannot be asked, is a [`Kind::Protocol`].
pub fn follow(request: &Request, limit: usize, deadline: Deadline, cancel: &Cancel) -> Result<Hops, Failure> {
    let mut hops = Vec::new();
    let mut current = request.clone();
    loop {
        let response = exchange(&current, deadline, cancel)?;
        let next = redirected(&current, &response);
        let here = current.url.clone();
        let (phases, peer) = (response.phases, response.peer);
        hops.push((here, response));
        let wrong =
            |text: String| Failure::new(Phase::FirstByte, Kind::Protocol, text).after(phases, Some(peer));
        match next {
            None => return Ok(Hops { hops }),
            Some(Err(text)) => return Err(wrong(text)),
            Some(Ok(_)) if hops.len() > limit => {
                let way: Vec<String> = hops.iter().map(|(url, _)| shown(url)).take(4).collect();
                return Err(wrong(format!(
                    "more than {limit} redirects: {} → …",
                    way.join(" → ")
                )));
            }
            Some(Ok(request)) => current = request,
        }
    }
}

/// A URL without its query, which may hold a token.
fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// The request that an answer redirects to, by the rules of [`follow`]; `None` when it does not redirect.
///
/// # Errors
/// Why there is nothing to ask where it redirects to.
pub fn redirected(request: &Request, response: &Response) -> Option<Result<Request, String>> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.header("location")?;
    let url = match request.url.join(location) {
        Ok(url) => url,
        Err(error) => return Some(Err(format!("a redirect leads to `{location}`: {error}"))),
    };
    if let Err(error) = check_url(&url) {
        return Some(Err(format!("a redirect leads astray: {error}")));
    }
    let mut next = request.clone();
    let to_get = match response.status {
        303 => request.method != "HEAD",
        301 | 302 => request.method == "POST",
        _ => false,
    };
    if to_get {
        next.method = "GET".into();
        next.body = Bytes::new();
        drop_headers(&mut next, &["content-type", "content-length", "content-encoding"]);
    }
    if url.origin() != request.url.origin() {
        if !next.body.is_empty() {
            let origin = url.origin().ascii_serialization();
            return Some(Err(format!(
                "a redirect leads to another origin, {origin}, and the body is not sent there"
            )));
        }
        next.headers.clear();
        next.connect_to = None;
        next.tls.server_name = None;
    }
    next.url = url;
    Some(Ok(next))
}

fn drop_headers(request: &mut Request, names: &[&str]) {
    request
        .headers
        .retain(|(have, _)| !names.iter().any(|name| have.eq_ignore_ascii_case(name)));
}

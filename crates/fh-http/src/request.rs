//! What to ask.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

/// How TLS is spoken.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificates of further authorities to trust beside the system's, PEM.
    pub extra_roots: Vec<u8>,
    /// Trust only [`Self::extra_roots`], and not the system's store.
    pub only_extra_roots: bool,
    /// Go on with a certificate that does not verify; [`crate::tls::TlsFacts::verified`] says why it did not.
    pub accept_unverified: bool,
    /// The name to ask for and to verify instead of the URL's host.
    pub server_name: Option<String>,
}

/// One request. The fields are public; [`Request::new`] fills in what most callers want.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Where to; http or https, without user and password.
    pub url: Url,
    /// Headers, in order. `host`, `accept`, `accept-encoding: identity`, `user-agent` and `connection: close` are added
    /// unless they are given.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// The address to speak to instead of what the URL's host resolves to. Host header and TLS name stay the URL's.
    pub connect_to: Option<SocketAddr>,
    /// How much of the answer's body to read, in bytes.
    pub max_body: usize,
    /// The time for this exchange; the run's deadline bounds it further.
    pub timeout: Duration,
    /// How TLS is spoken.
    pub tls: TlsOptions,
}

/// The largest body that is read unless the caller says otherwise: 8 MiB.
const MAX_BODY: usize = 8 << 20;

/// The time for one exchange unless the caller says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Request {
    /// A request without headers and body.
    ///
    /// # Errors
    /// When the URL cannot be used, see [`RequestError`].
    pub fn new(method: impl Into<String>, url: &str) -> Result<Self, RequestError> {
        Ok(Self::to(method, parse_url(url)?))
    }

    /// A `GET`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn get(url: &str) -> Result<Self, RequestError> {
        Self::new("GET", url)
    }

    /// A request to a URL that was checked before.
    #[must_use]
    pub fn to(method: impl Into<String>, url: Url) -> Self {
        Self {
            method: method.into(),
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            connect_to: None,
            max_body: MAX_BODY,
            timeout: TIMEOUT,
            tls: TlsOptions::default(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Whether a header of this name is given.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(have, _)| have.eq_ignore_ascii_case(name))
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host without brackets, and the port.
    #[must_use]
    pub fn host_and_port(&self) -> (String, u16) {
        host_and_port(&self.url)
    }
}

/// The host without brackets, and the port, of a URL that [`parse_url`] accepted.
pub(crate) fn host_and_port(url: &Url) -> (String, u16) {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host.to_owned(), url.port_or_known_default().unwrap_or(80))
}

/// Why a URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError(pub(crate) String);

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RequestError {}

/// Reads a URL that can be asked: http or https, with a host, without user and password.
pub(crate) fn parse_url(text: &str) -> Result<Url, RequestError> {
    let url = Url::parse(text).map_err(|error| RequestError(format!("`{text}` is no URL: {error}")))?;
    check_url(&url)?;
    Ok(url)
}

pub(crate) fn check_url(url: &Url) -> Result<(), RequestError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(RequestError(format!(
            "the URL begins with {}:, and only http: and https: can be asked",
            url.scheme()
        )));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(RequestError("the URL has no host".into()));
    }
    // They would show in every message that names the URL.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RequestError(
            "the URL holds a user or password; give them as authentication instead".into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_asked_is_accepted() {
        for wrong in [
            "app.example.com",
            "ftp://h/",
            "http://",
            "https://u:p@h/",
            "file:///etc/passwd",
        ] {
            assert!(Request::get(wrong).is_err(), "{wrong}");
        }
        let said = Request::get("https://user:hidden@h/").unwrap_err().to_string();
        assert!(!said.contains("hidden"), "{said}");
    }

    #[test]
    fn host_and_port_are_those_to_connect_to() {
        let of = |url: &str| Request::get(url).unwrap().host_and_port();
        assert_eq!(of("https://h.example/x"), ("h.example".to_owned(), 443));
        assert_eq!(of("http://[::1]:8080/"), ("::1".to_owned(), 8080));
    }
}

//! What came back.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::tls::TlsFacts;

/// How long each phase took. A phase that was not needed or not reached is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// From the name to its addresses; `None` when the address was given.
    pub dns: Option<Duration>,
    /// TCP, over all addresses that were tried.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the sent request to the head of the answer.
    pub first_byte: Option<Duration>,
    /// From the head to the end of the body, or to the limit.
    pub body: Option<Duration>,
    /// Everything, from the beginning of the name look-up.
    pub total: Duration,
}

impl Phases {
    /// The time to first byte as people measure it (curl's `time_starttransfer`): from the very beginning to the head of
    /// the answer. `None` when no answer came.
    #[must_use]
    pub fn time_to_first_byte(&self) -> Option<Duration> {
        let before = [self.dns, self.connect, self.tls].into_iter().flatten();
        self.first_byte.map(|wait| wait + before.sum::<Duration>())
    }
}

/// An answer, complete up to the size that the caller allowed.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// All headers, names in lower case. Bytes that are not ASCII are read as ISO-8859-1 (RFC 9110 §5.5).
    pub headers: Vec<(String, String)>,
    /// The body, at most `max_body` bytes of it.
    pub body: Bytes,
    /// Whether the body was longer than `max_body`, and what is beyond was not read.
    pub truncated: bool,
    /// How long each phase took.
    pub phases: Phases,
    /// The address that answered.
    pub peer: SocketAddr,
    /// What the certificate said, for https.
    pub tls: Option<TlsFacts>,
}

impl Response {
    /// The first header of this name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Every header of this name, in the order they came.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The media type without its parameters, in lower case, such as `text/html`.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?.split(';').next()?;
        Some(value.trim().to_ascii_lowercase()).filter(|kind| !kind.is_empty())
    }

    /// The coding that the body is still in, such as `gzip`: this crate asks for none and undoes none, so that no small
    /// answer can become a large one.
    #[must_use]
    pub fn coding(&self) -> Option<&str> {
        self.header("content-encoding")
            .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
    }

    /// The body as text.
    ///
    /// # Errors
    /// Why it is none: cut off, still encoded, not UTF-8.
    pub fn text(&self) -> Result<&str, String> {
        if let Some(coding) = self.coding() {
            return Err(format!(
                "the body is {coding}-encoded, although that was not asked for"
            ));
        }
        if self.truncated {
            return Err(format!(
                "the body is longer than {} bytes and was not read to its end",
                self.body.len()
            ));
        }
        std::str::from_utf8(&self.body).map_err(|error| {
            format!(
                "the body is not UTF-8: wrong byte at offset {}",
                error.valid_up_to()
            )
        })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// Why it is none, with line and column.
    pub fn json(&self) -> Result<serde_json::Value, String> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return Err("the body is empty, and not JSON".into());
        }
        serde_json::from_str(text).map_err(|error| format!("the body is not JSON: {error}"))
    }
}

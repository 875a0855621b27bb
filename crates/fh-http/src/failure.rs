//! Why an exchange gave no answer, and in which phase.

use std::fmt;
use std::net::SocketAddr;

use crate::response::Phases;
use crate::tls::TlsFacts;

/// The parts of an exchange, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Making the request itself.
    Request,
    /// From a name to addresses.
    Dns,
    /// TCP.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending the request and waiting for the answer's head.
    FirstByte,
    /// Reading the body.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Request => "request",
            Self::Dns => "name lookup",
            Self::Connect => "connect",
            Self::Tls => "TLS handshake",
            Self::FirstByte => "waiting for the answer",
            Self::Body => "reading the body",
        })
    }
}

/// What kind of failure it was: what retries and health checks decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be sent as it is: an impossible header or URL.
    Request,
    /// The name has no address, or could not be looked up.
    Dns,
    /// No connection: refused, unreachable.
    Connect,
    /// No TLS: no common version, a certificate that does not verify.
    Tls,
    /// The time was up.
    Timeout,
    /// A head that is larger than any honest one.
    TooLarge,
    /// Not HTTP as RFC 9112 has it.
    Protocol,
    /// The server closed the connection before the answer was complete.
    Closed,
    /// Somebody asked this process to stop.
    Cancelled,
}

impl Kind {
    /// The word in machine formats.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Protocol => "protocol",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An exchange that gave no answer.
#[derive(Debug, Clone)]
pub struct Failure(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    phase: Phase,
    kind: Kind,
    text: String,
    phases: Phases,
    peer: Option<SocketAddr>,
    tls: Option<TlsFacts>,
}

impl Failure {
    pub(crate) fn new(phase: Phase, kind: Kind, text: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            phase,
            kind,
            text: text.into(),
            phases: Phases::default(),
            peer: None,
            tls: None,
        }))
    }

    pub(crate) fn after(mut self, phases: Phases, peer: Option<SocketAddr>) -> Self {
        self.0.phases = phases;
        self.0.peer = self.0.peer.or(peer);
        self
    }

    pub(crate) fn with_tls(mut self, facts: Option<TlsFacts>) -> Self {
        self.0.tls = self.0.tls.or(facts);
        self
    }

    /// The phase in which it failed.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What happened, in words, with the name or address that it happened to.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// How long the phases took that were reached.
    #[must_use]
    pub fn phases(&self) -> &Phases {
        &self.0.phases
    }

    /// The address that was spoken to, when there was one.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.peer
    }

    /// What the certificate said, when one was shown; also when it did not verify.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.0.tls.as_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for fh_core::Error {
    /// Exit code 3, or the signal's when the run was stopped by one.
    fn from(failure: Failure) -> Self {
        Self::unable(failure.0.text)
    }
}

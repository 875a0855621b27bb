//! TLS as `sslmode` and `sslrootcert` ask for it (PostgreSQL manual, 34.19), on rustls.

mod client;
mod rds;
mod roots;
mod verifier;

use std::fmt;

pub(crate) use client::{client_config, server_name};
pub(crate) use rds::is_rds_host;
pub use rds::{RootExpiry, rds_roots, rds_roots_expiry};
pub(crate) use roots::bundle_pem;

/// How a session is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsState {
    /// A Unix socket: nothing leaves this machine.
    Socket,
    /// TCP without TLS: everybody on the way can read and change everything.
    Plain {
        /// Why it is so.
        because: String,
    },
    /// TLS.
    Encrypted {
        /// What is known about who is at the other end.
        server: Proven,
    },
}

/// What the server's certificate was checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proven {
    /// Nothing: whoever sits in between could be the server.
    Nothing,
    /// Signed by a trusted authority.
    Authority,
    /// Signed by a trusted authority for this very host.
    Host,
}

impl TlsState {
    /// Whether what is sent can be read on the way.
    #[must_use]
    pub fn is_private(&self) -> bool {
        !matches!(self, Self::Plain { .. })
    }
}

impl fmt::Display for TlsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket => f.write_str("Unix socket"),
            Self::Plain { because } => write!(f, "no TLS ({because})"),
            Self::Encrypted {
                server: Proven::Nothing,
            } => f.write_str("TLS, certificate not checked"),
            Self::Encrypted {
                server: Proven::Authority,
            } => f.write_str("TLS, authority checked, host name not"),
            Self::Encrypted { server: Proven::Host } => f.write_str("TLS, authority and host name checked"),
        }
    }
}

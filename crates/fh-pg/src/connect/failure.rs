//! Why an attempt failed, and what to try or to say next.

use std::io;
use std::time::Duration;

use fh_core::Error;
use rustls::CertificateError;

use crate::target::SslMode;

/// Why one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The name has no address.
    LookUp(io::Error),
    /// No connection.
    Dial(io::Error),
    /// The connection broke before the log-in was through.
    Talk(io::Error),
    /// No answer in time.
    TimedOut(Duration),
    /// The server does not do TLS and the mode insists.
    NoTls { mode: SslMode },
    /// The certificate is not accepted.
    Certificate { error: CertificateError },
    /// Another failure of the handshake.
    Handshake { error: String },
    /// The server's answer to the log-in, or the library's.
    LogIn(tokio_postgres::Error),
    /// `target_session_attrs` wants another kind of server.
    WrongKind { wanted: &'static str },
    /// An error that needs no more words.
    Ours(Error),
}

/// What libpq would try next (PostgreSQL manual, 34.1.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Address,
    Server,
    Nothing,
}

impl Failure {
    /// Sorts out what the library reports as one kind of error.
    pub(crate) fn from_library(error: tokio_postgres::Error) -> Self {
        let source = std::error::Error::source(&error);
        if let Some(cause) = source.and_then(|source| source.downcast_ref::<io::Error>()) {
            if let Some(tls) = cause
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            {
                return match tls {
                    rustls::Error::InvalidCertificate(reason) => Self::Certificate {
                        error: reason.clone(),
                    },
                    other => Self::Handshake {
                        error: other.to_string(),
                    },
                };
            }
            return Self::Talk(io::Error::new(cause.kind(), cause.to_string()));
        }
        Self::LogIn(error)
    }

    pub(crate) fn next(&self) -> Next {
        match self {
            Self::Dial(_) => Next::Address,
            Self::LookUp(_) | Self::TimedOut(_) | Self::WrongKind { .. } => Next::Server,
            // "cannot connect now": starting up or shutting down.
            Self::LogIn(error) if error.code().is_some_and(|code| code.code() == "57P03") => Next::Server,
            _ => Next::Nothing,
        }
    }

    /// Whether the server turned this kind of session away (SQLSTATE 28000), so that the other kind may be welcome.
    pub(crate) fn is_rejection(&self) -> bool {
        matches!(self, Self::LogIn(error) if error.code().is_some_and(|code| code.code() == "28000"))
    }
}

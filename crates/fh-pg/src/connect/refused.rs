//! Why a connection could not be made, and what to do about it.

use std::error::Error as StdError;
use std::io;

use fh_core::Error;
use tokio_postgres::error::DbError;

use crate::error::describe_server;
use crate::target::ConnectionString;

/// The error of a connection that could not be made. Exit code 3.
pub(crate) fn connect_error(target: &ConnectionString, place: &str, error: &(dyn StdError + 'static)) -> Error {
    let what = format!("cannot connect to PostgreSQL at {place}");
    let db = find::<DbError>(error);
    let cause = db.map_or_else(|| deepest(error), describe_server);
    let hint = match db {
        Some(said) => refusal_hint(target, said),
        None => transport_hint(target, place, error, &cause),
    };
    Error::unable(what).because(io::Error::other(cause)).hint(hint)
}

fn refusal_hint(target: &ConnectionString, said: &DbError) -> String {
    match said.code().code() {
        "28P01" => format!("the password of role {} is wrong, or the role does not exist", target.user()),
        "28000" if said.message().contains("no encryption") || said.message().contains("SSL off") => {
            "the server insists on TLS for this host: use sslmode=require or verify-full".to_owned()
        }
        "28000" => format!(
            "the server does not let role {} in from here: check that it exists and may log in, and pg_hba.conf",
            target.user()
        ),
        "3D000" => format!("there is no database {}: correct the name, or create it", target.database()),
        "53300" => "the server has no connection left: wait, or raise max_connections".to_owned(),
        "57P03" => "the server is starting up or shutting down: try again in a moment".to_owned(),
        "42501" => format!("grant CONNECT on database {} to role {}", target.database(), target.user()),
        _ => "see the server's log".to_owned(),
    }
}

fn transport_hint(target: &ConnectionString, place: &str, error: &(dyn StdError + 'static), cause: &str) -> String {
    if let Some(error) = find::<rustls::Error>(error) {
        return tls_hint(error);
    }
    let kind = find::<io::Error>(error).map(io::Error::kind);
    match kind {
        _ if cause.contains("server does not support TLS") => {
            "the server has TLS switched off: turn it on, or use sslmode=prefer where plain text is acceptable".to_owned()
        }
        Some(io::ErrorKind::ConnectionRefused) => {
            format!("nothing listens at {place}: is the server running, and are host and port right?")
        }
        Some(io::ErrorKind::NotFound) => format!("there is no socket at {place}: is the server running on this machine?"),
        Some(io::ErrorKind::TimedOut) => {
            format!("no answer from {place}: does its security group or firewall let this host in?")
        }
        _ if cause.contains("lookup") || cause.contains("Name or service") || cause.contains("resolution") => {
            "the host name cannot be resolved: check its spelling and this machine's DNS".to_owned()
        }
        _ if cause.contains("password missing") => format!(
            "the server asks for a password of role {}: put it into the URL, PGPASSWORD or ~/.pgpass",
            target.user()
        ),
        _ => "check host, port and network; -v shows more".to_owned(),
    }
}

fn tls_hint(error: &rustls::Error) -> String {
    use rustls::CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(Bad::UnknownIssuer) => {
            "the server's certificate comes from an authority that is not trusted here: give its file with sslrootcert"
        }
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "the server's certificate has expired, or this machine's clock is wrong: renew the certificate"
        }
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "the server's certificate is for another host name: connect by that name, or use sslmode=verify-ca"
        }
        _ => "TLS could not be agreed on: check the server's certificate and sslmode",
    }
    .to_owned()
}

/// The first error of that type in the chain. TLS errors hide one level down, inside an [`io::Error`].
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<E>()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The innermost cause: the outer ones of the driver only say "error connecting to server".
fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

//! The words for a failed connection: what, where, as whom, and what to do.

use std::io;

use fh_core::Error;
use rustls::CertificateError;

use super::failure::Failure;
use crate::error::describe;
use crate::target::{ConnectionString, Place, Server};

/// Where the password came from: an operator with a wrong one must know which to correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    None,
    Given,
    Passfile(std::path::PathBuf),
    Source,
}

/// The error of one server.
pub(crate) fn explain(
    failure: Failure,
    target: &ConnectionString,
    server: &Server,
    origin: &Origin,
) -> Error {
    let who = format!("role \"{}\", database \"{}\"", target.user, target.database);
    let cannot = format!("cannot connect to PostgreSQL at {server} ({who})");
    match failure {
        Failure::Ours(error) => error,
        Failure::LookUp(error) => Error::unable(format!("cannot find the host of PostgreSQL at {server} ({who})"))
            .because(error)
            .hint("check the name, and whether this machine can resolve it: getent hosts NAME"),
        Failure::Dial(error) => {
            let hint = dial_hint(&error, server);
            Error::unable(cannot).because(error).hint(hint)
        }
        Failure::Talk(error) => Error::unable(format!("PostgreSQL at {server} broke the connection off during the log-in ({who})"))
            .because(error)
            .hint("is it PostgreSQL that listens there? If it is, see the server's log"),
        Failure::TimedOut(limit) => Error::unable(cannot)
            .because(format!("the server did not answer within {limit:?}"))
            .hint("a firewall, a security group or a missing route may swallow the packets; or the server is overloaded"),
        Failure::NoTls { mode } => Error::unable(cannot)
            .because(format!("the server does not offer TLS, and sslmode={} insists on it", mode.as_str()))
            .hint("turn ssl on in the server's postgresql.conf; if nobody can listen on the way, say sslmode=disable"),
        Failure::Certificate { error } => certificate(&error, server, &cannot),
        Failure::Handshake { error } => Error::unable(format!("the TLS handshake with PostgreSQL at {server} failed ({who})"))
            .because(error)
            .hint("the server must do TLS 1.2 or 1.3; if it wants a client certificate, give sslcert and sslkey"),
        Failure::WrongKind { wanted } => Error::unable(cannot)
            .because(format!("the server is not what target_session_attrs={wanted} asks for"))
            .hint("connect to another server of the cluster, or leave target_session_attrs out"),
        Failure::LogIn(error) => log_in(&error, target, server, origin),
    }
}

/// The error when every server of several was tried in vain.
pub(crate) fn explain_all(errors: Vec<(String, Error)>, target: &ConnectionString) -> Error {
    let hint = errors.first().and_then(|(_, error)| error.advice());
    let reasons: Vec<String> = errors
        .into_iter()
        .map(|(_, error)| match error.causes().first() {
            Some(cause) => format!("{}: {cause}", error.message()),
            None => error.message(),
        })
        .collect();
    let error = Error::unable(format!(
        "cannot connect to PostgreSQL at any of {} (role \"{}\", database \"{}\")",
        target.place(),
        target.user,
        target.database
    ))
    .because(reasons.join("; "));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn dial_hint(error: &io::Error, server: &Server) -> String {
    match (&server.place, error.kind()) {
        (Place::Socket(folder), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => format!(
            "no server listens on the socket {}/.s.PGSQL.{}: is it running, and is this its unix_socket_directories and port?",
            folder.display(),
            server.port
        ),
        (Place::Socket(_), io::ErrorKind::PermissionDenied) => {
            "this user may not use the socket: see unix_socket_permissions, and the rights of its folder"
                .into()
        }
        (_, io::ErrorKind::ConnectionRefused) => {
            "is the server running, and does it listen on this address and port (listen_addresses, port)?"
                .into()
        }
        _ => "is there a route to it, and do firewalls and security groups let this machine through?".into(),
    }
}

/// `cannot` says where and as whom; what is wrong with the certificate is the cause.
fn certificate(error: &CertificateError, server: &Server, cannot: &str) -> Error {
    let name = match &server.place {
        Place::Tcp { host, .. } => host.as_str(),
        Place::Socket(_) => "",
    };
    let (cause, hint) = match error {
        CertificateError::Expired => ("the server's certificate has expired".into(), RENEW.into()),
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("the server's certificate has expired on {}", day(not_after.as_secs())), RENEW.into())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("the server's certificate is not valid yet".into(), "is the clock of this machine right?".into())
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let presented: Vec<&str> = presented.iter().map(|name| plain_name(name)).collect();
            let names = if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") };
            (format!("the server's certificate is for {names}, not for {name}"), other_name(name))
        }
        CertificateError::NotValidForName => (format!("the server's certificate is not for {name}"), other_name(name)),
        CertificateError::UnknownIssuer => (
            "the server's certificate is signed by an authority that is not trusted here".into(),
            "give the authority's certificate with sslrootcert=FILE. The authorities of Amazon RDS are built in, but for \
             China, GovCloud and regions opened lately download the region's bundle from \
             https://truststore.pki.rds.amazonaws.com"
                .into(),
        ),
        // Somebody made the authority anew under its old name.
        CertificateError::BadSignature => (
            "the server's certificate is not signed by the authority of that name that is trusted here".into(),
            "the authority has another key than the one in sslrootcert: give the certificate that the server's authority \
             has now. If neither was renewed, somebody may sit in between"
                .into(),
        ),
        other => (
            format!("the server's certificate is not accepted: {other}"),
            "it must be an X.509 certificate of version 3 whose subjectAltName has the host, signed by an authority's \
             certificate"
                .into(),
        ),
    };
    Error::unable(cannot).because(cause).hint(hint)
}

fn other_name(name: &str) -> String {
    format!(
        "connect by a name that the certificate has (subjectAltName), give the server one with {name}, or say \
         sslmode=verify-ca to check the authority only"
    )
}

const RENEW: &str =
    "renew the server's certificate (on RDS: choose a newer certificate authority for the instance)";

/// `DnsName("db.example.com")` and `IpAddress(127.0.0.1)` are how the library writes the names of a certificate.
fn plain_name(text: &str) -> &str {
    let inner = text
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(text);
    inner.trim_matches('"')
}

fn day(seconds: u64) -> String {
    let timestamp = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    timestamp.map_or_else(
        || "an unknown day".into(),
        |timestamp| timestamp.strftime("%Y-%m-%d").to_string(),
    )
}

fn log_in(
    error: &tokio_postgres::Error,
    target: &ConnectionString,
    server: &Server,
    origin: &Origin,
) -> Error {
    let (user, database) = (&target.user, &target.database);
    let Some(said) = error.as_db_error() else {
        return without_answer(error, target, server);
    };
    let text = said.message();
    let made = match said.code().code() {
        "28P01" => {
            let from = match origin {
                Origin::Given => "it came from the connection string or PGPASSWORD".into(),
                Origin::Passfile(file) => format!("it came from {}", file.display()),
                Origin::Source => "it was made for this session: does the role have the right to log in with it (on RDS: rds_iam)?".into(),
                Origin::None => "none was given".into(),
            };
            Error::unable(format!("PostgreSQL at {server} rejects the password of role \"{user}\" (database \"{database}\")"))
                .hint(format!("check the password: {from}. A role that does not exist is rejected the same way"))
        }
        "3D000" => Error::unable(format!("PostgreSQL at {server} has no database \"{database}\" (role \"{user}\")"))
            .hint("check the name at the end of the connection string; psql -l lists the databases"),
        "28000" if text.contains("not permitted to log in") => {
            Error::unable(format!("PostgreSQL at {server} does not let role \"{user}\" log in (database \"{database}\")"))
                .hint(format!("connect as a role that may, or: ALTER ROLE \"{user}\" LOGIN"))
        }
        "28000" if text.contains("does not exist") => {
            Error::unable(format!("PostgreSQL at {server} has no role \"{user}\" (database \"{database}\")"))
                .hint("check the user of the connection string; psql -c '\\du' lists the roles")
        }
        "28000" => Error::unable(format!(
            "PostgreSQL at {server} does not let role \"{user}\" into database \"{database}\" from this machine"
        ))
        .hint(if text.contains("no encryption") || text.contains("SSL off") {
            "the server may accept it with TLS: say sslmode=verify-full or sslmode=require; otherwise pg_hba.conf needs a line for it"
        } else {
            "pg_hba.conf on the server decides who may connect from where and how: it needs a line for this role, database and address"
        }),
        "53300" => Error::unable(format!("PostgreSQL at {server} has no connection left for role \"{user}\" (database \"{database}\")"))
            .hint("see max_connections, the role's and the database's CONNECTION LIMIT and pg_stat_activity; fewer --jobs need fewer"),
        "57P03" => Error::unable(format!("PostgreSQL at {server} takes no connections now (database \"{database}\", role \"{user}\")"))
            .hint("it is starting up, recovering or shutting down: try again in a moment"),
        "42501" => Error::unable(format!(
            "PostgreSQL at {server} does not let role \"{user}\" connect to database \"{database}\""
        ))
        .hint(format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{user}\"")),
        _ => Error::unable(format!("cannot connect to PostgreSQL at {server} (role \"{user}\", database \"{database}\")")),
    };
    made.because(describe(error))
}

/// Errors that the library makes itself.
fn without_answer(error: &tokio_postgres::Error, target: &ConnectionString, server: &Server) -> Error {
    let (user, database) = (&target.user, &target.database);
    let text = describe(error);
    if text.contains("password missing") {
        return Error::unable(format!(
            "PostgreSQL at {server} asks for a password of role \"{user}\", and none is given (database \"{database}\")"
        ))
        .hint("put it into the connection string, into PGPASSWORD, or into the password file ~/.pgpass (mode 0600)");
    }
    let failed = Error::unable(format!(
        "cannot log in to PostgreSQL at {server} (role \"{user}\", database \"{database}\")"
    ));
    let failed = if text.contains("channel binding") {
        failed.hint(
            "channel_binding=require needs TLS and a SCRAM password; the server offers another way to log in",
        )
    } else if text.contains("unsupported authentication") {
        failed.hint("passwords, trust and client certificates are supported; pg_hba.conf asks this role for something else")
    } else {
        failed
    };
    failed.because(text)
}

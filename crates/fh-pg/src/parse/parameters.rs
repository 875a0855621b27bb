//! The parameters libpq knows (PostgreSQL manual, 34.1.2), and what we do with each.

use fh_core::nearest::nearest;
use fh_core::{Error, Result};

/// What becomes of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// We do what it says.
    Obeyed,
    /// It changes nothing that matters to us.
    Ignored,
    /// We cannot do what it says, and to ignore it would be wrong.
    Refused(&'static str),
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// The environment variable with its default.
    pub(super) variable: Option<&'static str>,
    pub(super) purpose: Use,
}

const fn obeyed(name: &'static str, variable: &'static str) -> Parameter {
    Parameter {
        name,
        variable: Some(variable),
        purpose: Use::Obeyed,
    }
}

const fn plain(name: &'static str) -> Parameter {
    Parameter {
        name,
        variable: None,
        purpose: Use::Obeyed,
    }
}

const fn ignored(name: &'static str) -> Parameter {
    Parameter {
        name,
        variable: None,
        purpose: Use::Ignored,
    }
}

const fn refused(name: &'static str, variable: Option<&'static str>, why: &'static str) -> Parameter {
    Parameter {
        name,
        variable,
        purpose: Use::Refused(why),
    }
}

const SERVICE: &str =
    "connection service files are not supported: write the service's settings into the connection string";
const REVOCATION: &str =
    "certificate revocation lists are not supported: leave it out, or use another client";
const OAUTH: &str = "OAuth is not supported: use a password or a client certificate";

/// All parameters of libpq 18.
pub(super) const PARAMETERS: [Parameter; 53] = [
    obeyed("host", "PGHOST"),
    obeyed("hostaddr", "PGHOSTADDR"),
    obeyed("port", "PGPORT"),
    obeyed("dbname", "PGDATABASE"),
    obeyed("user", "PGUSER"),
    obeyed("password", "PGPASSWORD"),
    obeyed("passfile", "PGPASSFILE"),
    obeyed("channel_binding", "PGCHANNELBINDING"),
    obeyed("connect_timeout", "PGCONNECT_TIMEOUT"),
    obeyed("options", "PGOPTIONS"),
    obeyed("application_name", "PGAPPNAME"),
    plain("fallback_application_name"),
    plain("keepalives"),
    plain("keepalives_idle"),
    plain("keepalives_interval"),
    plain("keepalives_count"),
    plain("tcp_user_timeout"),
    obeyed("sslmode", "PGSSLMODE"),
    obeyed("sslnegotiation", "PGSSLNEGOTIATION"),
    obeyed("sslcert", "PGSSLCERT"),
    obeyed("sslkey", "PGSSLKEY"),
    obeyed("sslcertmode", "PGSSLCERTMODE"),
    obeyed("sslrootcert", "PGSSLROOTCERT"),
    obeyed("sslsni", "PGSSLSNI"),
    obeyed("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    obeyed("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    obeyed("gssencmode", "PGGSSENCMODE"),
    obeyed("target_session_attrs", "PGTARGETSESSIONATTRS"),
    obeyed("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    // Our sessions are UTF-8 whatever is said here.
    ignored("client_encoding"),
    ignored("sslcompression"),
    ignored("krbsrvname"),
    ignored("gsslib"),
    ignored("gssdelegation"),
    ignored("min_protocol_version"),
    ignored("max_protocol_version"),
    ignored("authtype"),
    ignored("tty"),
    refused("service", Some("PGSERVICE"), SERVICE),
    refused("servicefile", None, SERVICE),
    refused("sslcrl", Some("PGSSLCRL"), REVOCATION),
    refused("sslcrldir", Some("PGSSLCRLDIR"), REVOCATION),
    refused(
        "sslpassword",
        None,
        "encrypted client keys are not supported: decrypt the key file and protect it with mode 0600",
    ),
    refused(
        "sslkeylogfile",
        None,
        "TLS keys are never written to files: leave it out",
    ),
    refused(
        "requirepeer",
        Some("PGREQUIREPEER"),
        "the socket's owner is not checked: protect the socket's folder instead",
    ),
    refused(
        "require_auth",
        Some("PGREQUIREAUTH"),
        "the way of logging in cannot be pinned: use sslmode=verify-full, or channel_binding=require",
    ),
    refused(
        "replication",
        None,
        "replication sessions are not supported: leave it out",
    ),
    refused(
        "scram_client_key",
        None,
        "SCRAM keys are not supported: use the password",
    ),
    refused(
        "scram_server_key",
        None,
        "SCRAM keys are not supported: use the password",
    ),
    refused("oauth_issuer", None, OAUTH),
    refused("oauth_client_id", None, OAUTH),
    refused("oauth_client_secret", None, OAUTH),
    refused("oauth_scope", None, OAUTH),
];

/// Parameters of other libraries that people carry over, with what to do instead.
const FOREIGN: [(&str, &str); 16] = [
    ("ssl", "write sslmode=verify-full, or sslmode=disable for none"),
    ("sslaccept", "write sslmode=verify-full"),
    (
        "uselibpqcompat",
        "leave it out: sslmode always means what libpq means by it",
    ),
    ("sslfactory", "write sslmode=verify-full"),
    ("username", "write user="),
    ("database", "write dbname="),
    ("schema", LEAVE_OUT),
    ("currentSchema", LEAVE_OUT),
    (
        "search_path",
        "write options=-csearch_path%3Dname in a URL, options='-csearch_path=name' in the key=value form",
    ),
    (
        "statement_timeout",
        "write options=-cstatement_timeout%3D30s in a URL, options='-cstatement_timeout=30s' in the key=value form",
    ),
    ("connection_limit", LEAVE_OUT),
    ("pool_timeout", LEAVE_OUT),
    ("pool_size", LEAVE_OUT),
    ("max_connections", LEAVE_OUT),
    ("pgbouncer", LEAVE_OUT),
    ("statement_cache_size", LEAVE_OUT),
];

const LEAVE_OUT: &str = "it is another library's: leave it out";

/// The parameter called `name`, the one at `position` (counted from 1). `hint` says how a special character is written here.
///
/// # Errors
/// Exit code 2 for a name that libpq does not know. The name is repeated only if we know it from elsewhere, because it may
/// be a piece of a password that was cut in the wrong place.
pub(super) fn find(name: &str, position: usize, hint: &str) -> Result<&'static Parameter> {
    if let Some(found) = PARAMETERS.iter().find(|parameter| parameter.name == name) {
        return Ok(found);
    }
    if let Some((foreign, instead)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
        return Err(Error::usage(format!(
            "the connection string has a parameter `{foreign}`, which libpq does not know"
        ))
        .hint(*instead));
    }
    let error = Error::usage(format!(
        "parameter {position} of the connection string has an unknown name"
    ));
    Err(
        match nearest(name, PARAMETERS.iter().map(|parameter| parameter.name)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!(
                "the names are those of libpq (PostgreSQL manual, 34.1.2); {hint}"
            )),
        },
    )
}

//! Which certificates and versions of TLS.

use std::path::{Path, PathBuf};

use fh_core::{Error, Result};

use super::settings::Settings;
use super::values::choice;
use crate::target::{RootCert, SslMode, TlsOptions};

/// Reads everything about TLS but the mode, which `mode` is.
///
/// # Errors
/// Exit code 2 for a combination that libpq rejects or that we cannot obey.
pub(super) fn tls_options(
    settings: &Settings,
    home: Option<&Path>,
    mode: Option<SslMode>,
) -> Result<TlsOptions> {
    let root_cert = match settings.get("sslrootcert") {
        None => RootCert::Default,
        Some("system") => RootCert::System,
        Some(file) => RootCert::File(file.into()),
    };
    if root_cert == RootCert::System
        && let Some(mode) = mode.filter(|mode| *mode != SslMode::VerifyFull)
    {
        return Err(Error::usage(format!("sslmode={} is too weak for sslrootcert=system", mode.as_str()))
            .hint("every public authority signs for everybody, so the host name must be checked too: sslmode=verify-full"));
    }
    let direct = choice(
        settings,
        "sslnegotiation",
        &[("postgres", false), ("direct", true)],
    )? == Some(true);
    if direct && mode.is_none_or(|mode| mode < SslMode::Require) && root_cert != RootCert::System {
        return Err(Error::usage("sslnegotiation=direct needs a stronger sslmode")
            .hint("add sslmode=require, verify-ca or verify-full"));
    }
    let at_home = |name: &str| home.map(|home| home.join(".postgresql").join(name));
    let existing = |name: &str| at_home(name).filter(|file| file.is_file());
    let wanted = choice(
        settings,
        "sslcertmode",
        &[("disable", Some(false)), ("allow", Some(true)), ("require", None)],
    )?;
    if wanted == Some(None) {
        return Err(Error::usage(format!("{} says require, which cannot be obeyed", settings.called("sslcertmode")))
            .hint("whether the server asks for a certificate is not checked: leave it out, and require it in pg_hba.conf"));
    }
    let client_cert = match (
        wanted.flatten(),
        settings
            .get("sslcert")
            .map(PathBuf::from)
            .or_else(|| existing("postgresql.crt")),
    ) {
        (Some(false), _) | (_, None) => None,
        (_, Some(cert)) => {
            let key = settings
                .get("sslkey")
                .map(PathBuf::from)
                .or_else(|| at_home("postgresql.key"));
            Some((
                cert,
                key.ok_or_else(|| Error::usage("`sslcert` is given and `sslkey` is not").hint("give both"))?,
            ))
        }
    };
    Ok(TlsOptions {
        root_cert,
        home_root_cert: existing("root.crt"),
        client_cert,
        direct,
        sni: choice(settings, "sslsni", &[("0", false), ("1", true)])? != Some(false),
        versions: versions(settings)?,
    })
}

/// TLS 1.0 and 1.1 are never used, so as lower limits they say nothing and as upper limits they forbid everything.
fn versions(settings: &Settings) -> Result<(bool, bool)> {
    let known = [("TLSv1", 10), ("TLSv1.1", 11), ("TLSv1.2", 12), ("TLSv1.3", 13)];
    // Empty means unlimited here (PostgreSQL manual, 34.1.2).
    let limit = |name: &str| {
        if settings.given(name) == Some("") {
            Ok(None)
        } else {
            choice(settings, name, &known)
        }
    };
    let low = limit("ssl_min_protocol_version")?.unwrap_or(12);
    let high = limit("ssl_max_protocol_version")?.unwrap_or(13);
    let versions = (low <= 12 && high >= 12, low <= 13 && high >= 13);
    if versions == (false, false) {
        return Err(
            Error::usage("the TLS versions that the connection string allows leave none to use")
                .hint("TLS 1.2 and 1.3 are supported: leave out ssl_max_protocol_version"),
        );
    }
    Ok(versions)
}

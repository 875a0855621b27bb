//! From settings to typed values: what is missing gets libpq's default, what is impossible is an error.

use std::path::PathBuf;
use std::time::Duration;

use fh_core::{Error, Result};

use super::servers::servers;
use super::settings::Settings;
use super::tls::tls_options;
use super::values::{choice, number, seconds};
use crate::environment::Environment;
use crate::target::{ChannelBinding, ConnectionString, Keepalives, SessionAttrs, SslMode};

const SSL_MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

const SESSION_ATTRS: [(&str, SessionAttrs); 6] = [
    ("any", SessionAttrs::Any),
    ("read-write", SessionAttrs::ReadWrite),
    ("read-only", SessionAttrs::ReadOnly),
    ("primary", SessionAttrs::Primary),
    ("standby", SessionAttrs::Standby),
    ("prefer-standby", SessionAttrs::PreferStandby),
];

const CHANNEL_BINDINGS: [(&str, ChannelBinding); 3] = [
    ("disable", ChannelBinding::Disable),
    ("prefer", ChannelBinding::Prefer),
    ("require", ChannelBinding::Require),
];

/// Makes a target of the settings.
///
/// # Errors
/// Exit code 2 for a value that is impossible or cannot be obeyed.
pub(super) fn resolve(settings: &Settings, environment: &Environment) -> Result<ConnectionString> {
    if choice(
        settings,
        "gssencmode",
        &[("disable", false), ("prefer", false), ("require", true)],
    )? == Some(true)
    {
        return Err(Error::usage(format!(
            "{} says require, which cannot be obeyed",
            settings.called("gssencmode")
        ))
        .hint("Kerberos encryption is not supported: use TLS (sslmode=verify-full)"));
    }
    let user = match settings.get("user").or(environment.user()) {
        Some(user) => user.to_owned(),
        None => {
            return Err(Error::usage(
                "the connection string names no user, and this process's user has no name",
            )
            .hint("write postgresql://user@host/database, or set PGUSER"));
        }
    };
    let home = environment.home();
    let ssl_mode = choice(settings, "sslmode", &SSL_MODES)?;
    let tls = tls_options(settings, home.as_deref(), ssl_mode)?;
    let passfile = settings
        .get("passfile")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".pgpass")));
    Ok(ConnectionString {
        servers: servers(settings)?,
        password: settings.password(),
        password_source: None,
        passfile,
        database: settings.get("dbname").unwrap_or(&user).to_owned(),
        user,
        ssl_mode,
        exact_mode: false,
        tls,
        channel_binding: choice(settings, "channel_binding", &CHANNEL_BINDINGS)?
            .unwrap_or(ChannelBinding::Prefer),
        options: settings.get("options").map(str::to_owned),
        application_name: settings
            .get("application_name")
            .or_else(|| settings.get("fallback_application_name"))
            .map(str::to_owned),
        connect_timeout: seconds(settings, "connect_timeout")?,
        session_attrs: choice(settings, "target_session_attrs", &SESSION_ATTRS)?.unwrap_or(SessionAttrs::Any),
        keepalives: keepalives(settings)?,
        any_order: choice(
            settings,
            "load_balance_hosts",
            &[("disable", false), ("random", true)],
        )? == Some(true),
    })
}

fn keepalives(settings: &Settings) -> Result<Keepalives> {
    let default = Keepalives::default();
    Ok(Keepalives {
        on: number(settings, "keepalives")? != Some(0),
        idle: seconds(settings, "keepalives_idle")?.unwrap_or(default.idle),
        interval: seconds(settings, "keepalives_interval")?.unwrap_or(default.interval),
        count: number(settings, "keepalives_count")?
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count > 0)
            .unwrap_or(default.count),
        user_timeout: number(settings, "tcp_user_timeout")?
            .and_then(|millis| u64::try_from(millis).ok())
            .filter(|millis| *millis > 0)
            .map(Duration::from_millis),
    })
}

//! `postgresql://user:password@host:port,host:port/database?parameter=value` (PostgreSQL manual, 34.1.1.2).
//!
//! No message repeats any part of the URL but parameter names: a misplaced `/` or `@` makes a password look like a host or
//! a port.

use fh_core::{Error, Result};

use super::parameters::find;
use super::settings::Settings;

/// What to do about a character that cut the URL in the wrong place.
pub(super) const ENCODE: &str = "percent-encode special characters of the user name and password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25";

/// Reads what follows `postgresql://`. The cuts are those of libpq, so that both always see the same.
///
/// # Errors
/// Exit code 2 for whatever libpq rejects.
pub(super) fn parse(rest: &str) -> Result<Settings> {
    let mut settings = Settings::default();
    let mut rest = rest;
    // Only an @ before the first / ends the user's part.
    if let Some(end) = rest.find(['@', '/']).filter(|&end| rest[end..].starts_with('@')) {
        let (user, password) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
        store(&mut settings, "user", user)?;
        store(&mut settings, "password", password)?;
        rest = &rest[end + 1..];
    }
    rest = hosts(&mut settings, rest)?;
    if let Some(after) = rest.strip_prefix('/') {
        let end = after.find('?').unwrap_or(after.len());
        // libpq would take it for a part of the name, but `user:12/34@host` is a password that was not encoded, and the name
        // of a database is shown.
        if after[..end].contains('@') {
            return Err(Error::usage("the connection URL has an @ in the name of its database").hint(ENCODE));
        }
        store(&mut settings, "dbname", &after[..end])?;
        rest = &after[end..];
    }
    if let Some(query) = rest.strip_prefix('?') {
        parameters(&mut settings, query)?;
    }
    Ok(settings)
}

/// Reads `host:port,host:port` and returns what follows.
fn hosts<'a>(settings: &mut Settings, mut rest: &'a str) -> Result<&'a str> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    loop {
        let host;
        if let Some(inside) = rest.strip_prefix('[') {
            let end = inside.find(']').ok_or_else(|| {
                Error::usage("the connection URL has an IPv6 address without a closing bracket")
                    .hint("write it as postgresql://user@[2001:db8::1]:5432/database")
            })?;
            host = &inside[..end];
            rest = &inside[end + 1..];
            if host.is_empty() || !(rest.is_empty() || rest.starts_with([':', '/', '?', ','])) {
                return Err(Error::usage("the connection URL has a malformed IPv6 address")
                    .hint("write it as postgresql://user@[2001:db8::1]:5432/database"));
            }
        } else {
            let end = rest.find([':', '/', '?', ',']).unwrap_or(rest.len());
            host = &rest[..end];
            rest = &rest[end..];
        }
        if host.contains('@') {
            return Err(Error::usage("the connection URL has an @ in the name of its host").hint(ENCODE));
        }
        let mut port = "";
        if let Some(after) = rest.strip_prefix(':') {
            let end = after.find(['/', '?', ',']).unwrap_or(after.len());
            port = &after[..end];
            rest = &after[end..];
        }
        hosts.push(host);
        ports.push(port);
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    store(settings, "host", &hosts.join(","))?;
    // libpq takes the ports apart again; all empty means none given.
    store(settings, "port", &ports.join(","))?;
    Ok(rest)
}

fn parameters(settings: &mut Settings, query: &str) -> Result<()> {
    if query.is_empty() {
        return Ok(());
    }
    // One & may end the list.
    let query = query.strip_suffix('&').unwrap_or(query);
    for (position, pair) in (1..).zip(query.split('&')) {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Error::usage("the connection URL has a parameter without a value")
                .hint("write ?name=value&name=value")
        })?;
        if value.contains('=') {
            return Err(Error::usage("the connection URL has a parameter with two `=`")
                .hint("percent-encode = inside a value as %3D, and separate parameters by &"));
        }
        let (name, value) = (decode(name)?, decode(value)?);
        match (name.as_str(), value.as_str()) {
            // The JDBC driver's way to say it, which libpq understands too.
            ("ssl", "true") => settings.obey("sslmode", "require".to_owned()),
            // The old name, which libpq still reads.
            ("requiressl", old) => {
                settings.obey(
                    "sslmode",
                    if old.starts_with('1') { "require" } else { "prefer" }.to_owned(),
                );
            }
            _ => settings.set(find(&name, position, ENCODE)?, value)?,
        }
    }
    Ok(())
}

/// Sets a part of the URL proper; an empty part is one that is not there.
fn store(settings: &mut Settings, name: &'static str, encoded: &str) -> Result<()> {
    if encoded.is_empty() {
        return Ok(());
    }
    settings.obey(name, decode(encoded)?);
    Ok(())
}

/// Undoes percent-encoding. Unlike in HTML forms `+` is a plus.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let (Some(high), Some(low)) = (tail.first().and_then(hex), tail.get(1).and_then(hex)) else {
            return Err(
                Error::usage("the connection URL has a % that two hexadecimal digits do not follow")
                    .hint("a percent sign itself is written %25"),
            );
        };
        if high == 0 && low == 0 {
            return Err(Error::usage("the connection URL has a %00, which no value can hold").hint(ENCODE));
        }
        bytes.push(high << 4 | low);
        rest = &tail[2..];
    }
    // The message of the library would repeat the bytes.
    String::from_utf8(bytes)
        .map_err(|_| Error::usage("the connection URL is not UTF-8 after percent-decoding").hint(ENCODE))
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

//! The servers: hosts, addresses and ports, paired.

use std::net::IpAddr;
use std::path::PathBuf;

use fh_core::{Error, Result};

use super::settings::Settings;
use super::url::ENCODE;
use crate::target::{Place, Server};

/// Where servers keep their sockets: Debian's and Red Hat's packages in the first, PostgreSQL's own default the second.
pub(crate) const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

const DEFAULT_PORT: u16 = 5432;

/// Pairs hosts, addresses and ports (PostgreSQL manual, 34.1.1.3).
///
/// # Errors
/// Exit code 2 when the numbers of them differ, or one is malformed. No message repeats a value: behind a misplaced `:` or
/// `@` stands a password.
pub(super) fn servers(settings: &Settings) -> Result<Vec<Server>> {
    let list = |name: &str| -> Option<Vec<String>> {
        settings
            .get(name)
            .map(|text| text.split(',').map(|item| item.trim().to_owned()).collect())
    };
    let hosts = list("host");
    let addresses = list("hostaddr");
    if let (Some(hosts), Some(addresses)) = (&hosts, &addresses)
        && hosts.len() != addresses.len()
    {
        return Err(Error::usage(format!(
            "the connection string has {} value(s) for `host` and {} for `hostaddr`",
            hosts.len(),
            addresses.len()
        ))
        .hint("give as many addresses as hosts, or leave `hostaddr` out"));
    }
    let count = addresses.as_ref().or(hosts.as_ref()).map_or(1, Vec::len);
    let ports = ports(settings, &list("port").unwrap_or_default(), count)?;
    let item = |list: &Option<Vec<String>>, index: usize| -> Option<String> {
        list.as_ref()
            .and_then(|list| list.get(index))
            .filter(|text| !text.is_empty())
            .cloned()
    };
    ports
        .into_iter()
        .enumerate()
        .map(|(index, port)| {
            let place = place(settings, item(&hosts, index), item(&addresses, index), port)?;
            Ok(Server { place, port })
        })
        .collect()
}

fn place(settings: &Settings, host: Option<String>, address: Option<String>, port: u16) -> Result<Place> {
    let address: Option<IpAddr> = match address {
        Some(text) => Some(text.parse().map_err(|_| {
            Error::usage(format!("{} is not an IP address", settings.called("hostaddr")))
                .hint("use `host` for a name")
        })?),
        None => None,
    };
    match (host, address) {
        (Some(host), None) if host.starts_with('/') => Ok(Place::Socket(host.into())),
        (Some(host), None) if host.starts_with('@') => Err(Error::usage(format!(
            "{} is an abstract Unix socket, which is not supported",
            settings.called("host")
        ))
        .hint("give the folder of a socket file, such as host=/var/run/postgresql")),
        (Some(host), _) if host.contains('@') => Err(Error::usage(format!(
            "{} has an @ in the name of a host",
            settings.called("host")
        ))
        .hint(ENCODE)),
        (Some(host), address) => Ok(Place::Tcp { host, address }),
        (None, Some(address)) => Ok(Place::Tcp {
            host: address.to_string(),
            address: Some(address),
        }),
        (None, None) => Ok(Place::Socket(default_socket_folder(port))),
    }
}

/// The folder whose server is running, else the first that exists. libpq has one of them compiled in.
fn default_socket_folder(port: u16) -> PathBuf {
    let folders = SOCKET_FOLDERS.map(PathBuf::from);
    let file = format!(".s.PGSQL.{port}");
    let running = folders.iter().find(|folder| folder.join(&file).exists());
    running
        .or_else(|| folders.iter().find(|folder| folder.is_dir()))
        .unwrap_or(&folders[0])
        .clone()
}

fn ports(settings: &Settings, given: &[String], count: usize) -> Result<Vec<u16>> {
    let ports = given
        .iter()
        .map(|text| port(settings, text))
        .collect::<Result<Vec<_>>>()?;
    match ports.as_slice() {
        [] => Ok(vec![DEFAULT_PORT; count]),
        [one] => Ok(vec![*one; count]),
        _ if ports.len() == count => Ok(ports),
        _ => Err(Error::usage(format!(
            "{} has {} ports for {count} host(s)",
            settings.called("port"),
            ports.len()
        ))
        .hint("give one port for all hosts, or one for each")),
    }
}

fn port(settings: &Settings, text: &str) -> Result<u16> {
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Not repeated: behind a misplaced : stands a password.
        return Err(Error::usage(format!("{} is not a number", settings.called("port"))).hint(ENCODE));
    }
    match text.parse::<u16>() {
        Ok(port) if port != 0 => Ok(port),
        // Still not repeated: it may be the password of digits in `user:123456/7@host`.
        _ => Err(Error::usage(format!("{} is not between 1 and 65535", settings.called("port")))
            .hint(format!("PostgreSQL's own port is {DEFAULT_PORT}; a password with special characters must be encoded or quoted"))),
    }
}

//! From a name to its addresses, bounded although the system's resolver is not.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Instant;

use fh_core::{Cancel, Deadline};
use tokio::sync::oneshot;

use crate::bounded::{self, Trace};
use crate::failure::{Failure, Kind, Phase};

/// A way from host and port to addresses.
pub type Lookup = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Every address of a host, in the resolver's order, each once.
///
/// The system's resolver (getaddrinfo) can neither be given a time-out nor be stopped, so it runs in a thread of its own
/// that is left behind when the time is up.
///
/// # Errors
/// When the name has no address, the resolver fails, or the deadline passes.
pub fn resolve(
    host: &str,
    port: u16,
    deadline: Deadline,
    cancel: &Cancel,
) -> Result<Vec<SocketAddr>, Failure> {
    resolve_with(system(), host, port, deadline, cancel)
}

/// As [`resolve`], with another way of looking up.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_with(
    lookup: Lookup,
    host: &str,
    port: u16,
    deadline: Deadline,
    cancel: &Cancel,
) -> Result<Vec<SocketAddr>, Failure> {
    let trace = Trace::new();
    bounded::run(
        deadline.remaining(),
        cancel,
        &trace,
        addresses(lookup, host, port, &trace),
    )
}

/// Whether this machine has a way to an address at all: many have none to IPv6. Nothing is sent; the kernel looks into its
/// routing table (connecting a UDP socket, udp(7)).
#[must_use]
pub fn routable(address: SocketAddr) -> bool {
    let own: SocketAddr = if address.is_ipv6() {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
    };
    std::net::UdpSocket::bind(own).is_ok_and(|socket| socket.connect(address).is_ok())
}

/// The addresses of one name, by whether this machine has a way to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Those to ask: the ones that this machine has a way to. When it has a way to none, all of them, because asking says
    /// why.
    pub near: Vec<SocketAddr>,
    /// Those that need not be asked, as this machine has no way to them.
    pub far: Vec<SocketAddr>,
}

impl Places {
    /// Sorts what a name resolved to.
    #[must_use]
    pub fn of(found: Vec<SocketAddr>) -> Self {
        let (near, far): (Vec<_>, Vec<_>) = found.iter().partition(|address| routable(**address));
        if near.is_empty() {
            return Self {
                near: found,
                far: near,
            };
        }
        Self { near, far }
    }

    /// A line for each address that is not asked.
    #[must_use]
    pub fn unasked(&self) -> Vec<String> {
        let line = |address| format!("{address}: not asked, because this machine has no way to it");
        self.far.iter().map(line).collect()
    }
}

/// What the system is configured with: hosts file, DNS.
#[must_use]
pub fn system() -> Lookup {
    Arc::new(|host: &str, port: u16| (host, port).to_socket_addrs().map(Iterator::collect))
}

pub(crate) async fn addresses(
    lookup: Lookup,
    host: &str,
    port: u16,
    trace: &Trace,
) -> Result<Vec<SocketAddr>, Failure> {
    // An address needs no look-up, and a phase that did not happen has no time.
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    trace.enter(Phase::Dns);
    let began = Instant::now();
    let (sender, receiver) = oneshot::channel();
    let name = host.to_owned();
    let failed = |text: String| Failure::new(Phase::Dns, Kind::Dns, text);
    std::thread::Builder::new()
        .name("name lookup".into())
        .spawn(move || {
            // Nobody listens any more when the time is up.
            let _ = sender.send(lookup(&name, port));
        })
        .map_err(|error| failed(format!("cannot look up {host}: no thread for it: {error}")))?;
    let found = receiver
        .await
        .map_err(|_| failed(format!("cannot look up {host}: the look-up broke off")))?
        .map_err(|error| failed(format!("cannot look up {host}: {}", plain(&error))))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(failed(format!("{host} has no address")));
    }
    trace.phases(|phases| phases.dns = Some(began.elapsed()));
    Ok(addresses)
}

/// The resolver's own words, without the standard library's prefix.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ")
        .map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(200))
    }

    #[test]
    fn a_resolver_that_hangs_is_left_behind() {
        let stuck: Lookup = Arc::new(|_, _| {
            std::thread::sleep(Duration::from_secs(120));
            Ok(Vec::new())
        });
        let began = Instant::now();
        let failure = resolve_with(stuck, "slow.example", 80, soon(), &Cancel::new()).unwrap_err();
        assert_eq!((failure.kind(), failure.phase()), (Kind::Timeout, Phase::Dns));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }

    #[test]
    fn each_address_comes_once_and_none_is_a_failure() {
        let twice: Lookup =
            Arc::new(|_, port| Ok(vec![([127, 0, 0, 1], port).into(), ([127, 0, 0, 1], port).into()]));
        let found = resolve_with(twice, "x.example", 81, soon(), &Cancel::new()).unwrap();
        assert_eq!(found, [SocketAddr::from(([127, 0, 0, 1], 81))]);
        let none: Lookup = Arc::new(|_, _| Ok(Vec::new()));
        let failure = resolve_with(none, "x.example", 80, soon(), &Cancel::new()).unwrap_err();
        assert_eq!(failure.kind(), Kind::Dns);
        assert_eq!(failure.text(), "x.example has no address");
    }

    #[test]
    fn the_own_machine_can_be_reached_and_no_address_cannot() {
        assert!(routable(([127, 0, 0, 1], 443).into()));
        // Broadcasting needs a permission that was not asked for.
        assert!(!routable(([255, 255, 255, 255], 443).into()));
    }

    #[test]
    fn what_cannot_be_reached_is_named_unless_nothing_can() {
        let [near, far]: [SocketAddr; 2] = [([127, 0, 0, 1], 443).into(), ([255, 255, 255, 255], 443).into()];
        let places = Places::of(vec![far, near]);
        assert_eq!(
            (places.near.as_slice(), places.far.as_slice()),
            (&[near][..], &[far][..])
        );
        assert_eq!(
            places.unasked(),
            ["255.255.255.255:443: not asked, because this machine has no way to it"]
        );
        let places = Places::of(vec![far]);
        assert_eq!(places.near, [far]);
        assert!(places.unasked().is_empty());
    }

    #[test]
    fn an_address_is_not_looked_up() {
        let broken: Lookup = Arc::new(|_, _| Err(io::Error::other("asked")));
        assert!(resolve_with(Arc::clone(&broken), "::1", 80, soon(), &Cancel::new()).is_ok());
        let failure = resolve_with(broken, "name.example", 80, soon(), &Cancel::new()).unwrap_err();
        assert_eq!(failure.text(), "cannot look up name.example: asked");
    }
}

//! TCP: the first address that accepts.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fh_core::{Cancel, Deadline};
use tokio::net::TcpStream;

use crate::bounded::{self, Trace};
use crate::failure::{Failure, Kind, Phase};

/// How long an address may take before the next one is tried, when there is a next one. Short enough that a dead
/// address does not use up the time, long enough for a lost first packet (RFC 6298 §2.1: one second).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_secs(3);

/// The first of these addresses that accepts a connection, which is closed again.
///
/// # Errors
/// When none does, or the deadline passes.
pub fn first_open(
    addresses: &[SocketAddr],
    deadline: Deadline,
    cancel: &Cancel,
) -> Result<SocketAddr, Failure> {
    let trace = Trace::new();
    bounded::run(deadline.remaining(), cancel, &trace, async {
        tcp(addresses, &trace).await.map(|(_, peer)| peer)
    })
}

/// Connects to the addresses in turn.
pub(crate) async fn tcp(addresses: &[SocketAddr], trace: &Trace) -> Result<(TcpStream, SocketAddr), Failure> {
    trace.enter(Phase::Connect);
    let began = Instant::now();
    let mut refusals: Vec<String> = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        trace.spoke_to(*address);
        let is_last = index + 1 == addresses.len();
        let attempt = TcpStream::connect(*address);
        let connected = if is_last {
            attempt.await
        } else {
            match tokio::time::timeout(NEXT_ADDRESS_AFTER, attempt).await {
                Ok(connected) => connected,
                Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
            }
        };
        match connected {
            Ok(stream) => {
                // Small requests leave at once; an old kernel that refuses still works.
                let _ = stream.set_nodelay(true);
                trace.phases(|phases| phases.connect = Some(began.elapsed()));
                return Ok((stream, *address));
            }
            Err(error) => refusals.push(format!("{address}: {}", plain(&error))),
        }
    }
    Err(Failure::new(
        Phase::Connect,
        Kind::Connect,
        format!("cannot connect to {}", refusals.join("; ")),
    ))
}

/// An I/O error in few words, without the error number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".into(),
        std::io::ErrorKind::ConnectionReset => "connection reset".into(),
        std::io::ErrorKind::TimedOut => "no answer in time".into(),
        std::io::ErrorKind::HostUnreachable => "no route to the host".into(),
        std::io::ErrorKind::NetworkUnreachable => "the network is unreachable".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

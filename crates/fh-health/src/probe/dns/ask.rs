//! Asking a name server: over UDP, again when nothing comes, and over TCP when the answer did not fit.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use fh_core::Deadline;

use super::message::{self, Answer, Kind};

/// How long to wait for a datagram before it is sent again (RFC 1035 §4.2.1 leaves it open; resolvers take 1 to 5 seconds).
const AGAIN: Duration = Duration::from_secs(2);

/// Asks once, in at most what is left of the time.
///
/// # Errors
/// Why there was no answer, in words.
pub(super) fn ask(server: SocketAddr, name: &str, kind: Kind, until: Deadline) -> Result<Answer, String> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|error| format!("no random number for the question: {error}"))?;
    let question = message::question(u16::from_be_bytes(id), name, kind)
        .ok_or_else(|| format!("`{name}` is no name"))?;
    let answer = over_udp(server, &question, kind, until)?;
    if answer.truncated {
        over_tcp(server, &question, kind, until)
    } else {
        Ok(answer)
    }
}

fn over_udp(server: SocketAddr, question: &[u8], kind: Kind, until: Deadline) -> Result<Answer, String> {
    let local: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(local).map_err(|error| error.to_string())?;
    // Connected, so that only this server's datagrams arrive, and that a closed port is heard of.
    socket.connect(server).map_err(|error| error.to_string())?;
    let mut buffer = [0; 4096];
    loop {
        socket.send(question).map_err(|error| plain(&error))?;
        let wait = left(until)?.min(AGAIN);
        let end = Instant::now() + wait;
        loop {
            let now = end.saturating_duration_since(Instant::now());
            if now.is_zero() {
                break;
            }
            socket
                .set_read_timeout(Some(now))
                .map_err(|error| error.to_string())?;
            match socket.recv(&mut buffer) {
                // What is no answer to this question is not ours.
                Ok(length) => {
                    if let Some(answer) = message::answer(&buffer[..length], question, kind) {
                        return Ok(answer);
                    }
                }
                Err(error) if is_timeout(&error) => break,
                Err(error) => return Err(plain(&error)),
            }
        }
    }
}

fn over_tcp(server: SocketAddr, question: &[u8], kind: Kind, until: Deadline) -> Result<Answer, String> {
    let failed = |error: std::io::Error| format!("over TCP: {}", plain(&error));
    let mut stream = TcpStream::connect_timeout(&server, left(until)?).map_err(failed)?;
    stream.set_write_timeout(Some(left(until)?)).map_err(failed)?;
    let length = u16::try_from(question.len()).unwrap_or(u16::MAX).to_be_bytes();
    stream.write_all(&[&length, question].concat()).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut wanted = 2;
    // The length comes first, in two bytes (RFC 1035 §4.2.2).
    while bytes.len() < wanted {
        stream.set_read_timeout(Some(left(until)?)).map_err(failed)?;
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).map_err(failed)? {
            0 => {
                return Err(
                    "over TCP: the server closed the connection before its answer was complete".into(),
                );
            }
            read => bytes.extend_from_slice(&buffer[..read]),
        }
        if bytes.len() >= 2 {
            wanted = 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        }
    }
    message::answer(&bytes[2..wanted], question, kind).ok_or_else(|| "over TCP: that is no answer".into())
}

fn left(until: Deadline) -> Result<Duration, String> {
    match until.remaining() {
        Some(left) if left.is_zero() => Err("no answer in time".into()),
        Some(left) => Ok(left),
        None => Ok(AGAIN),
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    )
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".into(),
        _ if is_timeout(error) => "no answer in time".into(),
        _ => error.to_string(),
    }
}

//! Whether a server still accepts TLS 1.0 or 1.1, which RFC 8996 withdraws. rustls speaks neither, so the first message
//! is made by hand, and only the server's choice is read.

use std::fmt;
use std::net::SocketAddr;

use fh_core::{Cancel, Deadline};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::starttls::{self, Starttls};
use crate::bounded::{self, Trace};
use crate::connect;
use crate::failure::{Failure, Kind, Phase};

/// A withdrawn version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldProtocol {
    /// TLS 1.0 (RFC 2246).
    Tls10,
    /// TLS 1.1 (RFC 4346).
    Tls11,
}

impl OldProtocol {
    /// Both, oldest first.
    pub const ALL: [Self; 2] = [Self::Tls10, Self::Tls11];

    /// The version on the wire.
    const fn wire(self) -> [u8; 2] {
        match self {
            Self::Tls10 => [3, 1],
            Self::Tls11 => [3, 2],
        }
    }
}

impl fmt::Display for OldProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
        })
    }
}

/// Cipher suites that servers of that time have: ECDHE and RSA key exchange with AES-CBC and 3DES (IANA's registry).
const SUITES: [u16; 8] = [0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035, 0x000a, 0xc012];

/// Offers the server nothing newer than `version`, and says whether it agrees.
///
/// # Errors
/// When the server cannot be reached, says something else than TLS, or the deadline passes. A server that closes the
/// connection instead of refusing has refused.
pub fn accepts_old(
    version: OldProtocol,
    host: &str,
    address: SocketAddr,
    starttls: Starttls,
    deadline: Deadline,
    cancel: &Cancel,
) -> Result<bool, Failure> {
    let trace = Trace::new();
    bounded::run(deadline.remaining(), cancel, &trace, async {
        let (mut stream, _) = connect::tcp(&[address], &trace).await?;
        trace.enter(Phase::Tls);
        starttls::ask(&mut stream, starttls).await?;
        if stream.write_all(&hello(version, host)).await.is_err() {
            return Ok(false);
        }
        // Record: type, version, length; then the handshake's type and length, and the version it chose.
        let mut answer = [0; 11];
        if stream.read_exact(&mut answer).await.is_err() {
            // An alert is seven bytes, after which the server hangs up.
            return match answer[0] {
                0 | ALERT => Ok(false),
                _ => Err(not_tls(address)),
            };
        }
        match (answer[0], answer[5]) {
            (ALERT, _) => Ok(false),
            (HANDSHAKE, SERVER_HELLO) => Ok(answer[9..11] == version.wire()),
            _ => Err(not_tls(address)),
        }
    })
}

/// Content types of RFC 5246 §6.2.1.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// Handshake type of RFC 5246 §7.4.
const SERVER_HELLO: u8 = 2;

fn not_tls(address: SocketAddr) -> Failure {
    Failure::new(
        Phase::Tls,
        Kind::Protocol,
        format!("{address} answered with something that is not TLS"),
    )
}

/// A ClientHello (RFC 4346 §7.4.1.2) in a record of its own.
fn hello(version: OldProtocol, host: &str) -> Vec<u8> {
    let mut body = Vec::from(version.wire());
    // The random number protects a session, and there will be none.
    body.extend([0x5a; 32]);
    body.push(0);
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    sized16(&mut body, &suites);
    body.extend([1, 0]);
    let mut extensions = Vec::new();
    // An address is no server name (RFC 6066 §3).
    if host.parse::<std::net::IpAddr>().is_err() && host.len() < 256 {
        let mut entry = vec![0];
        sized16(&mut entry, host.as_bytes());
        let mut list = Vec::new();
        sized16(&mut list, &entry);
        extensions.extend([0, 0]);
        sized16(&mut extensions, &list);
    }
    // supported_groups: x25519, P-256, P-384; ec_point_formats: uncompressed (RFC 8422 §5.1).
    extensions.extend([0, 10, 0, 8, 0, 6, 0, 29, 0, 23, 0, 24]);
    extensions.extend([0, 11, 0, 2, 1, 0]);
    sized16(&mut body, &extensions);
    let mut handshake = vec![1, 0];
    sized16(&mut handshake, &body);
    let mut record = vec![HANDSHAKE, 3, 1];
    sized16(&mut record, &handshake);
    record
}

/// Appends the length in two bytes, and the bytes. All lengths here are far below 64 KiB.
fn sized16(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    to.extend(length.to_be_bytes());
    to.extend(bytes);
}

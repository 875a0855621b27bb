//! From plain text to TLS, for protocols that begin without.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::connect;
use crate::failure::{Failure, Kind, Phase};

/// What is said before the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Starttls {
    /// Nothing.
    #[default]
    None,
    /// PostgreSQL's SSLRequest (PostgreSQL manual, "Message Formats").
    Postgres,
}

/// Length 8, then the code 80877103.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

pub(super) async fn ask(stream: &mut TcpStream, starttls: Starttls) -> Result<(), Failure> {
    if starttls == Starttls::None {
        return Ok(());
    }
    let failed = |error: std::io::Error| {
        Failure::new(
            Phase::Tls,
            Kind::Closed,
            format!("the server broke off: {}", connect::plain(&error)),
        )
    };
    stream.write_all(&SSL_REQUEST).await.map_err(failed)?;
    let mut answer = [0];
    stream.read_exact(&mut answer).await.map_err(failed)?;
    match answer[0] {
        b'S' => Ok(()),
        b'N' => Err(Failure::new(
            Phase::Tls,
            Kind::Tls,
            "the PostgreSQL server does not speak TLS",
        )),
        _ => Err(Failure::new(
            Phase::Tls,
            Kind::Protocol,
            "the answer to SSLRequest is not PostgreSQL's",
        )),
    }
}

//! The bare connection: name look-up, TCP with keepalives or a Unix socket, and the question whether the server does TLS.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::target::{Keepalives, Place, Server};

/// Where exactly to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Bytes that are read ahead. The library asks for eight kilobytes at a time, and a COPY would need a system call for
/// each.
const AHEAD: usize = 128 << 10;

/// A stream of either kind, that may read ahead.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    /// None before [`Socket::read_ahead`].
    ahead: Option<Ahead>,
}

/// What was read and not handed out yet: `bytes[from..to]`.
#[derive(Debug, Default)]
struct Ahead {
    /// [`AHEAD`] bytes, or none before the first read.
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    fn new(stream: Stream) -> Self {
        Self { stream, ahead: None }
    }

    /// From now on more may be read than was asked for. Never before the question about TLS was answered: bytes that an
    /// attacker sent in clear must not be taken for a part of the session (CVE-2021-23222).
    pub(crate) fn read_ahead(mut self) -> Self {
        self.ahead = Some(Ahead::default());
        self
    }
}

/// The addresses of a server; a name may have several.
pub(super) async fn addresses(server: &Server) -> io::Result<Vec<Address>> {
    match &server.place {
        Place::Socket(folder) => Ok(vec![Address::Unix(
            folder.join(format!(".s.PGSQL.{}", server.port)),
        )]),
        Place::Tcp {
            address: Some(ip), ..
        } => Ok(vec![Address::Tcp(SocketAddr::new(*ip, server.port))]),
        Place::Tcp { host, address: None } => {
            let found = tokio::net::lookup_host((host.as_str(), server.port)).await?;
            let addresses: Vec<Address> = found.map(Address::Tcp).collect();
            if addresses.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
            }
            Ok(addresses)
        }
    }
}

pub(crate) async fn dial(address: &Address, keepalives: &Keepalives) -> io::Result<Socket> {
    match address {
        Address::Unix(path) => Ok(Socket::new(Stream::Unix(UnixStream::connect(path).await?))),
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            if keepalives.on {
                sockopt::set_socket_keepalive(&stream, true)?;
                sockopt::set_tcp_keepidle(&stream, keepalives.idle)?;
                sockopt::set_tcp_keepintvl(&stream, keepalives.interval)?;
                sockopt::set_tcp_keepcnt(&stream, keepalives.count)?;
            }
            #[cfg(target_os = "linux")]
            if let Some(limit) = keepalives.user_timeout {
                let millis = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
                sockopt::set_tcp_user_timeout(&stream, millis)?;
            }
            Ok(Socket::new(Stream::Tcp(stream)))
        }
    }
}

/// `SSLRequest` (PostgreSQL manual, 55.2.11): whether the server will do TLS on this connection. Exactly one byte is read,
/// so that nothing an attacker sends before the handshake is ever taken for a part of the session.
pub(crate) async fn ask_for_tls(socket: &mut Socket) -> io::Result<bool> {
    /// Length 8 and the code 80877103.
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    socket.write_all(&SSL_REQUEST).await?;
    socket.flush().await?;
    match socket.read_u8().await {
        Ok(b'S') => Ok(true),
        Ok(b'N') => Ok(false),
        // The beginning of an error message, from a server that cannot even fork.
        Ok(b'E') => Err(io::Error::other(
            "the server answered the request for TLS with an error",
        )),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the answer is not that of a PostgreSQL server",
        )),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection was closed before an answer came",
        )),
        Err(error) => Err(error),
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, ahead } = self.get_mut();
        let Some(Ahead { bytes, from, to }) = ahead else {
            return stream.poll_read(cx, buffer);
        };
        if from == to {
            if buffer.remaining() >= AHEAD {
                return stream.poll_read(cx, buffer);
            }
            bytes.resize(AHEAD, 0);
            let mut room = ReadBuf::new(bytes);
            match stream.poll_read(cx, &mut room) {
                Poll::Ready(Ok(())) => (*from, *to) = (0, room.filled().len()),
                other => return other,
            }
        }
        let count = buffer.remaining().min(*to - *from);
        buffer.put_slice(&bytes[*from..*from + count]);
        *from += count;
        Poll::Ready(Ok(()))
    }
}

impl Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, buffer),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One end of a pair, and the other to write to.
    fn pair() -> (Socket, UnixStream) {
        let (one, other) = UnixStream::pair().unwrap();
        (Socket::new(Stream::Unix(one)), other)
    }

    #[tokio::test]
    async fn what_is_read_ahead_comes_in_order_and_whole() {
        let (socket, mut other) = pair();
        let sent: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
        let expected = sent.clone();
        let writing = tokio::spawn(async move { other.write_all(&sent).await });
        let mut socket = socket.read_ahead();
        let mut came = Vec::new();
        // Odd sizes, small and larger than what is read ahead.
        for size in [1, 7, 4096, 200_000, 3].into_iter().cycle() {
            let mut part = vec![0; size];
            let count = socket.read(&mut part).await.unwrap();
            if count == 0 {
                break;
            }
            came.extend_from_slice(&part[..count]);
        }
        writing.await.unwrap().unwrap();
        assert!(came == expected, "{} of {} bytes", came.len(), expected.len());
    }

    #[tokio::test]
    async fn nothing_is_read_ahead_of_the_answer_about_tls() {
        let (mut socket, mut other) = pair();
        other.write_all(b"Sclear text of an attacker").await.unwrap();
        assert!(ask_for_tls(&mut socket).await.unwrap());
        assert!(socket.ahead.is_none());
        let mut next = [0; 5];
        let Stream::Unix(stream) = &mut socket.stream else {
            unreachable!()
        };
        stream.read_exact(&mut next).await.unwrap();
        assert_eq!(
            &next, b"clear",
            "it is still in the socket, for the handshake to trip over"
        );
    }
}

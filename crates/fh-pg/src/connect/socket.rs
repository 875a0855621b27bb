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

/// Either kind of stream.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
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
        Address::Unix(path) => Ok(Socket::Unix(UnixStream::connect(path).await?)),
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
            Ok(Socket::Tcp(stream))
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
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buffer),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

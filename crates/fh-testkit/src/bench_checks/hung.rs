//! Servers that hang in one phase of an exchange, for the accuracy of a deadline.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use anyhow::Result;

/// Where the server stops.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// Nobody takes the connection: the queue of the listening socket is full.
    Connect,
    /// The connection is taken and nothing is said, not even a TLS greeting.
    Tls,
    /// The request is read, and no answer comes.
    Headers,
    /// The head comes, and one byte of a long body.
    Body,
}

impl Phase {
    pub(super) const ALL: [Self; 4] = [Self::Connect, Self::Tls, Self::Headers, Self::Body];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "TLS handshake",
            Self::Headers => "headers",
            Self::Body => "body",
        }
    }

    pub(super) const fn scheme(self) -> &'static str {
        match self {
            Self::Tls => "https",
            _ => "http",
        }
    }
}

/// A server that hangs until it is dropped.
pub(super) struct Hung {
    pub(super) address: SocketAddr,
    /// Connections that fill the queue, and the listener that never takes them.
    _held: (Vec<TcpStream>, Option<TcpListener>),
}

impl Hung {
    pub(super) fn start(phase: Phase) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        if let Phase::Connect = phase {
            // The queue holds some thousands (listen(2): /proc/sys/net/core/somaxconn).
            let mut queued = Vec::new();
            let patience = std::time::Duration::from_millis(200);
            while let Ok(stream) = TcpStream::connect_timeout(&address, patience) {
                queued.push(stream);
            }
            return Ok(Self {
                address,
                _held: (queued, Some(listener)),
            });
        }
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4096];
                if matches!(phase, Phase::Headers | Phase::Body) {
                    let _ = stream.read(&mut request);
                }
                if matches!(phase, Phase::Body) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
                }
                held.push(stream);
            }
        });
        Ok(Self {
            address,
            _held: (Vec::new(), None),
        })
    }
}

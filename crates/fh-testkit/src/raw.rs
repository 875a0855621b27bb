//! A TCP server whose every connection runs a function: for servers that drip, lie, never end, or speak no HTTP at all.

use std::io::{BufRead as _, BufReader, Result, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The server. Its threads end with the test process, or when the client hangs up and they write.
#[derive(Debug)]
pub struct RawServer {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl RawServer {
    /// Gives every connection to the function, in a thread of its own. It closes when the function returns.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn start(script: impl Fn(TcpStream) -> Result<()> + Send + Sync + 'static) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("no address: {error}"));
        let accepted = Arc::new(AtomicUsize::new(0));
        let (script, count) = (Arc::new(script), Arc::clone(&accepted));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                // The client hanging up is what many scripts end with.
                std::thread::spawn(move || script(stream));
            }
        });
        Self { address, accepted }
    }

    /// Reads the request's head and answers with these bytes, whatever they are.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |mut stream| {
            read_head(&stream)?;
            stream.write_all(&bytes)
        })
    }

    /// Reads the request's head, sends `first`, and then `again` at each interval until the client hangs up.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn dripping(first: impl Into<Vec<u8>>, again: impl Into<Vec<u8>>, interval: Duration) -> Self {
        let (first, again) = (first.into(), again.into());
        Self::start(move |mut stream| {
            read_head(&stream)?;
            stream.write_all(&first)?;
            loop {
                stream.write_all(&again)?;
                std::thread::sleep(interval);
            }
        })
    }

    /// Accepts, reads whatever comes, and never says anything.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn silent() -> Self {
        Self::start(|mut stream| std::io::copy(&mut stream, &mut std::io::sink()).map(drop))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:40123` and `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections have come.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// Reads a request up to the empty line after its headers, and gives it.
///
/// # Errors
/// When the client hangs up before.
pub fn read_head(stream: &TcpStream) -> Result<String> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if matches!(&head[before..], "\r\n" | "\n") {
            return Ok(head);
        }
    }
}

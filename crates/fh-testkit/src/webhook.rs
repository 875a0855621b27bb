//! A web server that records what it is sent and answers from a script, in plain text or over TLS: for Slack, ping URLs,
//! applications, and servers with bad days.

use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certs::Identity;
use crate::http;

/// One scripted answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
}

impl Reply {
    /// An answer with this status and an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            headers: Vec::new(),
            body: Vec::new(),
            delay: Duration::ZERO,
        }
    }

    /// No answer: the connection is closed after the request was read.
    #[must_use]
    pub fn close() -> Self {
        Self {
            status: None,
            ..Self::status(0)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Answers only after this time, for tests of timeouts.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// One request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// `POST`
    pub method: String,
    /// Path with query, `/services/T0/B0?x=1`.
    pub path: String,
    /// Names and values in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
}

impl Recorded {
    /// The first header of this name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The recording server. Its thread ends with the test process.
#[derive(Debug)]
pub struct Webhook {
    address: SocketAddr,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

/// What to answer to a request, which is the n-th from 0.
type Answer = Box<dyn FnMut(&Recorded, usize) -> Reply + Send>;

/// What the threads of the connections share.
struct Shared {
    answer: Mutex<Answer>,
    requests: Arc<Mutex<Vec<Recorded>>>,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Webhook {
    /// Answers the first request with the first reply and so on; the last one repeats. No reply at all means 200.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::listen(scripted(replies), None)
    }

    /// As [`Self::start`], over TLS with this certificate: `https` in [`Self::url`].
    ///
    /// # Panics
    /// When the certificate cannot be used or no loopback port can be had.
    #[must_use]
    pub fn start_tls(identity: &Identity, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::listen(scripted(replies), Some(identity))
    }

    /// Answers each request as the function says.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn answering(mut answer: impl FnMut(&Recorded) -> Reply + Send + 'static) -> Self {
        Self::listen(Box::new(move |recorded, _| answer(recorded)), None)
    }

    /// As [`Self::answering`], over TLS with this certificate.
    ///
    /// # Panics
    /// When the certificate cannot be used or no loopback port can be had.
    #[must_use]
    pub fn answering_tls(
        identity: &Identity,
        mut answer: impl FnMut(&Recorded) -> Reply + Send + 'static,
    ) -> Self {
        Self::listen(Box::new(move |recorded, _| answer(recorded)), Some(identity))
    }

    fn listen(answer: Answer, identity: Option<&Identity>) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("no address: {error}"));
        let tls = identity.map(|identity| {
            tls_config(identity).unwrap_or_else(|error| panic!("the certificate cannot be used: {error:#}"))
        });
        let requests = Arc::default();
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            requests: Arc::clone(&requests),
            tls,
        });
        let scheme = if shared.tls.is_some() { "https" } else { "http" };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client that goes away in the middle is no failure of this server.
                std::thread::spawn(move || accept(stream, &shared));
            }
        });
        Self {
            address,
            scheme,
            requests,
        }
    }

    /// `http://127.0.0.1:40123` and `path`; `https` for a server with TLS.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything received so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.requests).clone()
    }
}

fn scripted(replies: impl IntoIterator<Item = Reply>) -> Answer {
    let replies: Vec<Reply> = replies.into_iter().collect();
    Box::new(move |_, number| {
        let reply = replies.get(number).or(replies.last());
        reply.cloned().unwrap_or_else(|| Reply::status(200))
    })
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tls_config(identity: &Identity) -> Result<Arc<rustls::ServerConfig>> {
    let chain =
        CertificateDer::pem_slice_iter(identity.cert_pem.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

fn accept(stream: TcpStream, shared: &Shared) -> Result<()> {
    match &shared.tls {
        None => serve(stream, shared),
        Some(config) => {
            let mut tls =
                rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(config))?, stream);
            serve(&mut tls, shared)?;
            // Without the closing alert the client must take the answer for cut off (RFC 8446 §6.1).
            tls.conn.send_close_notify();
            Ok(tls.flush()?)
        }
    }
}

fn serve(stream: impl Read + Write, shared: &Shared) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let first = http::read_line(&mut reader)?.context("no request")?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (
        words.next().context("no method")?,
        words.next().context("no path")?,
    );
    let message = http::read_message(&mut reader, false)?;
    let recorded = Recorded {
        method,
        path,
        headers: message.headers,
        body: message.body,
    };
    let number = {
        let mut requests = lock(&shared.requests);
        requests.push(recorded.clone());
        requests.len() - 1
    };
    let reply = lock(&shared.answer)(&recorded, number);
    std::thread::sleep(reply.delay);
    let Some(status) = reply.status else { return Ok(()) };
    let writer = reader.get_mut();
    let mut head = format!(
        "HTTP/1.1 {status} Scripted\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    writer.write_all(format!("{head}\r\n").as_bytes())?;
    if recorded.method != "HEAD" {
        writer.write_all(&reply.body)?;
    }
    Ok(writer.flush()?)
}

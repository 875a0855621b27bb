//! A web server that records what it is sent and answers from a script: for Slack, ping URLs, and servers with bad days.

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};

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
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    script: Script,
    requests: Vec<Recorded>,
}

/// How the next answer is found.
enum Script {
    /// One after the other; the last one repeats.
    InOrder(Vec<Reply>),
    /// By what is asked.
    ByRequest(Box<dyn FnMut(&Recorded) -> Reply + Send>),
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InOrder(replies) => f.debug_tuple("InOrder").field(replies).finish(),
            Self::ByRequest(_) => f.write_str("ByRequest"),
        }
    }
}

impl Script {
    /// The answer to a request, which is number `number` counted from 0.
    fn answer(&mut self, number: usize, request: &Recorded) -> Reply {
        match self {
            Self::InOrder(replies) => replies
                .get(number)
                .or(replies.last())
                .cloned()
                .unwrap_or_else(|| Reply::status(200)),
            Self::ByRequest(choose) => choose(request),
        }
    }
}

impl Webhook {
    /// Answers the first request with the first reply and so on; the last one repeats. No reply at all means 200.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::serve(Script::InOrder(replies.into_iter().collect()))
    }

    /// Answers each request with what `choose` says about it. One request after the other is asked about.
    ///
    /// # Panics
    /// When no loopback port can be had.
    #[must_use]
    pub fn answering(choose: impl FnMut(&Recorded) -> Reply + Send + 'static) -> Self {
        Self::serve(Script::ByRequest(Box::new(choose)))
    }

    fn serve(script: Script) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("no address: {error}"));
        let state = State {
            script,
            requests: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away in the middle is no failure of this server.
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// `http://127.0.0.1:40123` and `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything received so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.state).requests.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> Result<()> {
    let mut writer = stream.try_clone()?;
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
    let reply = {
        let mut state = lock(state);
        let number = state.requests.len();
        let reply = state.script.answer(number, &recorded);
        state.requests.push(recorded);
        reply
    };
    std::thread::sleep(reply.delay);
    let Some(status) = reply.status else { return Ok(()) };
    let mut head = format!(
        "HTTP/1.1 {status} Scripted\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    writer.write_all(format!("{head}\r\n").as_bytes())?;
    Ok(writer.write_all(&reply.body)?)
}

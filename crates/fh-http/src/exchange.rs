//! The exchange itself.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use fh_core::{Cancel, Deadline};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HeaderName, HeaderValue};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;

use crate::bounded::{self, Trace};
use crate::failure::{Failure, Kind, Phase};
use crate::request::{Request, check_url};
use crate::response::Response;
use crate::{connect, resolve, tls};

/// More headers than any honest answer has.
const MAX_HEADERS: usize = 256;

/// The largest head of an answer, and the read buffer's limit. Common servers refuse to send more than 32 KiB.
const MAX_HEAD: usize = 128 * 1024;

/// Sends one request over a connection of its own and reads the answer.
///
/// # Errors
/// A [`Failure`] that names the phase. The time is the shorter of the request's time-out and what is left of `deadline`.
pub fn exchange(request: &Request, deadline: Deadline, cancel: &Cancel) -> Result<Response, Failure> {
    let limit = deadline
        .remaining()
        .map_or(request.timeout, |left| left.min(request.timeout));
    let trace = Trace::new();
    bounded::run(Some(limit), cancel, &trace, perform(request, &trace))
}

async fn perform(request: &Request, trace: &Trace) -> Result<Response, Failure> {
    let wire = wire(request)?;
    let (host, port) = request.host_and_port();
    let addresses = match request.connect_to {
        Some(address) => vec![address],
        None => resolve::addresses(resolve::system(), &host, port, trace).await?,
    };
    let (stream, peer) = connect::tcp(&addresses, trace).await?;
    if request.is_https() {
        let name = request.tls.server_name.as_deref().unwrap_or(&host);
        let stream = tls::shake_hands(stream, name, &request.tls, &[b"http/1.1"], trace).await?;
        speak(TokioIo::new(stream), wire, request.max_body, peer, trace).await
    } else {
        speak(TokioIo::new(stream), wire, request.max_body, peer, trace).await
    }
}

/// The request as it goes over the wire: an origin-form target (RFC 9112 §3.2.1) and the headers nobody gave.
fn wire(request: &Request) -> Result<hyper::Request<Full<Bytes>>, Failure> {
    let wrong = |text: String| Failure::new(Phase::Request, Kind::Request, text);
    check_url(&request.url).map_err(|error| wrong(error.to_string()))?;
    let mut target = request.url.path().to_owned();
    if let Some(query) = request.url.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut wire = hyper::Request::builder()
        .method(request.method.as_str())
        .uri(target)
        .body(Full::new(request.body.clone()))
        .map_err(|error| wrong(format!("the request cannot be sent: {error}")))?;
    let authority = request.url.port().map_or_else(
        || request.url.host_str().unwrap_or_default().to_owned(),
        |port| format!("{}:{port}", request.url.host_str().unwrap_or_default()),
    );
    let added = [
        ("host", authority.as_str()),
        ("user-agent", concat!("fh-http/", env!("CARGO_PKG_VERSION"))),
        ("accept", "*/*"),
        ("accept-encoding", "identity"),
        ("connection", "close"),
    ];
    let added = added.into_iter().filter(|(name, _)| !request.has_header(name));
    let given = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in added.chain(given) {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong(format!("`{name}` cannot be a header's name")))?;
        // The value may be a secret.
        let value = HeaderValue::from_str(value).map_err(|_| {
            wrong(format!(
                "the value of the header {name} holds a control character"
            ))
        })?;
        wire.headers_mut().append(key, value);
    }
    Ok(wire)
}

async fn speak<S: Read + Write + Unpin + Send + 'static>(
    io: S,
    wire: hyper::Request<Full<Bytes>>,
    max_body: usize,
    peer: SocketAddr,
    trace: &Trace,
) -> Result<Response, Failure> {
    trace.enter(Phase::FirstByte);
    let failed = |phase| move |error: hyper::Error| failure(phase, peer, &error);
    let began = Instant::now();
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .handshake(io)
        .await
        .map_err(failed(Phase::FirstByte))?;
    // What goes wrong on the connection is told to the request as well.
    let driver = tokio::spawn(connection);
    let (head, body) = sender
        .send_request(wire)
        .await
        .map_err(failed(Phase::FirstByte))?
        .into_parts();
    trace.phases(|phases| phases.first_byte = Some(began.elapsed()));
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            let value = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let (body, truncated) = read(body, max_body, trace).await.map_err(|(error, count)| {
        let failure = failure(Phase::Body, peer, &error);
        Failure::new(
            Phase::Body,
            failure.kind(),
            format!("{} after {count} bytes of the body", failure.text()),
        )
    })?;
    driver.abort();
    Ok(Response {
        status: head.status.as_u16(),
        headers,
        body,
        truncated,
        phases: trace.finished(),
        peer,
        tls: trace.tls(),
    })
}

/// The body up to `max` bytes, and whether there was more.
async fn read(mut body: Incoming, max: usize, trace: &Trace) -> Result<(Bytes, bool), (hyper::Error, usize)> {
    trace.enter(Phase::Body);
    let began = Instant::now();
    let mut read = BytesMut::new();
    let mut truncated = false;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| (error, read.len()))?;
        // Trailers say nothing that anybody asked for.
        let Ok(data) = frame.into_data() else { continue };
        let room = max - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            truncated = true;
            break;
        }
        trace.note(format!("{} bytes of it had come", read.len()));
    }
    trace.phases(|phases| phases.body = Some(began.elapsed()));
    Ok((read.freeze(), truncated))
}

/// hyper's error in our words.
fn failure(phase: Phase, peer: SocketAddr, error: &hyper::Error) -> Failure {
    if error.is_parse_too_large() {
        let text = format!(
            "{peer} sent a head of more than {MAX_HEADERS} headers or {} KiB",
            MAX_HEAD / 1024
        );
        return Failure::new(phase, Kind::TooLarge, text);
    }
    if error.is_incomplete_message() || ends_early(error) {
        let text = format!("{peer} closed the connection before the answer was complete");
        return Failure::new(phase, Kind::Closed, text);
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
            let closed = matches!(io.kind(), ConnectionReset | BrokenPipe);
            let kind = if closed { Kind::Closed } else { Kind::Protocol };
            return Failure::new(phase, kind, format!("{peer} broke off: {}", connect::plain(io)));
        }
        cause = inner.source();
    }
    let detail = std::error::Error::source(error).map_or(error.to_string(), ToString::to_string);
    if error.is_parse() {
        let text = format!("{peer} does not speak HTTP/1.1 as RFC 9112 has it: {detail}");
        return Failure::new(phase, Kind::Protocol, text);
    }
    let kind = if error.is_canceled() || error.is_closed() {
        Kind::Closed
    } else {
        Kind::Protocol
    };
    Failure::new(phase, kind, format!("{peer} broke off: {detail}"))
}

/// Whether the connection ended inside the body, which hyper tells as an I/O error.
fn ends_early(error: &hyper::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|cause| cause.downcast_ref::<std::io::Error>())
        .is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof)
}

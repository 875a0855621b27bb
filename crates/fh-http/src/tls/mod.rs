//! TLS: the handshake of an exchange, and what a server's certificate says whether or not it verifies.
//!
//! ```no_run
//! use fh_core::{Cancel, Deadline};
//! use fh_http::tls::{Starttls, inspect};
//!
//! let address = "203.0.113.7:443".parse().unwrap();
//! let deadline = Deadline::after(std::time::Duration::from_secs(5));
//! let facts = inspect("app.example.com", address, Starttls::None, &Default::default(), deadline, &Cancel::new()).unwrap();
//! println!("{:?} until {:?}", facts.verified, facts.leaf().map(|leaf| leaf.not_after));
//! ```

mod facts;
mod old;
mod roots;
mod starttls;
mod verifier;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use fh_core::{Cancel, Deadline};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, CommonState};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::bounded::{self, Trace};
use crate::connect;
use crate::failure::{Failure, Kind, Phase};
use crate::request::TlsOptions;

pub use facts::{CertFacts, KeyKind, TlsFacts};
pub use old::{OldProtocol, accepts_old};
pub use starttls::Starttls;

/// Speaks TLS to `address` as to `host` and tells what the server shows. A certificate that does not verify is no
/// failure here: [`TlsFacts::verified`] says why. HTTP/2 is offered beside HTTP/1.1.
///
/// # Errors
/// When no TLS comes about at all, or the deadline passes.
pub fn inspect(
    host: &str,
    address: SocketAddr,
    starttls: Starttls,
    options: &TlsOptions,
    deadline: Deadline,
    cancel: &Cancel,
) -> Result<TlsFacts, Failure> {
    let trace = Trace::new();
    let options = TlsOptions {
        accept_unverified: true,
        ..options.clone()
    };
    bounded::run(deadline.remaining(), cancel, &trace, async {
        let (mut stream, _) = connect::tcp(&[address], &trace).await?;
        trace.enter(Phase::Tls);
        starttls::ask(&mut stream, starttls).await?;
        let alpn: &[&[u8]] = match starttls {
            Starttls::None => &[b"h2", b"http/1.1"],
            Starttls::Postgres => &[b"postgresql"],
        };
        let name = options.server_name.as_deref().unwrap_or(host);
        shake_hands(stream, name, &options, alpn, &trace).await?;
        trace
            .tls()
            .ok_or_else(|| Failure::new(Phase::Tls, Kind::Tls, format!("{address} showed no certificate")))
    })
}

/// The handshake. What the server shows is noted in the trace, also when it fails.
pub(crate) async fn shake_hands(
    stream: TcpStream,
    name: &str,
    options: &TlsOptions,
    alpn: &[&[u8]],
    trace: &Trace,
) -> Result<TlsStream<TcpStream>, Failure> {
    trace.enter(Phase::Tls);
    let began = Instant::now();
    let failed = |text: String| Failure::new(Phase::Tls, Kind::Tls, text);
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| failed(format!("`{name}` cannot be the name in a certificate")))?;
    let verifier = Arc::new(verifier::Recorder::new(options).map_err(failed)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<verifier::Recorder>::clone(&verifier))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let done = TlsConnector::from(Arc::new(config)).connect(server, stream).await;
    let elapsed = began.elapsed();
    trace.phases(|phases| phases.tls = Some(elapsed));
    let connection: Option<&CommonState> = match &done {
        Ok(stream) => Some(stream.get_ref().1),
        Err(_) => None,
    };
    if let Some(facts) = verifier.facts(connection) {
        trace.showed(facts);
    }
    done.map_err(|error| {
        let text = match trace.tls().map(|facts| facts.verified) {
            Some(Err(why)) => format!("the certificate of {name} does not verify: {why}"),
            _ => format!("no TLS with {name}: {}", plain(&error)),
        };
        failed(text)
    })
}

/// A handshake's error in plain words.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the server closed the connection in the handshake".into(),
        std::io::ErrorKind::InvalidData => {
            let text = error.to_string();
            if text.contains("InvalidContentType") {
                "the server answered with something that is not TLS".into()
            } else {
                text
            }
        }
        _ => connect::plain(error),
    }
}

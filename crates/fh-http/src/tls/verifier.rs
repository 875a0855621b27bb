//! A verifier that keeps what the server showed before it judges.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, CommonState, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::facts::{self, TlsFacts};
use super::roots;
use crate::request::TlsOptions;

#[derive(Debug)]
pub(super) struct Recorder {
    /// `None` when nobody at all is trusted: rustls builds no verifier then.
    judge: Option<Arc<WebPkiServerVerifier>>,
    provider: CryptoProvider,
    accept_unverified: bool,
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug)]
struct Seen {
    chain: Vec<Vec<u8>>,
    verified: Result<(), String>,
}

impl Recorder {
    pub(super) fn new(options: &TlsOptions) -> Result<Self, String> {
        let provider = rustls::crypto::ring::default_provider();
        let store = roots::roots(options)?;
        let judge = if store.is_empty() {
            None
        } else {
            let built =
                WebPkiServerVerifier::builder_with_provider(store, Arc::new(provider.clone())).build();
            Some(built.map_err(|error| format!("cannot verify certificates: {error}"))?)
        };
        Ok(Self {
            judge,
            provider,
            accept_unverified: options.accept_unverified,
            seen: Mutex::new(None),
        })
    }

    /// What the server showed, with what the finished handshake agreed on.
    pub(super) fn facts(&self, connection: Option<&CommonState>) -> Option<TlsFacts> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.as_ref()?;
        let version = connection.and_then(CommonState::protocol_version);
        let cipher = connection.and_then(CommonState::negotiated_cipher_suite);
        Some(TlsFacts {
            version: version.map(|version| facts::version_name(version).to_owned()),
            cipher: cipher.and_then(|cipher| cipher.suite().as_str().map(str::to_owned)),
            alpn: connection
                .and_then(CommonState::alpn_protocol)
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            chain: seen.chain.iter().map(|der| facts::read(der)).collect(),
            verified: seen.verified.clone(),
        })
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = match &self.judge {
            Some(judge) => judge.verify_server_cert(leaf, intermediates, name, ocsp, now),
            None => Err(Error::InvalidCertificate(CertificateError::Other(OtherError(
                Arc::new(std::io::Error::other("this machine trusts no authority at all")),
            )))),
        };
        let chain: Vec<Vec<u8>> = std::iter::once(leaf)
            .chain(intermediates)
            .map(|certificate| certificate.to_vec())
            .collect();
        let verified = judged.as_ref().map(|_| ()).map_err(|error| {
            let chain: Vec<_> = chain.iter().map(|der| facts::read(der)).collect();
            facts::explain(error, &name.to_str(), &chain)
        });
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen { chain, verified });
        if self.accept_unverified {
            return Ok(ServerCertVerified::assertion());
        }
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

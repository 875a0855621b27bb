//! The rustls configuration for one connection.

use std::sync::Arc;

use fh_core::{Context as _, Error, Hint as _, Result};
use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::verifier::{Anyone, Trusted};
use super::{Proven, roots};
use crate::target::{ConnectionString, Place, Server, SslMode};

/// The configuration for `mode`, and what a handshake under it proves.
///
/// # Errors
/// Exit code 2 when a certificate file cannot be used, 3 when the system has no authorities.
pub(crate) fn client_config(target: &ConnectionString, mode: SslMode) -> Result<(ClientConfig, Proven)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (verifier, proven): (Arc<dyn ServerCertVerifier>, Proven) = match mode {
        SslMode::VerifyCa | SslMode::VerifyFull => {
            let check_name = mode == SslMode::VerifyFull;
            let source = target.root_cert();
            let roots = roots::certificates(&source)?;
            let store = roots::store(&source, &roots)?;
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
                .build()
                .or_unable(|| "cannot set up the check of the server's certificate")?;
            let proven = if check_name {
                Proven::Host
            } else {
                Proven::Authority
            };
            (
                Arc::new(Trusted {
                    chain,
                    roots,
                    check_name,
                }),
                proven,
            )
        }
        _ => (
            Arc::new(Anyone {
                provider: Arc::clone(&provider),
            }),
            Proven::Nothing,
        ),
    };
    let versions: Vec<&rustls::SupportedProtocolVersion> = [
        (target.tls.versions.0, &rustls::version::TLS12),
        (target.tls.versions.1, &rustls::version::TLS13),
    ]
    .into_iter()
    .filter_map(|(allowed, version)| allowed.then_some(version))
    .collect();
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .or_unable(|| "cannot set up TLS")?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match client_identity(target)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .or_usage(|| "the client certificate (sslcert) and its key (sslkey) do not fit")?,
        None => builder.with_no_client_auth(),
    };
    config.enable_sni = target.tls.sni;
    if target.tls.direct {
        // Without a question before the handshake the server knows by this name what is wanted.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok((config, proven))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_identity(target: &ConnectionString) -> Result<Option<Identity>> {
    let Some((cert, key)) = &target.tls.client_cert else {
        return Ok(None);
    };
    let text =
        fs_err::read(cert).or_usage(|| format!("cannot read the client certificate {}", cert.display()))?;
    let chain = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .or_usage(|| format!("{} is not a PEM file of certificates", cert.display()))?;
    if chain.is_empty() {
        return Err(Error::usage(format!(
            "{} has no certificate in it",
            cert.display()
        )));
    }
    let text = fs_err::read(key)
        .or_usage(|| format!("cannot read the client key {}", key.display()))
        .hint(|| "sslkey names the PEM file with the private key of sslcert")?;
    // The library's message is left away: this file is a secret.
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        Error::usage(format!("{} holds no private key that can be used", key.display()))
            .hint("it must be PEM and not encrypted: openssl pkey -in OLD -out NEW; chmod 600 NEW")
    })?;
    Ok(Some((chain, key)))
}

/// The name that the certificate must be for.
pub(crate) fn server_name(server: &Server) -> String {
    match &server.place {
        Place::Tcp { host, .. } => host.strip_suffix('.').unwrap_or(host).to_owned(),
        // TLS is never used there.
        Place::Socket(_) => String::new(),
    }
}

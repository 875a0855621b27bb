//! Whom to trust. Reading the system's store takes milliseconds, so it is read once, when the first TLS is spoken.

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::request::TlsOptions;

/// The authorities that the options name.
pub(super) fn roots(options: &TlsOptions) -> Result<Arc<RootCertStore>, String> {
    if options.extra_roots.is_empty() && !options.only_extra_roots {
        return Ok(Arc::clone(system()));
    }
    let mut store = if options.only_extra_roots {
        RootCertStore::empty()
    } else {
        RootCertStore::clone(system())
    };
    for certificate in CertificateDer::pem_slice_iter(&options.extra_roots) {
        let certificate =
            certificate.map_err(|error| format!("the further authorities are not PEM: {error}"))?;
        store
            .add(certificate)
            .map_err(|error| format!("a further authority cannot be used: {error}"))?;
    }
    Ok(Arc::new(store))
}

/// The system's store, or what SSL_CERT_FILE and SSL_CERT_DIR name. What cannot be read in it is left out: then
/// certificates by that authority do not verify, which is said where it happens.
fn system() -> &'static Arc<RootCertStore> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let mut store = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        Arc::new(store)
    })
}

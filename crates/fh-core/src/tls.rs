//! One crypto provider in the whole process.

/// Makes *ring* the process's crypto provider for rustls. Call it first thing in `main`; again does no harm. Without
/// it, a crate that builds its own TLS configuration would have to guess.
pub fn install_crypto_provider() {
    // It fails only when a provider is installed already, and ring is the only one in the workspace.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_second_call_does_no_harm() {
        super::install_crypto_provider();
        super::install_crypto_provider();
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}

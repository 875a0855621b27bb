//! The certificate authorities that a connection trusts.

use std::path::Path;
use std::sync::OnceLock;

use fh_core::{Context as _, Error, Hint as _, Result};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::rds::rds_roots;
use crate::target::RootCert;

/// The authorities, as certificates.
pub(super) fn certificates(source: &RootCert) -> Result<Vec<CertificateDer<'static>>> {
    match source {
        RootCert::File(file) => from_file(file),
        RootCert::System => match system() {
            [] => Err(Error::unable(
                "this system has no certificate authorities, and sslrootcert=system wants them",
            )
            .hint("install them (apt-get install ca-certificates), or set SSL_CERT_FILE")),
            found => Ok(found.to_vec()),
        },
        // Without the system's there are still those of RDS: minimal containers have none.
        RootCert::Default => Ok(rds_roots().iter().chain(system()).cloned().collect()),
    }
}

/// The authorities, ready for use. A file must be good as a whole; the system's collection may have oddities in it.
pub(super) fn store(source: &RootCert, certificates: &[CertificateDer<'static>]) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    if let RootCert::File(file) = source {
        for certificate in certificates {
            store.add(certificate.clone()).or_usage(|| {
                format!(
                    "a certificate in {} cannot be used as an authority",
                    file.display()
                )
            })?;
        }
    } else {
        store.add_parsable_certificates(certificates.iter().cloned());
    }
    Ok(store)
}

/// The same authorities as one PEM file for libpq.
pub(crate) fn bundle_pem(source: &RootCert) -> Result<String> {
    let certificates = certificates(source)?;
    let mut text = String::new();
    for certificate in &certificates {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        text.push_str(&base64_lines(certificate));
        text.push_str("-----END CERTIFICATE-----\n");
    }
    Ok(text)
}

fn from_file(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let text = fs_err::read(file)
        .or_usage(|| format!("cannot read the certificate authorities in {}", file.display()))
        .hint(
            || "sslrootcert (or ssl_root_cert of the configuration) names a PEM file that this user can read",
        )?;
    let found = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .or_usage(|| format!("{} is not a PEM file of certificates", file.display()))?;
    if found.is_empty() {
        return Err(
            Error::usage(format!("{} has no certificate in it", file.display()))
                .hint("it must hold -----BEGIN CERTIFICATE----- blocks"),
        );
    }
    Ok(found)
}

/// What the operating system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace it, as for OpenSSL. Read once.
fn system() -> &'static [CertificateDer<'static>] {
    static SYSTEM: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!("some of the system's certificate authorities cannot be read: {error}");
        }
        found.certs
    })
}

/// Base64 in lines of 64 letters (RFC 7468).
fn base64_lines(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len() / 47 * 65 + 68);
    // 48 bytes are 64 letters.
    for line in bytes.chunks(48) {
        for group in line.chunks(3) {
            let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for position in 0..4 {
                let letter = ALPHABET[(bits >> (18 - 6 * position) & 63) as usize];
                text.push(if position <= group.len() {
                    char::from(letter)
                } else {
                    '='
                });
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_reads_back_as_the_same_certificates() {
        let pem = bundle_pem(&RootCert::Default).unwrap();
        let back: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .map(Result::unwrap)
            .collect();
        assert_eq!(back, certificates(&RootCert::Default).unwrap());
        assert!(back.len() >= rds_roots().len());
        assert!(pem.lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn base64_pads() {
        assert_eq!(base64_lines(b"f"), "Zg==\n");
        assert_eq!(base64_lines(b"fo"), "Zm8=\n");
        assert_eq!(base64_lines(b"foobar"), "Zm9vYmFy\n");
    }

    #[test]
    fn a_bad_file_is_an_error_and_never_an_empty_list() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let read = || certificates(&RootCert::File(file.clone())).map_err(|error| error.render());
        assert!(
            read()
                .unwrap_err()
                .contains("cannot read the certificate authorities")
        );
        fs_err::write(&file, "").unwrap();
        assert!(read().unwrap_err().contains("has no certificate in it"));
        fs_err::write(
            &file,
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        assert!(read().unwrap_err().contains("is not a PEM file"));
    }
}

//! The certificate authorities of Amazon RDS, which no operating system trusts by itself.

use std::sync::OnceLock;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// AWS's public certificates; the file says where they come from.
pub(super) const RDS_PEM: &str = include_str!("../../certs/rds-global-bundle.pem");

/// The built-in authorities of Amazon RDS, Aurora and RDS Proxy.
#[must_use]
pub fn rds_roots() -> &'static [CertificateDer<'static>] {
    static ROOTS: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    // A test counts them, so none can get lost here.
    ROOTS.get_or_init(|| {
        CertificateDer::pem_slice_iter(RDS_PEM.as_bytes())
            .filter_map(Result::ok)
            .collect()
    })
}

/// When one of the built-in authorities ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootExpiry {
    /// The authority's name, such as `Amazon RDS eu-central-1 Root CA RSA2048 G1`.
    pub subject: String,
    /// From then on its signatures count no more.
    pub not_after: jiff::Timestamp,
}

/// When the built-in authorities end, soonest first.
#[must_use]
pub fn rds_roots_expiry() -> Vec<RootExpiry> {
    let mut list: Vec<RootExpiry> = rds_roots().iter().filter_map(|der| expiry(der)).collect();
    list.sort_by_key(|root| root.not_after);
    list
}

fn expiry(der: &CertificateDer<'_>) -> Option<RootExpiry> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let subject = certificate
        .subject()
        .iter_common_name()
        .next()?
        .as_str()
        .ok()?
        .to_owned();
    let not_after = jiff::Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?;
    Some(RootExpiry { subject, not_after })
}

/// Whether AWS gives out names like `host` for databases: `….eu-central-1.rds.amazonaws.com`,
/// `….rds.cn-north-1.amazonaws.com.cn`, `….rds-fips.us-gov-west-1.amazonaws.com`.
pub(crate) fn is_rds_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let inside = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    // Something must stand before the label, so that a bare service endpoint is none.
    inside.is_some_and(|inside| {
        inside
            .split('.')
            .skip(1)
            .any(|label| label == "rds" || label == "rds-fips")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regions opened later bring more; then this number changes with the file.
    const COUNT: usize = 86;

    #[test]
    fn every_certificate_is_a_living_root() {
        assert_eq!(RDS_PEM.matches("BEGIN CERTIFICATE").count(), COUNT);
        assert_eq!(rds_roots().len(), COUNT);
        let soon = jiff::Timestamp::now().as_second() + 365 * 24 * 3600;
        for der in rds_roots() {
            let (rest, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
            let name = certificate.subject().to_string();
            assert!(rest.is_empty(), "{name}");
            assert!(certificate.is_ca(), "{name}");
            assert_eq!(certificate.subject(), certificate.issuer(), "{name}");
            assert!(name.contains("Amazon") || name.contains("Starfield"), "{name}");
            assert!(
                certificate.validity().not_after.timestamp() > soon,
                "{name} ends within a year: take a newer bundle"
            );
            // rustls accepts it as an anchor, too.
            rustls::RootCertStore::empty().add(der.clone()).unwrap();
        }
        let mut distinct: Vec<&[u8]> = rds_roots().iter().map(AsRef::as_ref).collect();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), COUNT);
    }

    #[test]
    fn every_end_is_known() {
        let list = rds_roots_expiry();
        assert_eq!(list.len(), COUNT);
        assert!(list.is_sorted_by_key(|root| root.not_after));
        assert!(
            list.iter()
                .any(|root| root.subject == "Amazon RDS eu-central-1 Root CA RSA2048 G1")
        );
        assert_eq!(list[0].not_after.to_string(), "2037-12-31T23:59:59Z");
    }

    #[test]
    fn knows_the_names_of_rds() {
        for host in [
            "shop.c9akciq32.eu-central-1.rds.amazonaws.com",
            "SHOP.c9akciq32.us-east-1.RDS.AmazonAWS.com.",
            "proxy-1.proxy-c9a.us-gov-west-1.rds.amazonaws.com",
            "shop.c9a.rds.cn-north-1.amazonaws.com.cn",
            "shop.c9a.rds-fips.us-gov-west-1.amazonaws.com",
        ] {
            assert!(is_rds_host(host), "{host}");
        }
        for host in [
            "localhost",
            "rds.amazonaws.com",
            "a.rds.amazonaws.com.evil.org",
            "a.rdsx.amazonaws.com",
            "xrds.amazonaws.com",
            "10.0.0.1",
        ] {
            assert!(!is_rds_host(host), "{host}");
        }
    }
}

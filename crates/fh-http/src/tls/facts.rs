//! What a server's certificates say.

use std::fmt;

use jiff::Timestamp;
use rustls::{CertificateError, Error, ProtocolVersion};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

/// What a server showed in a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLS 1.3` or `TLS 1.2`; `None` when the handshake was not finished.
    pub version: Option<String>,
    /// The cipher suite's IANA name; `None` when the handshake was not finished.
    pub cipher: Option<String>,
    /// The application protocol that was agreed on (RFC 7301), such as `h2`.
    pub alpn: Option<String>,
    /// The certificates as presented, the server's own first.
    pub chain: Vec<CertFacts>,
    /// Whether the chain leads to a trusted authority and fits the name and the time; why not, in words.
    pub verified: Result<(), String>,
}

impl TlsFacts {
    /// The server's own certificate.
    #[must_use]
    pub fn leaf(&self) -> Option<&CertFacts> {
        self.chain.first()
    }

    /// The certificate of the chain that ends first.
    #[must_use]
    pub fn first_to_end(&self) -> Option<&CertFacts> {
        self.chain
            .iter()
            .filter(|certificate| certificate.problem.is_none())
            .min_by_key(|certificate| certificate.not_after)
    }
}

/// What kind of public key a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// An elliptic curve.
    Ec,
    /// Ed25519 or Ed448.
    Edwards,
    /// Something else.
    Other,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Edwards => "Edwards curve",
            Self::Other => "other",
        })
    }
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertFacts {
    /// Whom it is for, as a distinguished name.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// DNS names and IP addresses (RFC 5280 §4.2.1.6); the subject's common name is not one of them (RFC 9525 §2).
    pub names: Vec<String>,
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// What kind of key it holds.
    pub key: KeyKind,
    /// The key's size in bits; 0 when it could not be read.
    pub key_bits: usize,
    /// The algorithm of the signature on it, such as `ecdsa-with-SHA256`, or its OID.
    pub signature: String,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Why the certificate could not be read; then the other fields hold nothing.
    pub problem: Option<String>,
}

impl CertFacts {
    /// Whether it names itself as its issuer.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.problem.is_none() && self.subject == self.issuer
    }

    /// The share of its lifetime that is left at `now`, from 1 to 0; below 0 when it has ended.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> f64 {
        let whole = self.not_after.duration_since(self.not_before).as_secs_f64();
        let left = self.not_after.duration_since(now).as_secs_f64();
        if whole > 0.0 { left / whole } else { -1.0 }
    }

    fn unreadable(problem: String) -> Self {
        Self {
            subject: String::new(),
            issuer: String::new(),
            serial: String::new(),
            names: Vec::new(),
            not_before: Timestamp::UNIX_EPOCH,
            not_after: Timestamp::UNIX_EPOCH,
            key: KeyKind::Other,
            key_bits: 0,
            signature: String::new(),
            is_authority: false,
            problem: Some(problem),
        }
    }
}

pub(super) fn read(der: &[u8]) -> CertFacts {
    let certificate = match X509Certificate::from_der(der) {
        Ok((_, certificate)) => certificate,
        Err(error) => return CertFacts::unreadable(format!("not an X.509 certificate: {error}")),
    };
    let validity = certificate.validity();
    let time = |seconds: i64| Timestamp::from_second(seconds);
    let (Ok(not_before), Ok(not_after)) = (
        time(validity.not_before.timestamp()),
        time(validity.not_after.timestamp()),
    ) else {
        return CertFacts::unreadable("its dates are out of all range".into());
    };
    let (key, key_bits) = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => (KeyKind::Rsa, key.key_size()),
        Ok(PublicKey::EC(point)) => (KeyKind::Ec, point.key_size()),
        // x509-parser knows no Edwards curves; their OIDs are those of RFC 8410 §3.
        _ => match certificate
            .public_key()
            .algorithm
            .algorithm
            .to_id_string()
            .as_str()
        {
            "1.3.101.112" => (KeyKind::Edwards, 256),
            "1.3.101.113" => (KeyKind::Edwards, 456),
            _ => (KeyKind::Other, 0),
        },
    };
    let names = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| extension.value.general_names.iter().filter_map(name).collect())
        .unwrap_or_default();
    CertFacts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: certificate.raw_serial_as_string(),
        names,
        not_before,
        not_after,
        key,
        key_bits,
        signature: signature(&certificate.signature_algorithm.algorithm.to_id_string()),
        is_authority: certificate.is_ca(),
        problem: None,
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes)
                .ok()
                .map(|ip| std::net::IpAddr::from(ip).to_string()),
            16 => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|ip| std::net::IpAddr::from(ip).to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// The usual signature algorithms by name (RFC 3279 §2.2, RFC 4055, RFC 5758 §3, RFC 8410 §3).
fn signature(oid: &str) -> String {
    match oid {
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        other => other,
    }
    .to_owned()
}

/// A protocol's usual name.
pub(super) fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        _ => "an unknown version",
    }
}

/// Why a certificate does not verify, in words that say what to do.
pub(super) fn explain(error: &Error, host: &str, chain: &[CertFacts]) -> String {
    let leaf = chain.first();
    let Error::InvalidCertificate(why) = error else {
        return error.to_string();
    };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let now = Timestamp::now();
            let ended = chain
                .iter()
                .filter(|certificate| certificate.not_after < now)
                .min_by_key(|certificate| certificate.not_after);
            match ended {
                Some(ended) if Some(ended) == leaf => format!("it expired at {}", ended.not_after),
                Some(ended) => format!(
                    "the certificate of {} in its chain expired at {}",
                    ended.subject, ended.not_after
                ),
                None => "a certificate of its chain has expired".into(),
            }
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => leaf.map_or_else(
            || "it is not valid yet".into(),
            |leaf| format!("it is not valid before {}", leaf.not_before),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = leaf.map(|leaf| leaf.names.join(", ")).unwrap_or_default();
            let names = if names.is_empty() {
                "no name at all".into()
            } else {
                names
            };
            format!("it is for {names}, and not for {host}")
        }
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
            if leaf.is_some_and(CertFacts::is_self_signed) =>
        {
            "it is self-signed, and not trusted here".into()
        }
        // The other two: a trusted authority of that name has another key.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            let last = chain.last().map_or("its issuer", |last| last.issuer.as_str());
            let sent = chain.len();
            format!(
                "no trusted authority is called {last}; the server sent {sent} certificate{}, and may have left out an intermediate one",
                if sent == 1 { "" } else { "s" }
            )
        }
        CertificateError::Other(other) => other.0.to_string(),
        other => other.to_string(),
    }
}

//! A certificate authority for one test, with good and bad server certificates.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A certificate with its private key, both PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub cert_pem: String,
    /// PKCS #8.
    pub key_pem: String,
}

impl Identity {
    /// The same, with a further certificate behind the server's own, such as an intermediate authority's.
    #[must_use]
    pub fn followed_by(mut self, cert_pem: &str) -> Self {
        self.cert_pem.push_str(cert_pem);
        self
    }

    /// A server certificate that nobody but its own key signed.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn self_signed(names: &[&str]) -> Result<Self> {
        let (params, key) = server_params(names)?;
        Ok(Self {
            cert_pem: params.self_signed(&key)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

/// A certificate authority that nobody but the test trusts. Two of them never trust each other.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    cert_pem: String,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate().context("cannot make a key")?;
        let params = authority_params("throw-away test authority")?;
        let cert_pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            cert_pem,
        })
    }

    /// An authority that this one has signed. What it signs verifies only where the server sends its certificate too,
    /// see [`Identity::followed_by`].
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn intermediate(&self) -> Result<Self> {
        self.sub_authority(date_time_ymd(2049, 12, 31).into())
    }

    /// The same, with the time at which it ends.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn intermediate_until(&self, to: SystemTime) -> Result<Self> {
        self.sub_authority(to)
    }

    fn sub_authority(&self, to: SystemTime) -> Result<Self> {
        let key = KeyPair::generate().context("cannot make a key")?;
        let mut params = authority_params("throw-away intermediate authority")?;
        params.not_after = to.into();
        params.use_authority_key_identifier_extension = true;
        let cert_pem = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            cert_pem,
        })
    }

    /// The authority's own certificate, PEM: what a client trusts.
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// A valid server certificate for these host names and IP addresses.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn server(&self, names: &[&str]) -> Result<Identity> {
        self.issue(names, (2020, 2049))
    }

    /// A server certificate that ended on 2021-01-01.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn expired_server(&self, names: &[&str]) -> Result<Identity> {
        self.issue(names, (2020, 2021))
    }

    /// A server certificate that is valid between these times, which may be at any moment: near its end, or not begun.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn server_between(&self, names: &[&str], from: SystemTime, to: SystemTime) -> Result<Identity> {
        let (mut params, key) = server_params(names)?;
        (params.not_before, params.not_after) = (from.into(), to.into());
        self.sign(&params, &key)
    }

    fn issue(&self, names: &[&str], (from, to): (i32, i32)) -> Result<Identity> {
        let (mut params, key) = server_params(names)?;
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        self.sign(&params, &key)
    }

    fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Result<Identity> {
        Ok(Identity {
            cert_pem: params.signed_by(key, &self.issuer)?.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

fn authority_params(name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2049, 12, 31));
    Ok(params)
}

/// A server's parameters, valid from 2020 to 2049, and a new key.
fn server_params(names: &[&str]) -> Result<(CertificateParams, KeyPair)> {
    let first = *names.first().context("a certificate needs a name")?;
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let key = KeyPair::generate().context("cannot make a key")?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, first);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2049, 12, 31));
    Ok((params, key))
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// A server's certificate with the authority's certificate as a file, which lives as long as this value.
#[derive(Debug)]
pub struct TlsFiles {
    /// The authority's certificate, for `sslrootcert` and the like.
    pub ca_pem_path: PathBuf,
    /// What the server shows.
    pub identity: Identity,
    /// Keeps `ca_pem_path` alive.
    _dir: tempfile::TempDir,
}

impl TlsFiles {
    /// A new authority and a valid certificate for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// When the certificates cannot be made or written.
    pub fn for_localhost() -> Result<Self> {
        let authority = Authority::new()?;
        let identity = authority.server(&["localhost", "127.0.0.1"])?;
        Self::new(&authority, identity)
    }

    /// A certificate of the caller's choice. Pass an `authority` that did not sign it to test an untrusted server.
    ///
    /// # Errors
    /// When the authority's certificate cannot be written.
    pub fn new(authority: &Authority, identity: Identity) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("fh-tls-")
            .tempdir_in(crate::host::short_temp_dir())?;
        // The clients of a test run as root are another user, who must be able to read it.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(dir.path(), mode)?;
        let ca_pem_path = dir.path().join("ca.pem");
        fs_err::write(&ca_pem_path, authority.cert_pem())?;
        Ok(Self {
            ca_pem_path,
            identity,
            _dir: dir,
        })
    }
}

//! Every `sslmode` against servers of every kind.

use fh_core::Exit;
use fh_pg::{Proven, TlsState, connect};
use fh_testkit::certs::{Authority, Identity, TlsFiles};
use fh_testkit::{Postgres, require};

use super::{one, open, opened, options, refused, set_hba, target};

const MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// Whether a session is encrypted, by the server's own account.
const ASK: &str = "select ssl::text from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()";

fn url(postgres: &Postgres, host: &str, rest: &str) -> String {
    format!(
        "postgresql://postgres@{host}:{}/postgres?hostaddr=127.0.0.1&{rest}",
        postgres.port()
    )
}

/// Connects with every mode, by us and by libpq: both must be accepted or not, encrypted or not. Gives what came of it.
async fn compare(postgres: &Postgres, host: &str, roots: Option<&TlsFiles>) -> Vec<Option<TlsState>> {
    let mut seen = Vec::new();
    for mode in MODES {
        let mut url = url(postgres, host, &format!("sslmode={mode}"));
        if let Some(files) = roots {
            url += &format!("&sslrootcert={}", files.ca_pem_path.display());
        }
        let libpq = postgres.psql_url(&url, ASK).ok();
        let connection = open(&url).await;
        let ours = match &connection {
            Ok(connection) => Some(one(connection, ASK).await),
            Err(error) => {
                assert_eq!(error.exit(), Exit::Unable, "{url}: {}", error.render());
                None
            }
        };
        // With a root file libpq checks the certificate even where the mode does not ask for it, and goes on in clear when
        // it is not good. We stay encrypted there.
        let stronger =
            mode == "prefer" && ours.as_deref() == Some("true") && libpq.as_deref() == Some("false");
        assert!(
            ours == libpq || stronger,
            "{url}: we got {ours:?}, libpq {libpq:?}"
        );
        let state = connection.ok().map(|connection| connection.tls.clone());
        assert_eq!(
            ours.as_deref() == Some("true"),
            matches!(state, Some(TlsState::Encrypted { .. })),
            "{url}"
        );
        seen.push(state);
    }
    seen
}

fn encrypted(server: Proven) -> Option<TlsState> {
    Some(TlsState::Encrypted { server })
}

/// A server that shows this certificate.
fn showing(identity: &Identity) -> Postgres {
    let files = TlsFiles::new(&Authority::new().unwrap(), identity.clone()).unwrap();
    Postgres::builder().tls_with(files).start()
}

#[tokio::test]
async fn a_good_certificate() {
    drop(require!(Postgres::try_start()));
    let authority = Authority::new().unwrap();
    let identity = authority.server(&["db.example.com"]).unwrap();
    let files = TlsFiles::new(&authority, identity.clone()).unwrap();
    let postgres = showing(&identity);
    let right = compare(&postgres, "db.example.com", Some(&files)).await;
    assert_eq!(
        right[3..],
        [
            encrypted(Proven::Authority),
            encrypted(Proven::Authority),
            encrypted(Proven::Host)
        ]
    );
    let other_name = compare(&postgres, "other.example.com", Some(&files)).await;
    assert_eq!(
        other_name[3..],
        [encrypted(Proven::Authority), encrypted(Proven::Authority), None]
    );
    // Without a root file libpq has none; ours did not sign this.
    let no_roots = compare(&postgres, "db.example.com", None).await;
    assert_eq!(no_roots[3..], [encrypted(Proven::Nothing), None, None]);
    let stranger = Authority::new().unwrap();
    let other = TlsFiles::new(&stranger, stranger.server(&["localhost"]).unwrap()).unwrap();
    let untrusted = compare(&postgres, "db.example.com", Some(&other)).await;
    assert_eq!(untrusted[3..], [None, None, None]);
    let of_the_system = refused(&url(&postgres, "db.example.com", "sslrootcert=system")).await;
    assert!(
        of_the_system.contains("authority that is not trusted"),
        "{of_the_system}"
    );
}

#[tokio::test]
async fn an_expired_certificate() {
    drop(require!(Postgres::try_start()));
    let authority = Authority::new().unwrap();
    let identity = authority.expired_server(&["localhost"]).unwrap();
    let files = TlsFiles::new(&authority, identity.clone()).unwrap();
    let seen = compare(&showing(&identity), "localhost", Some(&files)).await;
    assert_eq!(seen[3..], [None, None, None]);
}

/// Many private servers show a certificate that signed itself, and clients are given that very certificate as root.
#[tokio::test]
async fn a_self_signed_certificate_given_as_its_own_root() {
    drop(require!(Postgres::try_start()));
    let self_signed = |not_after: i32| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["db.example.com".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(not_after, 1, 1);
        Identity {
            cert_pem: params.self_signed(&key).unwrap().pem(),
            key_pem: key.serialize_pem(),
        }
    };
    let as_root = |identity: &Identity| {
        let files = TlsFiles::new(&Authority::new().unwrap(), identity.clone()).unwrap();
        fs_err::write(&files.ca_pem_path, &identity.cert_pem).unwrap();
        files
    };
    let good = self_signed(2049);
    let (postgres, own) = (showing(&good), as_root(&good));
    let seen = compare(&postgres, "db.example.com", Some(&own)).await;
    assert_eq!(
        seen[3..],
        [
            encrypted(Proven::Authority),
            encrypted(Proven::Authority),
            encrypted(Proven::Host)
        ]
    );
    let seen = compare(&postgres, "other.example.com", Some(&own)).await;
    assert_eq!(seen[4..], [encrypted(Proven::Authority), None]);
    // To be trusted as it is does not make it live for ever.
    let old = self_signed(2021);
    let seen = compare(&showing(&old), "db.example.com", Some(&as_root(&old))).await;
    assert_eq!(seen[3..], [None, None, None]);
}

#[tokio::test]
async fn servers_that_want_tls_or_do_not() {
    let without = require!(Postgres::builder().tcp().try_start());
    let seen = compare(&without, "localhost", None).await;
    assert_eq!(seen[3..], [None, None, None]);
    assert!(
        seen[..3]
            .iter()
            .all(|state| matches!(state, Some(TlsState::Plain { .. }))),
        "{seen:?}"
    );

    let only = Postgres::builder().tls_only().start();
    let seen = compare(&only, "localhost", None).await;
    assert_eq!(
        seen[..4],
        [
            None,
            encrypted(Proven::Nothing),
            encrypted(Proven::Nothing),
            encrypted(Proven::Nothing)
        ]
    );

    set_hba(&only, "hostnossl all all all trust");
    let seen = compare(&only, "localhost", None).await;
    assert_eq!(seen[3..], [None, None, None]);
    let Some(TlsState::Plain { because }) = &seen[2] else {
        panic!("{seen:?}")
    };
    assert!(
        because.contains("without TLS only") && because.contains("sslmode=prefer"),
        "{because}"
    );
}

#[tokio::test]
async fn a_client_certificate_logs_in() {
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
        KeyUsagePurpose,
    };
    let folder = tempfile::tempdir().unwrap();
    fs_err::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
    ca.distinguished_name.push(DnType::CommonName, "clients");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let mut client = CertificateParams::new(Vec::<String>::new()).unwrap();
    client.distinguished_name.push(DnType::CommonName, "badge");
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client_pem = client.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap().pem();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs_err::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ca_file, cert_file) = (file("ca.pem", &ca_pem), file("badge.crt", &client_pem));
    let key_file = file("badge.key", &key.serialize_pem());

    let postgres = require!(
        Postgres::builder()
            .tls()
            .setting("ssl_ca_file", &ca_file)
            .try_start()
    );
    postgres.psql("postgres", "create role badge login");
    set_hba(&postgres, "hostssl all badge all cert");
    let text = url(&postgres, "localhost", "user=badge&sslmode=require");
    let connection = opened(&format!("{text}&sslcert={cert_file}&sslkey={key_file}")).await;
    assert_eq!(one(&connection, "select current_user::text").await, "badge");
    assert!(
        refused(&text)
            .await
            .contains("does not let role \"badge\" into database")
    );
    for (cert, key, said) in [
        (cert_file.as_str(), cert_file.as_str(), "holds no private key"),
        (&key_file, &key_file, "has no certificate in it"),
        (
            "/missing",
            &key_file,
            "cannot read the client certificate /missing",
        ),
        (&ca_file, &key_file, "do not fit"),
    ] {
        let given = target(&format!("{text}&sslcert={cert}&sslkey={key}"));
        let error = connect(&given, &options()).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        assert!(error.message().contains(said), "{error}");
    }
}

//! What a bucket can do to a backup: refuse, throttle, break off, and stay silent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bucket;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use bucket::{Bucket, NAME, config};
use bytes::Bytes;
use fh_core::{Deadline, Error, Exit};
use fh_repository::{Put, Repository, S3Options, S3Store, Store as _};
use fh_testkit::proxy::{Direction, Faults, Proxy};
use fh_testkit::webhook::{Reply, Webhook};
use fh_testkit::{S3, S3Fault};

const BODY: Bytes = Bytes::from_static(b"a segment");

fn store_at(endpoint: &str, options: &S3Options, deadline: Deadline) -> S3Store {
    S3Store::with_config(
        &config(endpoint, "AKIDEXAMPLE", "secret-of-the-test"),
        NAME,
        "p",
        options,
        deadline,
    )
}

fn scripted(server: &Webhook) -> S3Store {
    store_at(&server.url(""), &S3Options::default(), Deadline::never())
}

fn xml(status: u16, code: &str) -> Reply {
    Reply::status(status)
        .header("x-amz-request-id", "REQ1")
        .header("content-type", "application/xml")
        .body(format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>words of the store</Message></Error>"
        ))
}

fn through(proxy: &Proxy, bucket: &Bucket, deadline: Deadline) -> S3Store {
    let endpoint = format!("http://{}", proxy.address());
    let config = config(&endpoint, bucket.server.access_key(), bucket.server.secret_key());
    S3Store::with_config(&config, NAME, "", &S3Options::default(), deadline)
}

#[tokio::test]
async fn a_write_says_everything_that_was_asked_for_and_nothing_that_others_refuse() {
    let server = Webhook::start([Reply::status(404), Reply::status(200)]);
    let options = S3Options {
        storage_class: Some("STANDARD_IA".into()),
        sse_kms_key_id: Some("alias/backup".into()),
        ..S3Options::default()
    };
    let store = store_at(&server.url(""), &options, Deadline::never());
    assert_eq!(store.put_new("sets/x.set", BODY).await.unwrap(), Put::Created);
    let requests = server.requests();
    let [head, put] = &requests[..] else {
        unreachable!("{requests:?}")
    };
    assert_eq!(head.method, "HEAD");
    assert_eq!(put.method, "PUT");
    assert!(put.path.starts_with("/backups/p/sets/x.set"), "{}", put.path);
    assert_eq!(put.header("if-none-match"), Some("*"));
    assert_eq!(put.header("content-length"), Some("9"));
    assert_eq!(put.header("x-amz-storage-class"), Some("STANDARD_IA"));
    assert_eq!(put.header("x-amz-server-side-encryption"), Some("aws:kms"));
    assert_eq!(
        put.header("x-amz-server-side-encryption-aws-kms-key-id"),
        Some("alias/backup")
    );
    assert_eq!(
        put.header("x-amz-server-side-encryption-bucket-key-enabled"),
        Some("true")
    );
    assert_eq!(put.body, BODY);
    for (name, _) in &put.headers {
        assert!(!name.to_ascii_lowercase().contains("checksum"), "{name}");
    }
}

#[tokio::test]
async fn every_refusal_is_explained() {
    let elsewhere =
        "the bucket backups is in another region, in eu-west-1: set backup.s3.region or AWS_REGION";
    for (status, code, advice) in [
        (
            404,
            "NoSuchBucket",
            "make the bucket backups first, or correct its name",
        ),
        (
            403,
            "AccessDenied",
            "the credentials need s3:ListBucket on backups, s3:GetObject and s3:PutObject on its objects, and for locks \
             s3:PutObjectRetention",
        ),
        (
            403,
            "InvalidAccessKeyId",
            "the access key or its secret is wrong for this store; check the system's clock too",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "the access key or its secret is wrong for this store; check the system's clock too",
        ),
        (
            400,
            "ExpiredToken",
            "the session token has expired: renew the credentials",
        ),
        (
            403,
            "RequestTimeTooSkewed",
            "this machine's clock is wrong: set it with NTP",
        ),
        (301, "PermanentRedirect", elsewhere),
        (400, "AuthorizationHeaderMalformed", elsewhere),
        (
            503,
            "SlowDown",
            "the store asks to slow down and did so at every attempt: try again later, with fewer --jobs, or give it more \
             attempts with backup.s3.attempts",
        ),
        (
            500,
            "InternalError",
            "the store has a fault of its own: try again later",
        ),
        (
            400,
            "InvalidStorageClass",
            "this store does not have that class: correct backup.s3.storage_class",
        ),
        (
            400,
            "KMS.NotFoundException",
            "correct backup.s3.sse_kms_key_id, and allow kms:GenerateDataKey and kms:Decrypt on that key",
        ),
        (418, "Teapot", "see the store's documentation for that code"),
    ] {
        let refusal = xml(status, code).header("x-amz-bucket-region", "eu-west-1");
        let said = |what: &str| {
            format!(
                "error: cannot {what}\ncaused by: {code}: words of the store (HTTP {status}, request REQ1)\n\
                 hint: {advice}"
            )
        };
        let check = |error: Error, what: &str| {
            assert_eq!(error.render(), said(what));
            assert_eq!(error.exit(), Exit::Unable, "{code}");
        };
        let server = Webhook::start([refusal.clone()]);
        check(
            scripted(&server).get("x", 10).await.unwrap_err(),
            "read s3://backups/p/x",
        );
        check(
            scripted(&server).list("sets/").await.unwrap_err(),
            "list s3://backups/p/sets/",
        );
        // HEAD finds nothing; the write is refused.
        let server = Webhook::start([Reply::status(404), refusal]);
        check(
            scripted(&server).put_new("x", BODY).await.unwrap_err(),
            "write s3://backups/p/x",
        );
    }
}

#[tokio::test]
async fn a_store_without_conditional_writes_is_not_used() {
    let server = Webhook::start([Reply::status(404), xml(501, "NotImplemented")]);
    let error = scripted(&server).put_new("x", BODY).await.unwrap_err();
    assert!(
        error.advice().unwrap().contains("If-None-Match"),
        "{}",
        error.render()
    );
}

/// HEAD has no body to say what is wrong, so the write that follows must.
#[tokio::test]
async fn a_refused_look_does_not_hide_the_reason_and_does_not_keep_a_writer_out() {
    let server = Webhook::start([Reply::status(403), xml(403, "InvalidAccessKeyId")]);
    let error = scripted(&server).put_new("x", BODY).await.unwrap_err();
    assert!(
        error.causes()[0].starts_with("InvalidAccessKeyId"),
        "{}",
        error.render()
    );
    // A host that may create but not read.
    let server = Webhook::start([Reply::status(403), Reply::status(200)]);
    assert_eq!(scripted(&server).put_new("x", BODY).await.unwrap(), Put::Created);
}

#[tokio::test]
async fn a_write_that_meets_another_waits_for_its_end() {
    let conflict = || xml(409, "ConditionalRequestConflict");
    let server = Webhook::start([Reply::status(404), conflict(), Reply::status(200)]);
    assert_eq!(scripted(&server).put_new("x", BODY).await.unwrap(), Put::Created);
    let server = Webhook::start([Reply::status(404), conflict(), xml(412, "PreconditionFailed")]);
    assert_eq!(scripted(&server).put_new("x", BODY).await.unwrap(), Put::Exists);
    let server = Webhook::start([Reply::status(404), conflict()]);
    let error = scripted(&server).put_new("x", BODY).await.unwrap_err();
    assert_eq!((error.exit(), server.requests().len()), (Exit::Unable, 5));
}

#[tokio::test]
async fn a_listing_that_does_not_say_where_it_goes_on_is_not_trusted() {
    let page = "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>p/sets/1.set</Key><Size>1</Size>\
                </Contents></ListBucketResult>";
    let server = Webhook::start([Reply::status(200).body(page)]);
    let error = scripted(&server).list("sets/").await.unwrap_err();
    assert_eq!(
        error.message(),
        "cannot list s3://backups/p/sets/: the store says there is more, but not where"
    );
}

#[tokio::test]
async fn the_real_server_refuses_wrong_keys_and_missing_buckets() {
    let server = S3::start();
    let at = |key: &str, secret: &str| {
        S3Store::with_config(
            &config(&server.endpoint(), key, secret),
            NAME,
            "",
            &S3Options::default(),
            Deadline::never(),
        )
    };
    let good = Arc::new(at(server.access_key(), server.secret_key()));
    // For single objects this server is no judge: it says NoSuchKey, and a write makes the bucket.
    for error in [
        Repository::create(good.clone(), &[]).await.unwrap_err(),
        good.list("").await.unwrap_err(),
    ] {
        assert!(
            error.causes()[0].starts_with("NoSuchBucket: "),
            "{}",
            error.render()
        );
        assert_eq!(
            error.advice().unwrap(),
            "make the bucket backups first, or correct its name"
        );
        assert_eq!(error.exit(), Exit::Unable);
    }
    server.create_bucket(NAME);
    for (store, code) in [
        (at(server.access_key(), "wrong-secret"), "SignatureDoesNotMatch"),
        (at("AKIDNOBODY", server.secret_key()), "NotSignedUp"),
    ] {
        for error in [
            store.put_new("x", BODY).await.unwrap_err(),
            store.get("x", 1).await.unwrap_err(),
        ] {
            assert!(error.causes()[0].starts_with(code), "{}", error.render());
            assert!(
                error
                    .advice()
                    .unwrap()
                    .contains("access key or its secret is wrong")
            );
            assert!(!error.render().contains("wrong-secret"));
        }
    }
    assert_eq!(good.list("").await.unwrap(), []);
}

#[tokio::test]
async fn throttling_passes() {
    let bucket = Bucket::start();
    let store = bucket.store("");
    for method in ["HEAD", "PUT", "GET"] {
        for (status, code) in [(503, "SlowDown"), (500, "InternalError")] {
            bucket.server.fail(S3Fault {
                method: method.into(),
                path_contains: String::new(),
                status,
                code: code.into(),
                times: 2,
            });
        }
    }
    assert_eq!(store.put_new("x", BODY).await.unwrap(), Put::Created);
    assert_eq!(store.get("x", 9).await.unwrap(), Some(BODY));
    let refused = bucket
        .server
        .requests()
        .iter()
        .filter(|request| request.status >= 500)
        .count();
    assert_eq!(refused, 12);
}

#[tokio::test]
async fn nobody_there_is_said() {
    let store = store_at("http://127.0.0.1:1", &S3Options::default(), Deadline::never());
    for error in [
        store.get("x", 1).await.unwrap_err(),
        store.put_new("x", BODY).await.unwrap_err(),
        store.list("").await.unwrap_err(),
    ] {
        assert_eq!(error.exit(), Exit::Unable);
        assert_eq!(error.causes(), ["Connection refused (os error 111)"]);
        assert!(
            error
                .advice()
                .unwrap()
                .contains("check the endpoint and the network"),
            "{}",
            error.render()
        );
    }
}

#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let nothing =
            provider::error::CredentialsError::not_loaded("no providers in chain provided credentials");
        provider::future::ProvideCredentials::ready(Err(nothing))
    }
}

#[tokio::test]
async fn no_credentials_is_said_with_every_remedy() {
    let server = Webhook::start([Reply::status(200)]);
    let config = config(&server.url(""), "x", "xxxx")
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(Nobody))
        .build();
    let store = S3Store::with_config(&config, NAME, "", &S3Options::default(), Deadline::never());
    let error = store.get("x", 1).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert_eq!(
        error.advice().as_deref(),
        Some(fh_aws::CREDENTIALS_HINT),
        "{}",
        error.render()
    );
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn a_silent_server_does_not_hold_a_run_beyond_its_deadline() {
    let bucket = Bucket::start();
    let proxy = Proxy::to(bucket.server.address());
    let silent = Faults {
        bytes_per_second: Some(0),
        ..Faults::default()
    };
    proxy.set(Direction::ToClient, silent);
    for call in 0..3 {
        let store = through(&proxy, &bucket, Deadline::after(Duration::from_millis(300)));
        let called = async {
            match call {
                0 => store.get("x", 1).await.map(|_| ()),
                1 => store.put_new("x", BODY).await.map(|_| ()),
                _ => store.list("").await.map(|_| ()),
            }
        };
        let error = tokio::time::timeout(Duration::from_secs(60), called)
            .await
            .unwrap()
            .unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        assert!(
            error.advice().unwrap().contains("--deadline"),
            "{}",
            error.render()
        );
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_is_begun_again_and_then_given_up() {
    let bucket = Bucket::start();
    let large = Bytes::from(vec![7; 1 << 20]);
    bucket.store("").put_new("x", large.clone()).await.unwrap();
    let proxy = Proxy::to(bucket.server.address());
    proxy.set(
        Direction::ToClient,
        Faults {
            reset_after: Some(100_000),
            ..Faults::default()
        },
    );
    let store = through(&proxy, &bucket, Deadline::never());
    let error = store.get("x", 1 << 20).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert!(
        error.advice().unwrap().contains("broke in the middle"),
        "{}",
        error.render()
    );
    let fetched = bucket
        .server
        .requests()
        .iter()
        .filter(|request| request.method == "GET")
        .count();
    assert_eq!(fetched, 3);
    proxy.heal();
    assert_eq!(store.get("x", 1 << 20).await.unwrap(), Some(large));
}

/// Answers GET requests, each on a connection of its own, with these bodies under a Content-Length of nine.
fn cutting(bodies: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (stream, body) in listener.incoming().zip(bodies) {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_body_that_is_cut_short_never_passes_for_the_object() {
    let endpoint = cutting(&["a seg", "", "a segment"]);
    let store = store_at(&endpoint, &S3Options::default(), Deadline::never());
    assert_eq!(store.get("x", 9).await.unwrap(), Some(BODY));
    let endpoint = cutting(&["a seg", "a seg", "a segmen"]);
    let store = store_at(&endpoint, &S3Options::default(), Deadline::never());
    let error = store.get("x", 9).await.unwrap_err();
    assert!(
        error.advice().unwrap().contains("broke in the middle"),
        "{}",
        error.render()
    );
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_begun_again() {
    let bucket = Bucket::start();
    let proxy = Proxy::to(bucket.server.address());
    let large = Bytes::from(vec![7; 1 << 20]);
    let store = through(&proxy, &bucket, Deadline::never());
    // HEAD passes, the body does not.
    proxy.set(
        Direction::ToServer,
        Faults {
            reset_after: Some(300_000),
            ..Faults::default()
        },
    );
    let error = store.put_new("x", large.clone()).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert!(proxy.accepted() >= 5, "{}", proxy.accepted());
    assert_eq!(
        bucket.store("").list("").await.unwrap(),
        [],
        "nothing half-written"
    );
    proxy.heal();
    assert_eq!(store.put_new("x", large).await.unwrap(), Put::Created);
}

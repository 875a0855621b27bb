//! Object Lock: what is sent, what a bucket must be able to do, and what a lock keeps.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bucket;
mod small;

use std::sync::Arc;

use aws_sdk_s3::Client;
use bucket::{NAME, config};
use bytes::Bytes;
use fh_core::config::{ObjectLock, ObjectLockMode, S3Checksums};
use fh_core::{Deadline, Exit};
use fh_repository::{Access, Deleted, Put, Repository, S3Options, S3Store, Store as _};
use fh_testkit::webhook::{Reply, Webhook};
use fh_testkit::{Moto, require};
use jiff::{SignedDuration, Timestamp};
use small::backup;

const BODY: Bytes = Bytes::from_static(b"a segment");
const ABLE: &str =
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";

fn locked(days: u16, mode: ObjectLockMode) -> S3Options {
    S3Options {
        object_lock: Some(ObjectLock {
            mode,
            days: days.try_into().unwrap(),
        }),
        ..S3Options::default()
    }
}

fn store_at(endpoint: &str, options: &S3Options) -> S3Store {
    let config = config(endpoint, "AKIDEXAMPLE", "secret-of-the-test");
    S3Store::with_config(&config, NAME, "p", options, Deadline::never())
}

fn scripted(server: &Webhook) -> S3Store {
    store_at(&server.url(""), &locked(30, ObjectLockMode::Governance))
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::status(status).body(format!(
        "<Error><Code>{code}</Code><Message>words of the store</Message></Error>"
    ))
}

fn in_days(days: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn every_write_is_locked_and_has_the_checksum_that_locks_need() {
    for (checksums, mode, named) in [
        (None, ObjectLockMode::Governance, "GOVERNANCE"),
        (
            Some(S3Checksums::WhenSupported),
            ObjectLockMode::Compliance,
            "COMPLIANCE",
        ),
    ] {
        let server = Webhook::start([
            Reply::status(200).body(ABLE),
            Reply::status(404),
            Reply::status(200),
            Reply::status(404),
            Reply::status(200),
        ]);
        let options = S3Options {
            checksums,
            ..locked(30, mode)
        };
        let store = store_at(&server.url(""), &options);
        assert_eq!(store.put_new("x", BODY).await.unwrap(), Put::Created);
        assert_eq!(store.put_new("y", BODY).await.unwrap(), Put::Created);
        let requests = server.requests();
        assert_eq!(requests.len(), 5, "the bucket is asked once: {requests:?}");
        assert_eq!(requests[0].path, "/backups/?object-lock");
        let put = &requests[2];
        assert_eq!(put.header("x-amz-object-lock-mode"), Some(named));
        let until: Timestamp = put
            .header("x-amz-object-lock-retain-until-date")
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(Some(until), store.lock().map(|lock| lock.until));
        assert!(until > in_days(37) && until < in_days(38), "{until}");
        // `printf 'a segment' | openssl md5 -binary | base64`
        let md5 = put.header("content-md5");
        let crc = put.header("x-amz-checksum-crc32");
        match checksums {
            None => assert_eq!((md5, crc), (Some("qGKJUHfJ7qFkMKW06PuLUA=="), None)),
            Some(_) => assert!(md5.is_none() && crc.is_some(), "{put:?}"),
        }
    }
}

#[tokio::test]
async fn a_bucket_that_cannot_lock_is_not_written_to() {
    for (reply, exit, said) in [
        (
            refusal(404, "ObjectLockConfigurationNotFoundError"),
            Exit::Usage,
            "the bucket backups has no Object Lock, and backup.s3.object_lock asks for it",
        ),
        (
            Reply::status(200).body("<ObjectLockConfiguration></ObjectLockConfiguration>"),
            Exit::Usage,
            "the bucket backups has no Object Lock, and backup.s3.object_lock asks for it",
        ),
        (
            refusal(501, "NotImplemented"),
            Exit::Usage,
            "the store of the bucket backups has no Object Lock",
        ),
        (
            refusal(403, "AccessDenied"),
            Exit::Unable,
            "cannot find out whether the bucket backups has Object Lock",
        ),
    ] {
        let server = Webhook::start([reply, Reply::status(404), Reply::status(200)]);
        let error = scripted(&server).put_new("x", BODY).await.unwrap_err();
        assert!(error.message().starts_with(said), "{}", error.render());
        assert_eq!(error.exit(), exit, "{}", error.render());
        if exit == Exit::Unable {
            assert_eq!(
                error.advice().unwrap(),
                "the credentials need s3:GetBucketObjectLockConfiguration on backups"
            );
        }
        assert!(server.requests().iter().all(|request| request.method == "GET"));
    }
}

#[tokio::test]
async fn a_refused_extension_counts_only_when_the_lock_is_longer_already() {
    let retention = |until: Timestamp| {
        Reply::status(200).body(format!(
            "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
        ))
    };
    let wanted = in_days(30);
    let denied = || refusal(403, "AccessDenied");
    let server = Webhook::start([denied(), retention(in_days(31))]);
    scripted(&server).lock_until("x", wanted).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("PUT", "/backups/p/x?retention")
    );
    assert!(
        request.text().contains("<Mode>GOVERNANCE</Mode>"),
        "{}",
        request.text()
    );
    for answer in [retention(in_days(29)), denied()] {
        let server = Webhook::start([denied(), answer]);
        let error = scripted(&server).lock_until("x", wanted).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        assert_eq!(error.message(), "cannot extend the lock of s3://backups/p/x");
        assert!(
            error.advice().unwrap().contains("s3:PutObjectRetention"),
            "{}",
            error.render()
        );
    }
}

#[tokio::test]
async fn a_deletion_says_what_became_of_the_object() {
    let plain = || Reply::status(200);
    let with = |name: &str, value: &str| Reply::status(200).header(name, value);
    let later = in_days(1).to_string();
    let before = in_days(-1).to_string();
    for (head, delete, expected) in [
        (
            with("x-amz-object-lock-retain-until-date", &later),
            None,
            Deleted::Kept,
        ),
        (with("x-amz-object-lock-legal-hold", "ON"), None, Deleted::Kept),
        (
            with("x-amz-object-lock-retain-until-date", &before),
            Some(Reply::status(204)),
            Deleted::Gone,
        ),
        (plain(), Some(Reply::status(204)), Deleted::Gone),
        (Reply::status(404), Some(Reply::status(204)), Deleted::Gone),
        (
            Reply::status(403),
            Some(refusal(403, "AccessDenied")),
            Deleted::Kept,
        ),
        (
            plain(),
            Some(Reply::status(204).header("x-amz-delete-marker", "true")),
            Deleted::Hidden,
        ),
    ] {
        let sent = usize::from(delete.is_some());
        let server = Webhook::start([head].into_iter().chain(delete));
        assert_eq!(scripted(&server).delete("x").await.unwrap(), expected);
        let deletions = server
            .requests()
            .iter()
            .filter(|request| request.method == "DELETE")
            .count();
        assert_eq!(deletions, sent, "{expected:?}");
    }
}

/// Everything against an emulator that keeps locks.
#[tokio::test]
async fn segments_of_a_new_set_are_locked_as_long_as_the_set() {
    let moto = require!(Moto::try_start());
    let shared = config(&moto.endpoint(), "AKIDEXAMPLE", "secret-of-the-test");
    let client = Client::from_conf(
        aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(true)
            .build(),
    );
    client
        .create_bucket()
        .bucket(NAME)
        .object_lock_enabled_for_bucket(true)
        .send()
        .await
        .unwrap();
    let open = async |days| {
        let options = locked(days, ObjectLockMode::Governance);
        let store = Arc::new(S3Store::with_config(
            &shared,
            NAME,
            "p",
            &options,
            Deadline::never(),
        ));
        let repository = Repository::open(store.clone(), Access::default()).await.unwrap();
        (store, repository)
    };
    let made = S3Store::with_config(
        &shared,
        NAME,
        "p",
        &locked(1, ObjectLockMode::Governance),
        Deadline::never(),
    );
    Repository::create(Arc::new(made), &[]).await.unwrap();
    let (store, repository) = open(1).await;
    backup(&repository, &["one\n", "two\n"]).await.unwrap();
    let end = async |key: &str| {
        let head = client
            .head_object()
            .bucket(NAME)
            .key(format!("p/{key}"))
            .send()
            .await
            .unwrap();
        Timestamp::from_second(head.object_lock_retain_until_date().unwrap().secs()).unwrap()
    };
    let objects = store.list("").await.unwrap();
    assert_eq!(objects.len(), 4);
    for entry in &objects {
        let until = end(&entry.key).await;
        assert!(
            until > in_days(1) && until <= in_days(2),
            "{}: {until}",
            entry.key
        );
    }

    // The second set needs the first one's segments, for longer.
    let (store, repository) = open(30).await;
    let (set, _) = backup(&repository, &["one\n", "three\n"]).await.unwrap();
    let set = repository.open_set(&set).await.unwrap();
    assert_eq!(set.header.locked_in.as_deref(), Some("s3://backups/p"));
    for object in &set.header.segments {
        let key = format!("segments/{}/{}", &object.object[..2], object.object);
        assert_eq!(Some(end(&key).await), object.locked_until);
        assert!(object.locked_until > Some(in_days(30)));
        assert_eq!(store.delete(&key).await.unwrap(), Deleted::Kept);
    }
    assert!(end("fh-backup.json").await > in_days(30));
    // The one that only the first set needs stays as it was.
    let mut short = 0;
    for entry in store.list("segments/").await.unwrap() {
        short += usize::from(end(&entry.key).await < in_days(3));
    }
    assert_eq!(short, 1);
    assert_eq!(
        repository.verify_objects(&set, |_| ()).await.unwrap().problems,
        []
    );

    // Without a lock of its own an object of such a bucket is only hidden.
    let unlocked = S3Store::with_config(&shared, NAME, "p", &S3Options::default(), Deadline::never());
    unlocked.put_new("free", BODY).await.unwrap();
    assert_eq!(unlocked.delete("free").await.unwrap(), Deleted::Hidden);
    assert_eq!(unlocked.get("free", 100).await.unwrap(), None);
}

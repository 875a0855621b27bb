//! Large objects in parts: sent whole or not at all, and never left behind.

mod bucket;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::Client;
use bucket::{Bucket, NAME, config};
use bytes::Bytes;
use fh_core::{Deadline, Exit};
use fh_repository::{DirStore, Put, S3Options, S3Store, Store as _, finish_aborts};
use fh_testkit::webhook::{Reply, Webhook};
use fh_testkit::{Moto, S3Fault, S3Refusal, require};

const DAY: Duration = Duration::from_secs(24 * 3600);

const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>";
const DONE: &str = "<CompleteMultipartUploadResult><ETag>\"e-5\"</ETag></CompleteMultipartUploadResult>";

/// Parts of ten thousand bytes.
fn cutting(bucket: &Bucket) -> S3Store {
    let options = S3Options {
        part_size: Some(10_000),
        ..S3Options::default()
    };
    bucket.store_with("p", &options)
}

/// Five parts, the last one short.
fn large() -> Bytes {
    Bytes::from((0..45_000_u32).map(|at| (at % 251) as u8).collect::<Vec<_>>())
}

/// What the server was asked, in short: `POST uploads`, `PUT 1`, `POST complete`, `DELETE`.
fn asked(bucket: &Bucket) -> Vec<String> {
    let short = |request: fh_testkit::S3Request| {
        let path = request.path;
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let part = query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
        match (request.method.as_str(), part) {
            ("POST", _) if query.starts_with("uploads") => "POST uploads".to_owned(),
            ("POST", _) => "POST complete".to_owned(),
            (method, Some(part)) => format!("{method} {part}"),
            (method, None) => method.to_owned(),
        }
    };
    bucket.server.requests().into_iter().map(short).collect()
}

fn count(bucket: &Bucket, what: &str) -> usize {
    asked(bucket).iter().filter(|asked| *asked == what).count()
}

/// The server takes no smaller parts than S3 does, so this one moves some bytes.
#[tokio::test]
async fn a_large_object_goes_in_parts_through_faults_that_pass_and_is_never_replaced() {
    let bucket = Bucket::start();
    let conditions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&conditions);
    bucket.server.refuse_when(move |call| {
        if call.method == "POST" && call.path.contains("uploadId=") {
            seen.lock()
                .unwrap()
                .push(call.header("if-none-match").map(str::to_owned));
        }
        None
    });
    for (method, path) in [
        ("PUT", "partNumber=2"),
        ("POST", "uploads"),
        ("POST", "uploadId="),
    ] {
        bucket.server.fail(S3Fault {
            method: method.into(),
            path_contains: path.into(),
            status: 503,
            code: "SlowDown".into(),
            times: 2,
        });
    }
    let options = S3Options {
        part_size: Some(5 << 20),
        ..S3Options::default()
    };
    let store = bucket.store_with("p", &options);
    let mut body = vec![7; (20 << 20) + 1];
    body[(5 << 20)..(10 << 20)].fill(8);
    let body = Bytes::from(body);
    assert_eq!(store.put_new("x", body.clone()).await.unwrap(), Put::Created);
    assert!(store.get("x", 21 << 20).await.unwrap() == Some(body));
    assert_eq!(*conditions.lock().unwrap(), [Some("*".to_owned())]);
    for (what, times) in [
        ("POST uploads", 3),
        ("PUT 1", 1),
        ("PUT 2", 3),
        ("PUT 5", 1),
        ("PUT 6", 0),
        ("POST complete", 3),
        ("DELETE", 0),
    ] {
        assert_eq!(count(&bucket, what), times, "{what} in {:?}", asked(&bucket));
    }
    let other = Bytes::from(vec![1; (20 << 20) + 1]);
    assert_eq!(store.put_new("x", other).await.unwrap(), Put::Exists);
    // Four parts and less are one request.
    cutting(&bucket)
        .put_new("y", large().slice(..40_000))
        .await
        .unwrap();
    assert_eq!(count(&bucket, "POST uploads"), 3);
}

#[tokio::test]
async fn whatever_fails_the_upload_is_aborted_and_nothing_is_there() {
    for (method, part, refusal, advice) in [
        (
            "PUT",
            "partNumber=3",
            S3Refusal::new(400, "ExpiredToken"),
            "renew the credentials",
        ),
        (
            "PUT",
            "partNumber=5",
            S3Refusal::new(503, "SlowDown"),
            "slow down",
        ),
        // An error after the answer has begun.
        (
            "POST",
            "uploadId=",
            S3Refusal::new(200, "InternalError"),
            "fault of its own",
        ),
        (
            "POST",
            "uploadId=",
            S3Refusal::new(403, "AccessDenied"),
            "s3:PutObject",
        ),
        (
            "POST",
            "uploadId=",
            S3Refusal::new(404, "NoSuchUpload"),
            "lifecycle rule",
        ),
    ] {
        let bucket = Bucket::start();
        let answer = refusal.clone();
        bucket.server.refuse_when(move |call| {
            (call.method == method && call.path.contains(part)).then(|| answer.clone())
        });
        let error = cutting(&bucket).put_new("x", large()).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable, "{}", error.render());
        assert!(error.render().contains(&refusal.code), "{}", error.render());
        assert!(error.advice().unwrap().contains(advice), "{}", error.render());
        assert_eq!(count(&bucket, "DELETE"), 1, "{refusal:?}: {:?}", asked(&bucket));
        bucket.server.heal();
        assert_eq!(bucket.store("p").list("").await.unwrap(), [], "{refusal:?}");
    }
}

#[tokio::test]
async fn another_writer_is_met_at_the_end() {
    // Taken: the other one was first.
    let bucket = Bucket::start();
    bucket.server.refuse_when(|call| {
        (call.method == "POST" && call.path.contains("uploadId="))
            .then(|| S3Refusal::new(412, "PreconditionFailed"))
    });
    assert_eq!(cutting(&bucket).put_new("x", large()).await.unwrap(), Put::Exists);
    assert_eq!(count(&bucket, "DELETE"), 1);
    // In progress: all is sent again.
    let once = |end: Reply| {
        let parts = (0..5).map(|_| Reply::status(200).header("etag", "\"e\""));
        [Reply::status(200).body(BEGUN)]
            .into_iter()
            .chain(parts)
            .chain([end])
    };
    let conflict = Reply::status(409).body("<Error><Code>ConditionalRequestConflict</Code></Error>");
    let replies = [Reply::status(404)]
        .into_iter()
        .chain(once(conflict))
        .chain([Reply::status(204)])
        .chain(once(Reply::status(200).body(DONE)));
    let server = Webhook::start(replies);
    let config = config(&server.url(""), "AKIDEXAMPLE", "secret-of-the-test");
    let options = S3Options {
        part_size: Some(10_000),
        ..S3Options::default()
    };
    let store = S3Store::with_config(&config, NAME, "p", &options, Deadline::never());
    assert_eq!(store.put_new("x", large()).await.unwrap(), Put::Created);
    assert_eq!(server.requests().len(), 16);
}

/// A store that answers nothing of use cannot have made the object.
#[tokio::test]
async fn an_end_that_names_nothing_is_not_believed() {
    let mut replies = vec![Reply::status(404), Reply::status(200).body(BEGUN)];
    replies.extend((0..5).map(|_| Reply::status(200).header("etag", "\"e\"")));
    replies.push(Reply::status(200).body("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"));
    replies.push(Reply::status(204));
    let server = Webhook::start(replies);
    let config = config(&server.url(""), "AKIDEXAMPLE", "secret-of-the-test");
    let options = S3Options {
        part_size: Some(10_000),
        ..S3Options::default()
    };
    let store = S3Store::with_config(&config, NAME, "p", &options, Deadline::never());
    let error = store.put_new("x", large()).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert_eq!(server.requests().last().unwrap().method, "DELETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_stopped_leaves_no_upload() {
    let bucket = Bucket::start();
    let (begun, mut wait) = tokio::sync::mpsc::unbounded_channel();
    bucket.server.refuse_when(move |call| {
        if !call.path.contains("partNumber=") {
            return None;
        }
        let _ = begun.send(());
        Some(S3Refusal::new(503, "SlowDown"))
    });
    let store = cutting(&bucket);
    tokio::select! {
        put = store.put_new("x", large()) => unreachable!("{put:?}"),
        _ = wait.recv() => {}
    }
    finish_aborts(Duration::from_secs(30)).await;
    assert_eq!(count(&bucket, "DELETE"), 1, "{:?}", asked(&bucket));
    assert_eq!(count(&bucket, "POST complete"), 0);
}

#[tokio::test]
async fn parts_carry_what_the_object_was_asked_to_have() {
    let able =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    let part = || Reply::status(200).header("etag", "\"e\"");
    let mut replies = vec![
        Reply::status(200).body(able),
        Reply::status(404),
        Reply::status(200).body(BEGUN),
    ];
    replies.extend((0..5).map(|_| part()));
    replies.push(Reply::status(200).body(DONE));
    let server = Webhook::start(replies);
    let options = S3Options {
        storage_class: Some("STANDARD_IA".into()),
        sse_kms_key_id: Some("alias/backup".into()),
        object_lock: Some(fh_core::config::ObjectLock {
            mode: fh_core::config::ObjectLockMode::Compliance,
            days: 7.try_into().unwrap(),
        }),
        part_size: Some(10_000),
        ..S3Options::default()
    };
    let config = config(&server.url(""), "AKIDEXAMPLE", "secret-of-the-test");
    let store = S3Store::with_config(&config, NAME, "p", &options, Deadline::never());
    assert_eq!(store.put_new("x", large()).await.unwrap(), Put::Created);
    let requests = server.requests();
    let begin = &requests[2];
    for (header, value) in [
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "alias/backup"),
        ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
    ] {
        assert_eq!(begin.header(header), Some(value), "{begin:?}");
    }
    assert!(begin.header("x-amz-object-lock-retain-until-date").is_some());
    assert!(
        requests[3..8]
            .iter()
            .all(|part| part.header("content-md5").is_some())
    );
}

#[tokio::test]
async fn a_sweep_ends_old_uploads_and_leaves_young_ones() {
    let now = jiff::Timestamp::now();
    let old = now - jiff::SignedDuration::from_hours(25);
    let young = now - jiff::SignedDuration::from_hours(23);
    let page = |truncated: bool, uploads: &[(&str, jiff::Timestamp)]| {
        let uploads: String = uploads
            .iter()
            .map(|(key, at)| {
                format!("<Upload><Key>{key}</Key><UploadId>of-{key}</UploadId><Initiated>{at}</Initiated></Upload>")
            })
            .collect();
        Reply::status(200).body(format!(
            "<ListMultipartUploadsResult><IsTruncated>{truncated}</IsTruncated><NextKeyMarker>p/b</NextKeyMarker>\
             <NextUploadIdMarker>of-p/b</NextUploadIdMarker>{uploads}</ListMultipartUploadsResult>"
        ))
    };
    let server = Webhook::start([
        page(true, &[("p/a", old), ("p/b", young)]),
        page(false, &[("p/c", old), ("p/d", old)]),
        Reply::status(204),
        Reply::status(204),
        // It ended by itself.
        Reply::status(404).body("<Error><Code>NoSuchUpload</Code></Error>"),
    ]);
    let config = config(&server.url(""), "AKIDEXAMPLE", "secret-of-the-test");
    let store = S3Store::with_config(&config, NAME, "p", &S3Options::default(), Deadline::never());
    assert_eq!(store.sweep_uploads(DAY).await.unwrap(), 2);
    let requests = server.requests();
    assert!(requests[0].path.contains("prefix=p%2F"), "{}", requests[0].path);
    assert!(
        requests[1].path.contains("key-marker=p%2Fb")
            && requests[1].path.contains("upload-id-marker=of-p%2Fb"),
        "{}",
        requests[1].path
    );
    let ended: Vec<&str> = requests[2..]
        .iter()
        .map(|request| request.path.split('?').next().unwrap())
        .collect();
    assert_eq!(ended, ["/backups/p/a", "/backups/p/c", "/backups/p/d"]);
    assert!(requests[2..].iter().all(|request| request.method == "DELETE"));
}

#[tokio::test]
async fn a_sweep_that_is_refused_is_no_success() {
    let denied = || Reply::status(403).body("<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
    let one = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>p/a</Key><UploadId>u</UploadId>\
               <Initiated>2020-01-01T00:00:00Z</Initiated></Upload></ListMultipartUploadsResult>";
    for (replies, right) in [
        (vec![denied()], "s3:ListBucketMultipartUploads"),
        (
            vec![Reply::status(200).body(one), denied()],
            "s3:AbortMultipartUpload",
        ),
    ] {
        let server = Webhook::start(replies);
        let config = config(&server.url(""), "AKIDEXAMPLE", "secret-of-the-test");
        let store = S3Store::with_config(&config, NAME, "p", &S3Options::default(), Deadline::never());
        let error = store.sweep_uploads(DAY).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        assert!(error.advice().unwrap().contains(right), "{}", error.render());
    }
}

/// moto dates every upload to 2010.
#[tokio::test]
async fn a_sweep_ends_uploads_of_an_emulator_below_the_prefix_only() {
    let moto = require!(Moto::try_start());
    let shared = config(&moto.endpoint(), "AKIDEXAMPLE", "secret-of-the-test");
    let client = Client::from_conf(
        aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(true)
            .build(),
    );
    client.create_bucket().bucket(NAME).send().await.unwrap();
    for key in ["p/segments/ab/x", "other/y"] {
        let begun = client.create_multipart_upload().bucket(NAME).key(key);
        begun.send().await.unwrap();
    }
    let store =
        |prefix| S3Store::with_config(&shared, NAME, prefix, &S3Options::default(), Deadline::never());
    assert_eq!(store("p").sweep_uploads(DAY).await.unwrap(), 1);
    assert_eq!(store("p").sweep_uploads(DAY).await.unwrap(), 0);
    assert_eq!(store("other").sweep_uploads(DAY).await.unwrap(), 1);
}

#[tokio::test]
async fn in_a_folder_old_files_in_the_making_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let store = DirStore::new(folder.path());
    store
        .put_new("segments/ab/x", Bytes::from_static(b"x"))
        .await
        .unwrap();
    let below = folder.path().join("segments/ab");
    for (name, hours) in [(".tmp-old", 25), (".tmp-young", 23), ("old-object", 25)] {
        let file = std::fs::File::create(below.join(name)).unwrap();
        let at = std::time::SystemTime::now() - Duration::from_secs(hours * 3600);
        file.set_modified(at).unwrap();
    }
    assert_eq!(store.sweep_uploads(DAY).await.unwrap(), 1);
    let mut left: Vec<_> = std::fs::read_dir(&below)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [".tmp-young", "old-object", "x"]);
    assert_eq!(
        DirStore::new(folder.path().join("nothing"))
            .sweep_uploads(DAY)
            .await
            .unwrap(),
        0
    );
}

//! Redis, S3, moto and the recording web server answer, and do what the tests of others rely on.

use std::time::Duration;

use fh_testkit::http::request;
use fh_testkit::webhook::{Reply, Webhook};
use fh_testkit::{Moto, Redis, S3, S3Fault, require};

#[test]
fn redis_answers_and_forgets() {
    let mut redis = require!(Redis::try_start());
    assert_eq!(redis.command("SET key value").unwrap(), "+OK");
    assert_eq!(redis.command("EXISTS key").unwrap(), ":1");
    redis.kill9();
    assert!(redis.command("PING").is_err());
    redis.restart();
    assert_eq!(redis.command("EXISTS key").unwrap(), ":0");
}

#[test]
fn redis_can_want_a_password() {
    let redis = require!(Redis::try_start_with_password("open-sesame"));
    assert_eq!(redis.command("PING").unwrap(), "+PONG");
    assert!(redis.url().starts_with("redis://:open-sesame@127.0.0.1:"));
    let mut stranger = std::net::TcpStream::connect(redis.address()).unwrap();
    std::io::Write::write_all(&mut stranger, b"PING\r\nQUIT\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stranger, &mut answer).unwrap();
    assert!(answer.starts_with("-NOAUTH"), "{answer}");
}

#[test]
fn s3_checks_signatures_and_fails_to_order() {
    let s3 = S3::start();
    s3.create_bucket("backups");
    assert!(s3.root().join("backups").is_dir());
    // Nobody signed this, so the server must not take it.
    let answer = request(s3.address(), "PUT", "/backups/a/b", &[], b"bytes").unwrap();
    assert_eq!(answer.status, 403, "{}", String::from_utf8_lossy(&answer.body));
    assert!(!s3.object_path("backups", "a/b").exists());
    let wrong = "AWS4-HMAC-SHA256 Credential=FHTESTKITACCESSKEY00/20260101/us-east-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=00";
    let headers = [("Authorization", wrong), ("x-amz-date", "20260101T000000Z")];
    assert_ne!(
        request(s3.address(), "GET", "/backups", &headers, b"")
            .unwrap()
            .status,
        200
    );

    s3.fail(S3Fault {
        method: "PUT".into(),
        path_contains: "/a/".into(),
        status: 503,
        code: "SlowDown".into(),
        times: 1,
    });
    let body = vec![7; 30_000_000];
    let answer = request(s3.address(), "PUT", "/backups/a/b", &[], &body).unwrap();
    assert_eq!(answer.status, 503);
    assert!(
        String::from_utf8(answer.body)
            .unwrap()
            .contains("<Code>SlowDown</Code>")
    );
    assert_eq!(
        request(s3.address(), "PUT", "/backups/a/b", &[], b"bytes")
            .unwrap()
            .status,
        403
    );
    let statuses: Vec<_> = s3
        .requests()
        .into_iter()
        .map(|it| (it.method, it.status))
        .collect();
    assert_eq!(statuses[0], ("PUT".into(), 403));
    assert_eq!(statuses[2..], [("PUT".into(), 503), ("PUT".into(), 403)]);
}

#[test]
fn s3_ends_inside_another_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let address = runtime.block_on(async { S3::start().address() });
    assert!(std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5)).is_err());
}

#[test]
fn moto_answers_and_forgets() {
    let moto = require!(Moto::try_start());
    let address = moto.endpoint().trim_start_matches("http://").parse().unwrap();
    let auth =
        "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0";
    let call = |target: &str, body: &str| {
        let headers = [
            ("X-Amz-Target", target),
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Authorization", auth),
        ];
        let answer = request(address, "POST", "/", &headers, body.as_bytes()).unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    let (status, _) = call(
        "AmazonSSM.PutParameter",
        r#"{"Name":"/db","Value":"secret","Type":"String"}"#,
    );
    assert_eq!(status, 200);
    let (status, body) = call("AmazonSSM.GetParameter", r#"{"Name":"/db"}"#);
    assert!(status == 200 && body.contains("secret"), "{status} {body}");
    moto.reset().unwrap();
    let (status, body) = call("AmazonSSM.GetParameter", r#"{"Name":"/db"}"#);
    assert!(
        status == 400 && body.contains("ParameterNotFound"),
        "{status} {body}"
    );
}

#[test]
fn the_webhook_records_and_follows_its_script() {
    let hook = Webhook::start([
        Reply::status(503).header("Retry-After", "1").body("later"),
        Reply::close(),
        Reply::status(204).delay(Duration::from_millis(1)),
    ]);
    let send = || {
        request(
            hook.address(),
            "POST",
            "/x?y=1",
            &[("X-Test", "yes")],
            b"{\"text\":\"hi\"}",
        )
    };
    let first = send().unwrap();
    assert_eq!((first.status, first.body), (503, b"later".to_vec()));
    assert!(send().is_err());
    assert_eq!(send().unwrap().status, 204);
    assert_eq!(send().unwrap().status, 204);
    let requests = hook.requests();
    assert_eq!(requests.len(), 4);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", "/x?y=1")
    );
    assert_eq!(
        (requests[0].header("x-test"), requests[0].text().as_str()),
        (Some("yes"), r#"{"text":"hi"}"#)
    );
    assert!(hook.url("/a").ends_with("/a"));
}

//! A bucket with bad days, and the real binary: each fault ends with the right exit code and a text that helps, and what was
//! good before stays good.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use std::sync::atomic::{AtomicUsize, Ordering};

use fh_testkit::proxy::{Direction, Faults, Proxy};
use fh_testkit::webhook::{Reply, Webhook};
use fh_testkit::{Postgres, S3, S3Call, S3Fault, S3Refusal};
use tool::{Tool, small_server};

struct Ready {
    server: Postgres,
    s3: S3,
    tool: Tool,
    good: Vec<String>,
}

impl Ready {
    /// A repository in a bucket with one good set, and few attempts, so that what stays bad is given up soon.
    fn new() -> Option<Self> {
        let server = small_server()?;
        let s3 = S3::start();
        let tool = Tool::new()
            .with("DATABASE_URL", server.url("shop"))
            .in_s3(&s3, true);
        std::fs::write(tool.path("financehub.toml"), "[backup.s3]\nattempts = 2\n").unwrap();
        tool.run(&["create"]).expect(0);
        let good = vec![tool.newest()];
        Some(Self {
            server,
            s3,
            tool,
            good,
        })
    }

    /// New rows, so that the next backup has something to send.
    fn grow(&self) {
        self.server.psql("shop", "INSERT INTO empty VALUES (1)");
    }

    /// `create` fails with 3 and these words while `rule` refuses; then all is as before.
    fn refused(
        &self,
        words: &[&str],
        rule: impl Fn(&S3Call<'_>) -> Option<S3Refusal> + Send + Sync + 'static,
    ) {
        self.grow();
        self.s3.refuse_when(rule);
        let ran = self.tool.run(&["create"]).expect(3);
        for word in words {
            assert!(
                ran.stderr.contains(word),
                "{word:?} is missing in:\n{}",
                ran.stderr
            );
        }
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
        assert!(!ran.stderr.contains(self.s3.secret_key()), "{}", ran.stderr);
        self.still_good();
    }

    fn still_good(&self) {
        self.s3.heal();
        assert_eq!(self.tool.sets(), self.good);
        for set in &self.good {
            self.tool.run(&["verify", set]).expect(0);
        }
    }
}

fn put(call: &S3Call<'_>) -> bool {
    call.method == "PUT"
}

#[test]
fn whatever_the_store_answers() {
    let Some(mut ready) = Ready::new() else { return };
    // A storm that does not pass, and one that does.
    ready.refused(&["SlowDown", "backup.s3.attempts"], |call| {
        put(call).then(|| S3Refusal::new(503, "SlowDown"))
    });
    ready.grow();
    for method in ["GET", "HEAD", "PUT"] {
        ready.s3.fail(S3Fault {
            method: method.into(),
            path_contains: String::new(),
            status: 503,
            code: "SlowDown".into(),
            times: 1,
        });
    }
    ready.tool.run(&["create"]).expect(0);
    ready.good.push(ready.tool.newest());

    // A token that ends in mid-run: the first segment still passes.
    let puts = AtomicUsize::new(0);
    ready.refused(&["ExpiredToken", "renew the credentials"], move |call| {
        let expired = put(call) && puts.fetch_add(1, Ordering::SeqCst) > 0;
        expired.then(|| S3Refusal::new(400, "ExpiredToken"))
    });
    // Everything is written but the set itself.
    ready.refused(&["InternalError", "try again later"], |call| {
        (put(call) && call.path.contains("/sets/")).then(|| S3Refusal::new(500, "InternalError"))
    });
    ready.refused(&["RequestTimeTooSkewed", "clock is wrong", "NTP"], |_| {
        Some(S3Refusal::new(403, "RequestTimeTooSkewed"))
    });
    ready.refused(&["NotImplemented", "If-None-Match"], |call| {
        call.header("if-none-match")
            .map(|_| S3Refusal::new(501, "NotImplemented"))
    });

    // A store that refuses the checksums of today's SDKs is written to without them, unless one insists.
    let no_checksums = |call: &S3Call<'_>| {
        let checksum = call.headers.keys().any(|name| {
            name.as_str().starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
        });
        checksum.then(|| {
            S3Refusal::new(501, "NotImplemented").saying("a checksum header implies functionality we lack")
        })
    };
    ready.grow();
    ready.s3.refuse_when(no_checksums);
    ready.tool.run(&["create"]).expect(0);
    ready.good.push(ready.tool.newest());
    std::fs::write(
        ready.tool.path("financehub.toml"),
        "[backup.s3]\nchecksums = \"when-supported\"\nattempts = 2\n",
    )
    .unwrap();
    ready.refused(
        &["checksum", "backup.s3.checksums", "when-required"],
        no_checksums,
    );

    // A bucket without the Object Lock that is asked for gets nothing.
    std::fs::write(
        ready.tool.path("financehub.toml"),
        "[backup.s3]\nobject_lock = { mode = \"governance\", days = 30 }\n",
    )
    .unwrap();
    let ran = ready.tool.run(&["create"]).expect(2);
    assert!(ran.stderr.contains("has no Object Lock"), "{}", ran.stderr);
    ready.still_good();
}

#[test]
fn connections_that_break_in_the_middle() {
    let Some(mut ready) = Ready::new() else { return };
    let proxy = Proxy::to(ready.s3.address());
    let direct = ready.s3.endpoint();
    let broken = Faults {
        reset_after: Some(4_000),
        ..Faults::default()
    };
    // The body of a PUT.
    ready
        .tool
        .set("AWS_ENDPOINT_URL", format!("http://{}", proxy.address()));
    ready.server.psql("shop", "UPDATE item SET name = md5(name)");
    proxy.set(Direction::ToServer, broken);
    let ran = ready.tool.run(&["create"]).expect(3);
    assert!(ran.stderr.contains("hint: check the endpoint"), "{}", ran.stderr);
    proxy.heal();
    ready.still_good();
    // The body of a GET: out of reach is not damaged.
    proxy.set(Direction::ToClient, broken);
    let ran = ready.tool.run(&["verify"]).expect(3);
    assert!(ran.stderr.contains("broke in the middle"), "{}", ran.stderr);
    ready.server.create_database("again");
    ready.tool.run(&["restore", "--into", "again"]).expect(3);
    proxy.heal();
    ready.tool.set("AWS_ENDPOINT_URL", direct);
    ready.still_good();
    ready.tool.run(&["create"]).expect(0);
}

/// The old script sent backups only where static keys were in the environment.
#[test]
fn an_ecs_task_needs_no_keys() {
    let Some(server) = small_server() else { return };
    let s3 = S3::start();
    let keys = format!(
        r#"{{"AccessKeyId":"{}","SecretAccessKey":"{}","Token":"t","Expiration":"2099-01-01T00:00:00Z"}}"#,
        s3.access_key(),
        s3.secret_key()
    );
    let role = Webhook::start([Reply::status(200)
        .header("content-type", "application/json")
        .body(keys)]);
    let mut tool = Tool::new()
        .with("DATABASE_URL", server.url("shop"))
        .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", role.url("/v2/credentials"))
        .in_s3(&s3, false);
    // No static keys from here on; in_s3 set some.
    tool.set("AWS_ACCESS_KEY_ID", "");
    tool.set("AWS_SECRET_ACCESS_KEY", "");
    tool.run(&["create"]).expect(0);
    tool.run(&["verify"]).expect(0);
    assert!(!role.requests().is_empty());
}

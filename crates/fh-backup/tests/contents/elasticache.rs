//! ElastiCache is told to take its own snapshot; the set keeps the name.

use fh_testkit::http::request;
use fh_testkit::{Moto, require};

use super::tool::{Tool, small_server};
use super::{assert_parts, configure};

/// Asks the emulator, which looks at the service in the signature and not at the signature itself.
fn ask(moto: &Moto, form: &str) -> String {
    let address = moto.endpoint().strip_prefix("http://").unwrap().parse().unwrap();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/elasticache/aws4_request, \
             SignedHeaders=host, Signature=0",
        ),
    ];
    let body = format!("{form}&Version=2015-02-02");
    let answer = request(address, "POST", "/", &headers, body.as_bytes()).unwrap();
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200, "{text}");
    text
}

#[test]
fn elasticache_takes_its_own_snapshot() {
    let Some(server) = small_server() else { return };
    let moto = require!(Moto::try_start());
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"))
        .with("AWS_ENDPOINT_URL", moto.endpoint())
        .with("AWS_REGION", "eu-central-1")
        .with("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "canary-of-aws");
    configure(&tool, "[backup.redis]\nenabled = true\nelasticache = 'cache'\n");
    let failed = tool.run(&["create"]).expect(3);
    assert_parts(
        &failed.stderr,
        &[
            "CreateSnapshot of elasticache in eu-central-1 failed",
            "ReplicationGroupNotFound",
        ],
    );
    assert!(tool.sets().is_empty());

    ask(
        &moto,
        "Action=CreateReplicationGroup&ReplicationGroupId=cache&ReplicationGroupDescription=x&Engine=redis\
         &CacheNodeType=cache.t3.micro&NumCacheClusters=1",
    );
    let created = tool.run(&["create"]).expect(0);
    assert_parts(
        &created.stdout,
        &["ElastiCache keeps the snapshot fh-backup-", "no keys"],
    );
    let shown = tool.run(&["show", "--format", "json"]).expect(0).json();
    let snapshot = &shown["data"]["parts"]["redis"]["elasticache"];
    let name = snapshot["name"].as_str().unwrap();
    assert_eq!(snapshot["replication_group"], "cache");
    assert_eq!(snapshot["region"], "eu-central-1");
    assert_parts(&ask(&moto, "Action=DescribeSnapshots"), &[name, "available"]);

    tool.run(&["verify", "--full"]).expect(0);
    let tool = tool.with("TARGET", "redis://127.0.0.1:1");
    let no_keys = tool
        .run(&["restore", "--redis", "--redis-url-env", "TARGET"])
        .expect(3);
    assert_parts(
        &no_keys.stderr,
        &[name, "create-replication-group --snapshot-name"],
    );
}

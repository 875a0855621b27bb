//! Redis: every type, binary keys, expiry, several databases, and targets that are not fit.

use std::collections::BTreeMap;

use fh_backup::body::Data;
use fh_backup::proof::Proof;
use fh_backup::redis_keys::{Keys, Record, RedisPart, Target, rdb_version_of, restore};
use fh_core::progress::Progress;
use fh_core::{Deadline, Exit, Secret};
use fh_testkit::{Redis, require};
use redis::{Connection, Value};

use super::tool::{Tool, small_server};
use super::tree::noise;
use super::{assert_parts, block_on, configure, newest_body, open, with_flipped_bit};

fn connect(url: &str) -> Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}

fn run(connection: &mut Connection, words: &[&[u8]]) -> Value {
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command.query(connection).unwrap()
}

/// Keys of every type in two databases.
fn plant(url: &str) {
    let mut there = connect(url);
    let large = noise(1 << 20, 9);
    let commands: Vec<Vec<&[u8]>> = vec![
        vec![b"SET", b"text", b"value"],
        vec![b"SET", b"binary-\x00\xff\r\nkey", b"\x00\x01\xff\r\n"],
        vec![b"SET", b"large", &large],
        vec![b"SET", b"", b"the empty key"],
        vec![b"RPUSH", b"list", b"a", b"b", b"a"],
        vec![b"SADD", b"set", b"x", b"y", b"z"],
        vec![b"ZADD", b"sorted", b"1.5", b"one", b"-inf", b"first"],
        vec![b"HSET", b"hash", b"field", b"value", b"\xff", b"\xfe"],
        vec![b"XADD", b"stream", b"1-1", b"k", b"v"],
        vec![b"PFADD", b"hyperloglog", b"a", b"b"],
        vec![b"SET", b"later", b"expires", b"PX", b"9000000"],
        vec![b"SELECT", b"7"],
        vec![b"SET", b"text", b"of another database"],
        vec![b"PEXPIREAT", b"text", b"4102444800123"],
    ];
    for command in commands {
        run(&mut there, &command);
    }
    for batch in 0..20 {
        let mut pipeline = redis::pipe();
        for number in 0..100 {
            pipeline
                .cmd("SET")
                .arg(format!("many:{batch}:{number}"))
                .arg(number)
                .ignore();
        }
        pipeline.exec(&mut there).unwrap();
    }
}

/// For each key of a database its type, its content by the command of that type, and the moment at which it expires.
fn look(url: &str, database: &str) -> BTreeMap<Vec<u8>, (Value, Vec<Value>, i64)> {
    let mut there = connect(url);
    run(&mut there, &[b"SELECT", database.as_bytes()]);
    let keys: Vec<Vec<u8>> = redis::from_redis_value(run(&mut there, &[b"KEYS", b"*"])).unwrap();
    let mut seen = BTreeMap::new();
    for key in keys {
        let kind: String = redis::from_redis_value(run(&mut there, &[b"TYPE", &key])).unwrap();
        let content = match kind.as_str() {
            "string" => run(&mut there, &[b"GET", &key]),
            "list" => run(&mut there, &[b"LRANGE", &key, b"0", b"-1"]),
            "set" => run(&mut there, &[b"SMEMBERS", &key]),
            "zset" => run(&mut there, &[b"ZRANGE", &key, b"0", b"-1", b"WITHSCORES"]),
            "hash" => run(&mut there, &[b"HGETALL", &key]),
            _ => run(&mut there, &[b"XRANGE", &key, b"-", b"+"]),
        };
        let mut content = match content {
            Value::Array(items) | Value::Set(items) => items,
            one => vec![one],
        };
        if kind == "set" {
            content.sort_by_key(|item| format!("{item:?}"));
        }
        let expires = redis::from_redis_value(run(&mut there, &[b"PEXPIRETIME", &key])).unwrap();
        seen.insert(key, (Value::SimpleString(kind), content, expires));
    }
    seen
}

fn keys_of(body: fh_backup::body::Body) -> Keys {
    let Some(RedisPart::Keys(keys)) = body.redis else {
        unreachable!("the set has no keys of Redis");
    };
    keys
}

#[test]
fn every_key_comes_back_and_expires_when_it_should() {
    let Some(server) = small_server() else { return };
    let (there, here) = (
        require!(Redis::try_start_with_password("canary-of-redis")),
        require!(Redis::try_start()),
    );
    plant(&there.url());
    let mut tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"))
        .with("REDIS_URL", there.url())
        .with("TARGET", here.url());
    // Off unless it is wanted.
    tool.run(&["create"]).expect(0);
    assert!(
        block_on(async { newest_body(&open(&tool).await).await })
            .redis
            .is_none()
    );
    let nothing = tool
        .run(&["restore", "--redis", "--redis-url-env", "TARGET"])
        .expect(2);
    assert_parts(&nothing.stderr, &["no keys of Redis"]);

    configure(&tool, "[backup.redis]\nenabled = true\n");
    let created = tool.run(&["create", "-v"]).expect(0);
    assert_parts(
        &created.stdout,
        &["2,012 keys of 2 database(s)", "not at one moment"],
    );
    tool.run(&["verify", "--full"]).expect(0);
    let shown = tool.run(&["show"]).expect(0);
    assert_parts(&shown.stdout, &["Redis", "2,001 in 7", "1 stream", "RDB version"]);
    let restored = tool
        .run(&["restore", "--redis", "--redis-url-env", "TARGET", "-v"])
        .expect(0);
    assert_parts(&restored.stdout, &["2,012 keys are there"]);
    for ran in [&created, &shown, &restored] {
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary-of-redis"));
    }
    for database in ["0", "7"] {
        let (one, other) = (look(&there.url(), database), look(&here.url(), database));
        assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
        for (key, what) in &one {
            let (kind, content, expires) = &other[key];
            assert_eq!((&what.0, &what.1), (kind, content), "{}", key.escape_ascii());
            assert!((what.2 - expires).abs() < 1000, "{} {expires}", what.2);
        }
    }

    let refused = tool
        .run(&["restore", "--redis", "--redis-url-env", "TARGET"])
        .expect(4);
    assert_parts(&refused.stderr, &["is not empty", "nothing was changed"]);
    assert_parts(
        &tool
            .run(&["restore", "--redis", "--redis-url-env", "UNSET"])
            .expect(2)
            .stderr,
        &["UNSET"],
    );
    tool.run(&["restore", "--redis"]).expect(2);

    let sets = tool.sets();
    for (url, code, says) in [
        (
            there.url().replace("canary-of-redis", "canary-that-is-wrong"),
            3,
            "check user and password",
        ),
        (
            "redis://127.0.0.1:1/0".to_owned(),
            3,
            "cannot connect to Redis at 127.0.0.1:1",
        ),
        (
            "http://user:canary-of-http@host/".to_owned(),
            2,
            "Redis URL is not understood",
        ),
        (String::new(), 2, "no Redis is configured"),
    ] {
        tool.set("REDIS_URL", url);
        let failed = tool.run(&["create"]).expect(code);
        assert_parts(&failed.stderr, &[says]);
        assert!(!failed.stderr.contains("canary-"), "{}", failed.stderr);
    }
    assert_eq!(tool.sets(), sets);

    let keys = keys_of(block_on(async { newest_body(&open(&tool).await).await }));
    with_flipped_bit(&tool, &keys.data.segments[0], || {
        tool.run(&["verify", "--full"]).expect(1);
    });
}

/// Sets that the tool would not write now: of a newer server, or of long ago.
#[test]
fn what_does_not_fit_the_target_is_told_before_or_after() {
    let server = require!(Redis::try_start());
    let tool = Tool::new().in_folder(false);
    let target = |server: &Redis| {
        let url = Secret::new(server.url());
        Target::parse(&url, std::time::Duration::from_secs(10), Deadline::never()).unwrap()
    };
    let mut there = connect(&server.url());
    run(&mut there, &[b"SET", b"k", b"v"]);
    let payload: Vec<u8> = redis::from_redis_value(run(&mut there, &[b"DUMP", b"k"])).unwrap();
    run(&mut there, &[b"FLUSHALL"]);
    let record = |key: &str, expires_at| Record {
        database: 0,
        expires_at,
        key: key.into(),
        payload: payload.clone(),
    };
    block_on(async {
        let repository = open(&tool).await;
        let writer = repository.writer(1).await.unwrap();
        let mut keys = Keys {
            server: "99.0".into(),
            rdb_version: rdb_version_of(&payload),
            read_from: jiff::Timestamp::UNIX_EPOCH,
            read_to: jiff::Timestamp::UNIX_EPOCH,
            databases: BTreeMap::from([(0, 2)]),
            types: BTreeMap::new(),
            expiring: 1,
            vanished: 0,
            data: Data::default(),
        };
        let mut proof = Proof::default();
        let mut bytes = Vec::new();
        for record in [record("stays", None), record("is over", Some(1000))] {
            let encoded = record.encode();
            proof.add(&encoded);
            bytes.extend(encoded);
        }
        keys.data.proof = proof;
        keys.data.segments.push(writer.put(bytes.into()).await.unwrap());
        let run_restore =
            async |keys: &Keys| restore(&repository, keys, &target(&server), &Progress::hidden()).await;

        let known = keys.rdb_version;
        keys.rdb_version = known.map(|version| version + 1);
        let error = run_restore(&keys).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        assert_parts(&error.render(), &["knows versions up to", "nothing was changed"]);
        keys.rdb_version = known;
        keys.databases.insert(4000, 1);
        let error = run_restore(&keys).await.unwrap_err();
        assert_parts(&error.render(), &["has no database 4000"]);
        let _ = keys.databases.remove(&4000);
        assert!(look(&server.url(), "0").is_empty());

        let restored = run_restore(&keys).await.unwrap();
        assert_eq!((restored.keys, restored.expired), (1, 1));
        assert_eq!(
            look(&server.url(), "0").into_keys().collect::<Vec<_>>(),
            [b"stays".to_vec()]
        );

        run(&mut connect(&server.url()), &[b"FLUSHALL"]);
        keys.data.proof.rows += 1;
        let error = run_restore(&keys).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Bad);
        assert_parts(&error.render(), &["the segments hold 2 rows", "FLUSHALL"]);
    });
}

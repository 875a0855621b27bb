//! Redis in good and in bad state.

use fh_core::report::Status;
use fh_testkit::{Redis, require};
use jiff::SignedDuration;

use super::round::{Found, Round, said, wait_until};

fn config(url: &str, more: &str) -> String {
    format!("[[health.redis]]\nname = 'cache'\nurl = '{url}'\n{more}\n")
}

/// Keys with values of a kilobyte.
fn fill(server: &Redis, from: u32, keys: u32) {
    let value = "x".repeat(1024);
    for key in from..from + keys {
        server.command(&format!("SET key:{key} {value}")).unwrap();
    }
}

/// Rounds until `id` has `status`: replication is told of a little later.
fn until(toml: &str, id: &str, status: Status) -> Found {
    wait_until(|| {
        let found = Round::of(toml).run();
        if found.check(id).status == status {
            Ok(found)
        } else {
            Err(found.all().join("\n"))
        }
    })
}

#[test]
fn a_good_server_passes_and_counts_from_run_to_run() {
    let server = require!(Redis::try_start_with(&[("slowlog-log-slower-than", "0")]));
    let round = Round::of(&config(&server.url(), ""));
    let first = round.run();
    for id in ["ping", "memory", "clients", "persistence"] {
        first.expect(&format!("redis.cache.{id}"), Status::Pass);
    }
    for id in ["rejected", "evictions", "misses", "replication", "slowlog"] {
        first.expect(&format!("redis.cache.{id}"), Status::Skip);
    }
    fill(&server, 0, 3);
    for key in 0..400 {
        for wanted in [key % 3, key + 10, key + 11] {
            server.command(&format!("GET key:{wanted}")).unwrap();
        }
    }
    let second = round.again(&first, SignedDuration::from_mins(1));
    for id in ["rejected", "evictions", "misses"] {
        second.expect(&format!("redis.cache.{id}"), Status::Pass);
    }
    let misses = second.value("redis.cache.misses", "misses");
    assert!((66.0..67.0).contains(&misses), "{misses}");
    // Everything is slow here.
    let slow = second.expect("redis.cache.slowlog", Status::Warn);
    assert!(second.value("redis.cache.slowlog", "slow") >= 1200.0, "{slow:#?}");
    // A server that was started again counts from zero.
    let mut server = server;
    server.restart();
    let third = round.again(&second, SignedDuration::from_mins(2));
    let check = third.expect("redis.cache.misses", Status::Skip);
    assert!(check.summary.contains("set back"), "{check:#?}");
}

#[test]
fn a_full_server_fails_where_it_refuses_and_tells_evictions_where_it_evicts() {
    let full = require!(Redis::try_start_with(&[("maxmemory", "3mb")]));
    fill(&full, 0, 3000);
    let found = Round::of(&config(&full.url(), "")).run();
    let check = found.expect("redis.cache.memory", Status::Fail);
    assert!(
        check.summary.ends_with("% of maxmemory; policy noeviction"),
        "{check:#?}"
    );

    let evicting = require!(Redis::try_start_with(&[
        ("maxmemory", "3mb"),
        ("maxmemory-policy", "allkeys-lru")
    ]));
    let round = Round::of(&config(&evicting.url(), ""));
    let first = round.run();
    fill(&evicting, 0, 3000);
    let second = round.again(&first, SignedDuration::from_secs(10));
    second.expect("redis.cache.memory", Status::Pass);
    let check = second.expect("redis.cache.evictions", Status::Warn);
    assert!(
        second.value("redis.cache.evictions", "evicted") > 100.0,
        "{check:#?}"
    );
}

#[test]
fn a_stopped_replica_is_noticed_from_both_sides() {
    let primary = require!(Redis::try_start());
    let mut replica = primary.replica();
    let of_primary = config(&primary.url(), "replicas = 1");
    let of_replica = config(&replica.url(), "");
    let together = until(&of_primary, "redis.cache.replication", Status::Pass);
    until(&of_replica, "redis.cache.replication", Status::Pass);
    replica.kill9();
    let gone = until(&of_primary, "redis.cache.replication", Status::Fail);
    let check = gone.check("redis.cache.replication");
    assert_eq!(
        check.summary,
        "0 replica(s) are online, and the configuration expects 1"
    );
    // Without an expectation, memory tells.
    let round = Round::of(&config(&primary.url(), ""));
    let lost = round.again(&together, SignedDuration::from_mins(1));
    let check = lost.expect("redis.cache.replication", Status::Warn);
    assert_eq!(
        check.summary,
        "0 replica(s) are online; at the last run there were 1"
    );

    let mut primary = primary;
    let replica = primary.replica();
    let of_replica = config(&replica.url(), "");
    until(&of_replica, "redis.cache.replication", Status::Pass);
    primary.kill9();
    let alone = until(&of_replica, "redis.cache.replication", Status::Fail);
    let check = alone.check("redis.cache.replication");
    assert!(
        check.summary.starts_with("the link to the primary 127.0.0.1:"),
        "{check:#?}"
    );
}

#[test]
fn a_wrong_password_is_no_verdict_and_never_shown() {
    let server = require!(Redis::try_start_with_password("canary-of-redis"));
    Round::of(&config(&server.url(), ""))
        .run()
        .expect("redis.cache.ping", Status::Pass);
    let wrong = server.url().replace("canary-of-redis", "wrong-word-of-a-test");
    let found = Round::of(&config(&wrong, "")).run();
    let check = found.expect("redis.cache.ping", Status::Unknown);
    assert!(!said(check).contains("wrong-word"), "{check:#?}");
    assert!(said(check).contains("check user and password"), "{check:#?}");
    found.expect("redis.cache.memory", Status::Unknown);

    let found = Round::of(&config("redis://127.0.0.1:1", "")).run();
    found.expect("redis.cache.ping", Status::Fail);
    // One that takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://:secret@{}", silent.local_addr().unwrap());
    let began = std::time::Instant::now();
    let found = Round::of(&config(&url, "timeout = '300ms'")).run();
    found.expect("redis.cache.ping", Status::Fail);
    assert!(began.elapsed() < std::time::Duration::from_secs(20));

    // A user without rights on the slow log: that one check is skipped, with the right it needs.
    let server = require!(Redis::try_start_with(&[(
        "user",
        "plain on nopass ~* +ping +info"
    )]));
    let plain = server.url().replace("redis://", "redis://plain:x@");
    let found = Round::of(&config(&plain, "")).run();
    found.expect("redis.cache.ping", Status::Pass);
    let check = found.expect("redis.cache.slowlog", Status::Skip);
    assert!(said(check).contains("+slowlog|len"), "{check:#?}");
}

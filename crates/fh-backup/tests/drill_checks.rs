//! What a drill looks for, on databases that have it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use fh_backup::archive::{Archive, CUSTOM};
use fh_backup::body::Properties;
use fh_backup::drill::scratch::Scratch;
use fh_backup::drill::{amcheck, inspect};
use fh_core::Secret;
use fh_core::progress::Progress;
use fh_core::report::{Check, Status};
use fh_pg::{ConnectOptions, ConnectionString, Environment, connect};
use fh_testkit::{Postgres, require};

fn target(server: &Postgres) -> ConnectionString {
    ConnectionString::parse(&Secret::new(server.url("shop")), &Environment::empty()).unwrap()
}

async fn amcheck_of(server: &Postgres) -> Check {
    let (target, options) = (target(server), ConnectOptions::default());
    amcheck::check(&amcheck::Plan {
        target: &target,
        connect: &options,
        lock_timeout: Duration::from_secs(5),
        jobs: 3,
        progress: &Progress::hidden(),
    })
    .await
    .unwrap()
}

async fn constraints_of(server: &Postgres) -> Check {
    let archive = Archive {
        version: (1, 14, 0),
        int_size: 4,
        offset_size: 8,
        format: CUSTOM,
        compression: 0,
        created: [0; 7],
        database: None,
        server_version: None,
        dump_version: None,
        entries: Vec::new(),
    };
    let session = connect(&target(server), &ConnectOptions::default())
        .await
        .unwrap();
    inspect::check(&session, &archive).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locale_that_the_server_lacks_is_told_and_replaced() {
    let server = require!(Postgres::try_start());
    let target =
        ConnectionString::parse(&Secret::new(server.url("postgres")), &Environment::empty()).unwrap();
    let properties = |collate: &str, icu: Option<&str>| Properties {
        encoding: "UTF8".into(),
        collate: collate.into(),
        ctype: collate.into(),
        provider: icu.map(|_| "i".into()),
        locale: icu.map(Into::into),
        icu_rules: None,
        collation_version: None,
        owner: "postgres".into(),
        comment: None,
        grants: None,
    };
    let options = ConnectOptions::default();
    let column = if server.major() < 17 {
        "daticulocale"
    } else {
        "datlocale"
    };
    for (locale, icu, told) in [
        ("C", None, false),
        ("C", Some("de-DE"), false),
        ("xx_XX.UTF-8", None, true),
    ] {
        let (scratch, note) = Scratch::make(&target, &options, &properties(locale, icu))
            .await
            .unwrap();
        assert_eq!(note.is_some_and(|note| note.contains(locale)), told, "{locale}");
        let there = format!(
            "SELECT datcollate, coalesce({column}, '-') FROM pg_database WHERE datname = '{}'",
            scratch.name()
        );
        let expected = format!("C|{}", icu.unwrap_or("-"));
        assert_eq!(server.psql("postgres", &there), expected);
        // Every way out drops it, also one that forgets to.
        drop(scratch);
        assert_eq!(server.psql("postgres", &there), "");
    }
}

#[tokio::test]
async fn damaged_indexes_and_constraints_are_named() {
    let server = require!(Postgres::try_start());
    server.create_database("shop");
    // An order that can be turned round under an index: what a new version of a locale does to texts.
    server.psql(
        "shop",
        "CREATE FUNCTION turn(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT btint4cmp($1, $2)';
         CREATE OPERATOR CLASS turning FOR TYPE int USING btree AS
           OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 turn(int, int);
         CREATE TABLE item (id int PRIMARY KEY, other int CHECK (other > 0));
         INSERT INTO item SELECT n, n FROM generate_series(1, 1000) n;
         CREATE INDEX item_turning ON item (other turning);
         CREATE TABLE line (item int REFERENCES item)",
    );
    let good = amcheck_of(&server).await;
    assert_eq!(good.status, Status::Pass, "{good:?}");
    let good = constraints_of(&server).await;
    assert_eq!(good.status, Status::Pass, "{good:?}");

    server.psql(
        "shop",
        "CREATE OR REPLACE FUNCTION turn(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT btint4cmp($2, $1)';
         UPDATE pg_constraint SET convalidated = false WHERE conname = 'line_item_fkey'",
    );
    let bad = amcheck_of(&server).await;
    assert_eq!(bad.status, Status::Fail, "{bad:?}");
    assert!(bad.evidence[0].contains("public.item_turning"), "{bad:?}");
    let bad = constraints_of(&server).await;
    assert_eq!(bad.status, Status::Fail, "{bad:?}");
    assert_eq!(
        bad.evidence,
        ["constraint line_item_fkey of public.line is not validated"]
    );

    server.psql(
        "shop",
        "UPDATE pg_constraint SET convalidated = true; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'item_turning'::regclass",
    );
    let bad = constraints_of(&server).await;
    assert_eq!(bad.status, Status::Fail, "{bad:?}");
    assert_eq!(bad.evidence, ["index public.item_turning is not valid"]);
}

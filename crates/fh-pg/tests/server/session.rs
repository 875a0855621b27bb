//! Open sessions: pinned settings, errors of queries, cancelling, and a server that goes away.

use std::time::Duration;

use fh_core::Exit;
use fh_pg::{connect, pin_session, query_error};
use fh_testkit::{Postgres, require};

use super::{open, options, text};

/// Whatever the database and the role are set to, the same row gives the same text.
#[tokio::test]
async fn a_pinned_session_writes_values_the_same_way_everywhere() {
    let postgres = require!(Postgres::start_for_pinning());
    let connection = open(&postgres.url("postgres")).await;
    let sample = "select concat_ws(' | ', timestamptz '2026-01-02 03:04:05+00', interval '1 day 2 hours', '\\x00ff'::bytea, \
                  0.1::float8 + 0.2::float8, current_schemas(false)::text)";
    insta::assert_snapshot!(text(&connection, sample).await, @r#"
    02.01.2026 12:04:05 JST | 1 2:00:00 | \000\377 | 0.3 | {public}
    "#);
    pin_session(&connection, Duration::from_secs(7)).await.unwrap();
    insta::assert_snapshot!(text(&connection, sample).await, @r#"
    2026-01-02 03:04:05+00 | 1 day 02:00:00 | \x00ff | 0.30000000000000004 | {}
    "#);
    let settings = "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name in
        ('DateStyle','IntervalStyle','TimeZone','extra_float_digits','bytea_output','client_encoding','search_path','row_security',
         'statement_timeout','idle_in_transaction_session_timeout','lock_timeout','synchronize_seqscans','xmloption',
         'standard_conforming_strings')";
    insta::assert_snapshot!(text(&connection, settings).await, @r#"
    DateStyle=ISO, MDY IntervalStyle=postgres TimeZone=UTC bytea_output=hex client_encoding=UTF8 extra_float_digits=3 idle_in_transaction_session_timeout=0 lock_timeout=7000 row_security=off search_path= standard_conforming_strings=on statement_timeout=0 synchronize_seqscans=off xmloption=content
    "#);
}

trait ForPinning: Sized {
    fn start_for_pinning() -> anyhow::Result<Self>;
}

impl ForPinning for Postgres {
    /// A database with every setting that changes what values look like.
    fn start_for_pinning() -> anyhow::Result<Self> {
        let postgres = Postgres::try_start()?;
        for setting in [
            "datestyle = 'German'",
            "intervalstyle = 'sql_standard'",
            "timezone = 'Asia/Tokyo'",
            "extra_float_digits = -3",
            "bytea_output = 'escape'",
            "statement_timeout = '1h'",
            "idle_in_transaction_session_timeout = '1h'",
            "synchronize_seqscans = on",
        ] {
            postgres.psql("postgres", &format!("alter database postgres set {setting}"));
        }
        Ok(postgres)
    }
}

/// A filtered table must never look like a whole one.
#[tokio::test]
async fn row_security_makes_a_pinned_session_fail() {
    let postgres = require!(Postgres::try_start());
    postgres.psql(
        "postgres",
        "create role reader login; create table secrets (owner text); insert into secrets values ('reader'), ('other');
         alter table secrets enable row level security; create policy own on secrets using (owner = current_user);
         grant select on secrets to reader",
    );
    let connection = open(&postgres.url_as("reader", "postgres")).await;
    assert_eq!(
        text(&connection, "select count(*) from public.secrets").await,
        "1"
    );
    pin_session(&connection, Duration::ZERO).await.unwrap();
    let error = connection
        .simple_query("select count(*) from public.secrets")
        .await
        .unwrap_err();
    let error = query_error("cannot count the rows of public.secrets", error);
    assert_eq!(error.exit(), Exit::Unable);
    insta::assert_snapshot!(error.render(), @r#"
    error: cannot count the rows of public.secrets
    caused by: ERROR: query would be affected by row-level security policy for table "secrets" (SQLSTATE 42501)
    "#);
}

#[tokio::test]
async fn a_lock_is_waited_for_as_long_as_was_said() {
    let postgres = require!(Postgres::try_start());
    postgres.psql("postgres", "create table busy ()");
    let (holder, waiter) = (
        open(&postgres.url("postgres")).await,
        open(&postgres.url("postgres")).await,
    );
    holder
        .batch_execute("begin; lock table public.busy in access exclusive mode")
        .await
        .unwrap();
    pin_session(&waiter, Duration::from_millis(50)).await.unwrap();
    let error = waiter.batch_execute("table public.busy").await.unwrap_err();
    insta::assert_snapshot!(query_error("cannot read public.busy", error).render(), @r#"
    error: cannot read public.busy
    caused by: ERROR: canceling statement due to lock timeout (SQLSTATE 55P03)
    "#);
    // Less than a millisecond is not "for ever".
    pin_session(&waiter, Duration::from_micros(1)).await.unwrap();
    assert_eq!(
        text(&waiter, "select current_setting('lock_timeout')").await,
        "1ms"
    );
}

#[tokio::test]
async fn errors_of_queries_repeat_what_the_server_said() {
    let postgres = require!(Postgres::try_start());
    let connection = open(&postgres.url("postgres")).await;
    let failed = async |sql: &str| {
        let error = query_error("cannot do it", connection.batch_execute(sql).await.unwrap_err());
        assert_eq!(error.exit(), Exit::Unable);
        error.render()
    };
    insta::assert_snapshot!(
        failed("do $$ begin raise 'no luck' using detail = 'it rains', hint = 'wait', errcode = 'P0042'; end $$").await, @r#"
    error: cannot do it
    caused by: ERROR: no luck (SQLSTATE P0042); DETAIL: it rains; HINT: wait; CONTEXT: PL/pgSQL function inline_code_block line 1 at RAISE
    "#);
    insta::assert_snapshot!(failed("start transaction read only; create table t ()").await, @r#"
    error: cannot do it
    caused by: ERROR: cannot execute CREATE TABLE in a read-only transaction (SQLSTATE 25006)
    hint: the server or the role is read-only: connect to the primary (target_session_attrs=read-write)
    "#);
    connection
        .batch_execute("rollback; set statement_timeout = 10")
        .await
        .unwrap();
    insta::assert_snapshot!(failed("select pg_sleep(60)").await, @r#"
    error: cannot do it
    caused by: ERROR: canceling statement due to statement timeout (SQLSTATE 57014)
    hint: somebody or a time limit cancelled the statement: see statement_timeout and the server's log
    "#);
}

/// Over TLS, because the request takes a connection of its own that must be protected just as well.
#[tokio::test]
async fn a_statement_can_be_cancelled() {
    let postgres = require!(Postgres::builder().tls_only().try_start());
    let connection = open(&postgres.tls_url("postgres")).await;
    let cancel = connection.cancel_token();
    let asking = async {
        // Until the statement runs there is nothing to cancel.
        let watcher = open(&postgres.url("postgres")).await;
        let running =
            "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'";
        while text(&watcher, running).await == "0" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel().await.unwrap();
    };
    let (result, ()) = tokio::join!(connection.batch_execute("select pg_sleep(100)"), asking);
    assert_eq!(result.unwrap_err().code().unwrap().code(), "57014");
    assert_eq!(text(&connection, "select 'alive'").await, "alive");
}

#[tokio::test]
async fn a_session_that_ends_says_why() {
    let mut postgres = require!(Postgres::try_start());
    let connection = open(&postgres.url("postgres")).await;
    assert_eq!(connection.lost(), None);
    postgres.kill9();
    let error = query_error(
        "cannot count",
        connection.simple_query("select 1").await.unwrap_err(),
    );
    assert_eq!(error.exit(), Exit::Unable);
    // The session may live long enough to see that its server is gone, and say so.
    let advice = error.advice().unwrap_or_default();
    assert!(
        advice.contains("the session was lost") || advice.contains("the server was stopped"),
        "{}",
        error.render()
    );
}

#[tokio::test]
async fn an_ended_session_gives_the_servers_last_words() {
    let postgres = require!(Postgres::try_start());
    let (victim, killer) = (
        open(&postgres.url("postgres")).await,
        open(&postgres.url("postgres")).await,
    );
    let pid = text(&victim, "select pg_backend_pid()").await;
    text(&killer, &format!("select pg_terminate_backend({pid}, 10000)")).await;
    while victim.lost().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        victim
            .lost()
            .unwrap()
            .contains("terminating connection due to administrator command")
    );
}

/// Sessions end with their value, also when an answer is still on its way.
#[tokio::test]
async fn nothing_stays_behind() {
    let postgres = require!(Postgres::try_start());
    let watcher = open(&postgres.url("postgres")).await;
    drop(open(&format!("{}&application_name=leaver", postgres.url("postgres"))).await);
    open(&format!("{}&application_name=leaver", postgres.url("postgres")))
        .await
        .close()
        .await;
    while text(
        &watcher,
        "select count(*) from pg_stat_activity where application_name = 'leaver'",
    )
    .await
        != "0"
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What a session has reached is what its further sessions get: same server, same protection, same password.
#[tokio::test]
async fn a_second_session_takes_the_same_way() {
    let postgres = require!(Postgres::builder().tls().scram("the-p4ssword").try_start());
    let first = open(&postgres.tls_url("postgres")).await;
    let second = connect(first.target(), &options()).await.unwrap();
    assert_eq!(first.tls, second.tls);
    let shown = format!("{first:?} {:?}", first.target());
    assert!(!shown.contains("the-p4ssword"), "{shown}");
}

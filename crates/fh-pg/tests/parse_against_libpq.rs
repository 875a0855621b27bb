//! PostgreSQL's own client and server as judges: the same text must lead to the same place, and quoted names and texts
//! must come back as they were.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Output, Stdio};

use fh_core::Secret;
use fh_pg::{ConnectionString, Environment, Place, quote_ident, quote_literal};
use fh_testkit::postgres::Postgres;
use fh_testkit::require;

/// The password of every role here.
const PASSWORD: &str = r"p @/:?#%&='\ü";

/// `psql` with nothing of our environment but what `variables` say.
fn psql(postgres: &Postgres, text: &str, variables: &[(&str, String)], command: &str) -> Output {
    let mut psql = Command::new(postgres.bin_dir().join("psql"));
    psql.env_clear()
        .env("LC_ALL", "C")
        .env("PGCONNECT_TIMEOUT", "20")
        .envs(variables.iter().cloned());
    for kept in ["PATH", "LD_LIBRARY_PATH"] {
        psql.envs(std::env::var_os(kept).map(|value| (kept, value)));
    }
    psql.args(["-X", "-A", "-t", "-q", "-w", "-d", text, "-c", command])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What libpq made of the text, as the server and the client see it.
fn libpq(postgres: &Postgres, text: &str, variables: &[(&str, String)]) -> String {
    let output = psql(postgres, text, variables, "\\echo :USER :DBNAME :HOST :PORT");
    assert!(
        output.status.success(),
        "{text}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end_matches('\n')
        .to_owned()
}

/// What we made of it, in the same words.
fn ours(text: &str, variables: &[(&str, String)]) -> String {
    let environment = variables
        .iter()
        .fold(Environment::from_process(), |all, (name, value)| {
            all.with(*name, value)
        });
    let target = ConnectionString::parse(&Secret::new(text), &environment)
        .unwrap_or_else(|error| panic!("{text}: {}", error.render()));
    let server = &target.servers()[0];
    let host = match &server.place {
        Place::Tcp { host, .. } => host.clone(),
        Place::Socket(folder) => folder.display().to_string(),
    };
    format!("{} {} {host} {}", target.user(), target.database(), server.port)
}

#[test]
fn every_form_leads_where_libpq_goes() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).try_start());
    let database = r"da ta/'b\s?=%";
    postgres.create_database(database);
    postgres.psql(
        "postgres",
        &format!(
            "create role {} login superuser password {}",
            quote_ident("o'r @b:"),
            quote_literal(PASSWORD)
        ),
    );
    let port = postgres.port();
    let folder = postgres.socket_dir().display().to_string();
    let encoded = folder.replace('/', "%2F");
    let variables = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    };
    let none = variables(&[]);
    let port_text = port.to_string();
    let all = variables(&[
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", &port_text),
        ("PGUSER", "postgres"),
        ("PGPASSWORD", PASSWORD),
        ("PGDATABASE", database),
    ]);
    let secret = r"p%20%40%2f%3A%3F%23%25%26%3D'%5C%C3%bc";
    let quoted = r"'p @/:?#%&=\'\\ü'";
    let forms = [
        (
            format!("postgresql://postgres:{secret}@127.0.0.1:{port}/postgres"),
            &none,
        ),
        (
            format!("postgres://o'r%20%40b%3A:{secret}@127.0.0.1:{port}/da%20ta%2F'b%5Cs%3F%3D%25"),
            &none,
        ),
        (
            format!(
                r"host=127.0.0.1 port = {port} user='o\'r @b:' password={quoted} dbname=da\ ta/\'b\\s?=%"
            ),
            &none,
        ),
        (
            format!("host='127.0.0.1'port={port}\n\tuser=postgres password={quoted} "),
            &none,
        ),
        (
            format!(
                "postgres://%6C%6Fcalhost:{port}/postgres?user=postgres&password={secret}&hostaddr=127.0.0.1"
            ),
            &none,
        ),
        (
            format!("postgres://a,b/postgres?user=postgres&password={secret}&host=127.0.0.1&port={port}"),
            &none,
        ),
        (format!("postgres://postgres@{encoded}:{port}"), &none),
        (
            format!("postgres://postgres@:{port}/postgres?host={encoded}&"),
            &none,
        ),
        (
            format!("postgresql:///postgres?host={folder}&port={port}&user=postgres"),
            &none,
        ),
        (format!("host={folder} port={port} user=x user=postgres"), &none),
        (
            format!("host={folder},127.0.0.1 port={port} user=postgres"),
            &none,
        ),
        (
            format!("host={folder},127.0.0.1 port={port},1 user=postgres dbname="),
            &none,
        ),
        (
            format!(
                "postgres://postgres@{encoded}:{port},127.0.0.1:1/template1?connect_timeout= 5 &ssl=true"
            ),
            &none,
        ),
        ("postgresql://".to_owned(), &all),
        ("dbname=".to_owned(), &all),
        (
            "postgres://postgres:@127.0.0.1/?application_name=x".to_owned(),
            &all,
        ),
        (format!("host={folder} user=\"postgres\" password=''"), &all),
    ];
    for (text, variables) in &forms {
        // The role with quotation marks does not exist: libpq keeps the marks, and so must we.
        if text.contains('"') {
            let refused = psql(&postgres, text, variables, "select 1");
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(said.contains(r#"role ""postgres"" does not exist"#), "{said}");
            assert!(ours(text, variables).starts_with(r#""postgres" "#), "{text}");
            continue;
        }
        assert_eq!(ours(text, variables), libpq(&postgres, text, variables), "{text}");
    }
}

#[test]
fn the_empty_password_and_the_default_user_are_those_of_libpq() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).try_start());
    let place = format!(
        "host=127.0.0.1 port={} dbname=postgres user=postgres",
        postgres.port()
    );
    let variables = [("PGPASSWORD", PASSWORD.to_owned())];
    assert!(psql(&postgres, &place, &variables, "select 1").status.success());
    // An empty password is said, so the variable does not count.
    let refused = psql(&postgres, &format!("{place} password=''"), &variables, "select 1");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no password supplied"));

    // No user is said: libpq asks as the user of the operating system, whose database has the same name.
    let socket = format!(
        "host={} port={}",
        postgres.socket_dir().display(),
        postgres.port()
    );
    let user = ours(&socket, &[]);
    let user = user.split(' ').next().unwrap();
    postgres.psql("postgres", &format!("create role {} login", quote_ident(user)));
    postgres.create_database(user);
    assert_eq!(ours(&socket, &[]), libpq(&postgres, &socket, &[]));
}

/// libpq says this when the text was right and only the server is missing.
const TRIED: &str = "connection to server";

#[test]
fn what_libpq_rejects_is_rejected() {
    let postgres = require!(Postgres::try_start());
    // Nobody listens in this folder.
    let nowhere = "/nonexistent";
    let forms = [
        ("host=/nonexistent", true),
        ("host=/nonexistent password=a=b=c", true),
        (r"host=/nonexistent password=\", true),
        ("host=/nonexistent password=it's", true),
        ("host=/nonexistent application_name= user=u", true),
        ("postgres://u:p?w#@%2Fnonexistent/d", true),
        ("postgres://u:p:w@%2Fnonexistent", true),
        ("postgres:///d?host=/nonexistent&", true),
        ("postgres://?host=/nonexistent", true),
        ("postgres://u@/?host=/nonexistent&port=,", false),
        ("host=/nonexistent,/nonexistent port=1,", true),
        ("host=/nonexistent port=1,2", false),
        ("host=/nonexistent,/nonexistent port=1,2,3", false),
        ("host=/nonexistent port=0", false),
        ("host=/nonexistent port=65536", false),
        ("host=/nonexistent port=x", false),
        ("host=/nonexistent port=-1", false),
        ("host=/nonexistent hostaddr=127.0.0.1,127.0.0.2", false),
        ("host=/nonexistent user", false),
        ("host=/nonexistent user u", false),
        ("host=/nonexistent user='u", false),
        (r"host=/nonexistent user='u\'", false),
        ("host=/nonexistent usr=u", false),
        ("host=/nonexistent USER=u", false),
        ("host=/nonexistent sslmode=on", false),
        ("host=/nonexistent sslmode=", false),
        ("host=/nonexistent sslmode=Require", false),
        ("host=/nonexistent target_session_attrs=", false),
        ("host=/nonexistent channel_binding=yes", false),
        ("host=/nonexistent gssencmode=no", false),
        ("host=/nonexistent ssl_min_protocol_version=", true),
        ("host=/nonexistent ssl_min_protocol_version=1.2", false),
        ("host=/nonexistent connect_timeout=-1", true),
        ("postgres://u@%2Fnonexistent/d?sslmode", false),
        ("postgres://u@%2Fnonexistent/d?sslmode=require=x", false),
        ("postgres://u@%2Fnonexistent/d?&sslmode=require", false),
        ("postgres://u@%2Fnonexistent/d?sslmode=require&&", false),
        ("postgres://u@%2Fnonexistent/d?ssl=false", false),
        ("postgres://u@%2Fnonexistent/%", false),
        ("postgres://u@%2Fnonexistent/%0", false),
        ("postgres://u@%2Fnonexistent/%00", false),
        ("postgres://u@%2Fnonexistent/%0g", false),
        ("postgres://u@[/d?host=/nonexistent", false),
        ("postgres://u@[]/d?host=/nonexistent", false),
        ("postgres://u@[::1]1/d?host=/nonexistent", false),
        ("postgres://u@[::1]:1/d?host=/nonexistent", true),
    ];
    for (text, good) in forms {
        assert!(
            text.contains(nowhere) || text.contains("%2Fnonexistent"),
            "{text}"
        );
        let output = psql(&postgres, text, &[], "select 1");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.contains(TRIED), good, "libpq on {text}: {said}");
        let parsed = ConnectionString::parse(&Secret::new(text), &Environment::from_process());
        assert_eq!(
            parsed.is_ok(),
            good,
            "we on {text}: {:?}",
            parsed.err().map(|error| error.render())
        );
    }
}

/// Names and texts that break careless quoting.
const NASTY: [&str; 22] = [
    "app",
    "App",
    "_x1",
    "1x",
    "x$y",
    "order",
    "user",
    "json_table",
    "name",
    "a b",
    "a.b",
    "a\"b",
    "\"",
    "a'b",
    "'",
    r"a\b",
    r"\",
    r"\'; drop table x; --",
    "$$",
    "ünïcödé",
    "new\nline\ttab",
    "emoji 🐘",
];

#[test]
fn what_is_quoted_comes_back() {
    let postgres = require!(Postgres::try_start());
    for conforming in ["on", "off"] {
        for text in NASTY {
            let (name, literal) = (quote_ident(text), quote_literal(text));
            // The server reads the literal and the name, and compares them; then it quotes both itself.
            let answer = postgres.psql(
                "postgres",
                &format!(
                    "set standard_conforming_strings = {conforming}; set escape_string_warning = off; \
                     create temp table t as select {literal}::text as {name}; \
                     select attname = {literal}, quote_ident({literal}) = {}, quote_literal({literal}) = {} \
                       from pg_attribute where attrelid = 't'::regclass and attnum = 1; \
                     select convert_to({name}, 'UTF8') from t",
                    quote_literal(&name),
                    quote_literal(&literal),
                ),
            );
            let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let known = !text.starts_with("json_") || postgres.major() >= 17;
            let alike = if known { "t" } else { "f" };
            assert_eq!(
                answer,
                format!("t|{alike}|t\n\\x{bytes}"),
                "{text} with {conforming}"
            );
        }
    }
}

#[test]
fn every_keyword_of_the_server_that_needs_quotes_gets_them() {
    let postgres = require!(Postgres::try_start());
    let words = postgres.psql(
        "postgres",
        "select word, quote_ident(word) from pg_get_keywords() order by 1",
    );
    assert!(words.lines().count() > 400, "{words}");
    for line in words.lines() {
        let (word, theirs) = line.split_once('|').unwrap();
        // We know the keywords of later versions too, so ours may have quotes where theirs has none.
        assert!(
            quote_ident(word) == theirs
                || (postgres.major() < 18 && quote_ident(word) == format!("\"{word}\"")),
            "{line}"
        );
    }
}

use std::path::PathBuf;
use std::time::Duration;

use fh_core::{Exit, Result, Secret};
use proptest::prelude::*;

use crate::environment::Environment;
use crate::target::{ConnectionString, Place, RootCert, SslMode};

fn environment() -> Environment {
    Environment::empty().with_user("me")
}

fn parse_in(text: &str, environment: &Environment) -> Result<ConnectionString> {
    ConnectionString::parse(&Secret::new(text), environment)
}

fn parse(text: &str) -> ConnectionString {
    parse_in(text, &environment()).unwrap_or_else(|error| panic!("{text}: {}", error.render()))
}

/// The error's text, which must be about usage.
fn fails(text: &str) -> String {
    let error = parse_in(text, &environment()).expect_err(text);
    assert_eq!(error.exit(), Exit::Usage, "{text}");
    assert!(error.advice().is_some(), "{text}: no hint");
    error.render()
}

/// Everything of a target as text, the password too.
fn shape(target: &ConnectionString) -> String {
    format!("{:?} {target:?}", target.password.as_ref().map(|password| password.expose().to_owned()))
}

fn password(target: &ConnectionString) -> Option<&str> {
    target.password.as_ref().map(Secret::expose)
}

#[test]
fn reads_urls() {
    for (text, redacted) in [
        ("postgres://app:pw@db.example.com/shop", "postgres://app@db.example.com:5432/shop"),
        ("postgresql://app@db:6543/shop", "postgres://app@db:6543/shop"),
        ("postgresql://db", "postgres://me@db:5432/me"),
        ("postgresql://app@db", "postgres://app@db:5432/app"),
        ("postgresql://app@db/", "postgres://app@db:5432/app"),
        ("postgresql://app@db:/shop", "postgres://app@db:5432/shop"),
        ("postgresql://[2001:db8::1]:6543/shop", "postgres://me@[2001:db8::1]:6543/shop"),
        ("postgresql://[::1]", "postgres://me@[::1]:5432/me"),
        ("postgresql://app@%2Fvar%2Frun%2Fdb/shop", "postgres://app@/var/run/db:5432/shop"),
        ("postgresql:///shop?host=/tmp/x&port=7", "postgres://me@/tmp/x:7/shop"),
        ("postgresql://a,b:2,c/shop", "postgres://me@a:5432,b:2,c:5432/shop"),
        ("postgresql://a,b/shop?port=7", "postgres://me@a:7,b:7/shop"),
        ("postgresql://x@db/shop?user=y&dbname=z", "postgres://y@db:5432/z"),
        ("postgresql://%C3%BC%20x@db/a%2Fb%3F", "postgres://ü x@db:5432/a/b?"),
        ("postgresql://db/a+b", "postgres://me@db:5432/a+b"),
        (" postgresql://db/shop\n", "postgres://me@db:5432/shop"),
        ("postgresql://db?dbname=shop", "postgres://me@db:5432/shop"),
    ] {
        assert_eq!(parse(text).redacted(), redacted, "{text}");
    }
}

#[test]
fn reads_keywords() {
    for (text, redacted) in [
        ("host=db user=app dbname=shop", "postgres://app@db:5432/shop"),
        ("host = db\n port\t=\t6543", "postgres://me@db:6543/me"),
        ("dbname='it\\'s \\\\ mine' host=db", "postgres://me@db:5432/it's \\ mine"),
        ("dbname=a\\ b host=db", "postgres://me@db:5432/a b"),
        ("host=db host=other", "postgres://me@other:5432/me"),
        ("host=a,b port=1,2", "postgres://me@a:1,b:2/me"),
        ("host=a,b port=1", "postgres://me@a:1,b:1/me"),
        ("host=a,b port=,2", "postgres://me@a:5432,b:2/me"),
        ("host=::1", "postgres://me@[::1]:5432/me"),
        ("hostaddr=10.0.0.1 dbname=''", "postgres://me@10.0.0.1:5432/me"),
        ("host=/run/x dbname=postgresql://y", "postgres://me@/run/x:5432/postgresql://y"),
    ] {
        assert_eq!(parse(text).redacted(), redacted, "{text}");
    }
}

#[test]
fn the_password_is_what_was_meant() {
    for (text, expected) in [
        ("postgresql://u:p%40ss%2F%3A%25@h/d", Some("p@ss/:%")),
        ("postgresql://u:a:b@h/d", Some("a:b")),
        ("postgresql://u:a?b#c@h/d", Some("a?b#c")),
        ("postgresql://u:@h/d", None),
        ("postgresql://u@h/d?password=x%26y", Some("x&y")),
        ("host=h password='a b'", Some("a b")),
        ("host=h password=''", None),
        ("host=h password = x", Some("x")),
    ] {
        assert_eq!(password(&parse(text)), expected, "{text}");
    }
}

#[test]
fn the_environment_fills_what_is_missing() {
    let environment = environment()
        .with("PGHOST", "envhost")
        .with("PGPORT", "7000")
        .with("PGUSER", "envuser")
        .with("PGPASSWORD", "envpassword")
        .with("PGDATABASE", "envdb")
        .with("PGSSLMODE", "verify-ca")
        .with("PGSSLROOTCERT", "/ca.pem")
        .with("PGOPTIONS", "-c geqo=off")
        .with("PGAPPNAME", "envapp")
        .with("PGCONNECT_TIMEOUT", "7")
        .with("PGTARGETSESSIONATTRS", "read-write")
        .with("PGPASSFILE", "/pass");
    let target = parse_in("postgresql://", &environment).unwrap();
    assert_eq!(target.redacted(), "postgres://envuser@envhost:7000/envdb");
    assert_eq!(password(&target), Some("envpassword"));
    assert_eq!(target.ssl_mode, Some(SslMode::VerifyCa));
    assert_eq!(target.root_cert(), RootCert::File("/ca.pem".into()));
    assert_eq!(target.options.as_deref(), Some("-c geqo=off"));
    assert_eq!(target.application_name.as_deref(), Some("envapp"));
    assert_eq!(target.connect_timeout, Some(Duration::from_secs(7)));
    assert_eq!(target.passfile, Some(PathBuf::from("/pass")));

    let target = parse_in("postgresql://u:p@h:1/d?sslmode=disable", &environment).unwrap();
    assert_eq!(target.redacted(), "postgres://u@h:1/d");
    assert_eq!(password(&target), Some("p"));
    assert_eq!(target.ssl_mode, Some(SslMode::Disable));

    let empty = environment.with("PGHOST", "").with("PGPORT", "");
    assert!(matches!(parse_in("postgresql://", &empty).unwrap().servers()[0].place, Place::Socket(_)));
}

#[test]
fn files_at_home_are_found() {
    let home = tempfile::tempdir().unwrap();
    let environment = environment().with("HOME", home.path().to_str().unwrap());
    let target = parse_in("host=h", &environment).unwrap();
    assert_eq!(target.passfile, Some(home.path().join(".pgpass")));
    assert_eq!(target.root_cert(), RootCert::Default);
    assert_eq!(target.tls.client_cert, None);

    let folder = home.path().join(".postgresql");
    fs_err::create_dir(&folder).unwrap();
    fs_err::write(folder.join("root.crt"), "").unwrap();
    fs_err::write(folder.join("postgresql.crt"), "").unwrap();
    let target = parse_in("host=h sslmode=require", &environment).unwrap();
    assert_eq!(target.root_cert(), RootCert::File(folder.join("root.crt")));
    assert_eq!(target.ssl_mode(&target.servers()[0]), SslMode::VerifyCa);
    assert_eq!(target.tls.client_cert, Some((folder.join("postgresql.crt"), folder.join("postgresql.key"))));
    let target = parse_in("host=h sslcertmode=disable", &environment).unwrap();
    assert_eq!(target.tls.client_cert, None);
    // A file of the configuration comes before the one at home, one of the connection string before both.
    let target = parse_in("host=h", &environment).unwrap().with_root_cert(Some("/conf.pem".into()));
    assert_eq!(target.root_cert(), RootCert::File("/conf.pem".into()));
    let target = parse_in("host=h sslrootcert=/own.pem", &environment).unwrap().with_root_cert(Some("/conf.pem".into()));
    assert_eq!(target.root_cert(), RootCert::File("/own.pem".into()));
}

#[test]
fn the_effective_mode_is_never_weaker_than_meant() {
    let rds = "shop.c9a.eu-central-1.rds.amazonaws.com";
    for (text, mode) in [
        ("host=h", SslMode::Prefer),
        ("host=h sslmode=allow", SslMode::Allow),
        ("host=h sslmode=require", SslMode::Require),
        ("host=h sslmode=require sslrootcert=/ca.pem", SslMode::VerifyCa),
        ("host=h sslmode=prefer sslrootcert=/ca.pem", SslMode::Prefer),
        ("host=h sslmode=verify-full sslrootcert=/ca.pem", SslMode::VerifyFull),
        ("host=h sslrootcert=system", SslMode::VerifyFull),
        ("host=/tmp sslmode=verify-full", SslMode::Disable),
        (&format!("host={rds}"), SslMode::VerifyFull),
        (&format!("host={rds} sslmode=require"), SslMode::VerifyFull),
        (&format!("host={rds} sslmode=prefer"), SslMode::Prefer),
        (&format!("host={rds} sslmode=disable"), SslMode::Disable),
        (&format!("host={rds} sslmode=verify-ca"), SslMode::VerifyCa),
        (&format!("host={rds} sslmode=require sslrootcert=/ca.pem"), SslMode::VerifyCa),
        ("postgresql://h/d?ssl=true", SslMode::Require),
    ] {
        let target = parse(text);
        assert_eq!(target.ssl_mode(&target.servers()[0]), mode, "{text}");
    }
}

#[test]
fn bad_input_says_what_to_do() {
    let all = [
        "",
        "shop",
        "postgresql://h/d?sslmod=require",
        "postgresql://h/d?sslmode=no-verify",
        "postgresql://h/d?sslmode=required",
        "postgresql://h/d?schema=public",
        "postgresql://h/d?sslmode",
        "postgresql://h/d?a=b=c",
        "postgresql://h:70000/d",
        "postgresql://h:0/d",
        "postgresql://h:x/d",
        "postgresql://h/%zz",
        "postgresql://h/%00",
        "postgresql://h/%ff",
        "postgresql://[::1/d",
        "postgresql://[::1]x/d",
        "postgresql://[]/d",
        "host=a,b port=1,2,3",
        "host=a,b hostaddr=10.0.0.1",
        "hostaddr=example.com",
        "host=@abstract",
        "host=h password='open",
        "host=h service=prod",
        "host=h sslcrl=/x",
        "host=h requirepeer=postgres",
        "host=h gssencmode=require",
        "host=h sslmode=require sslrootcert=system",
        "host=h sslnegotiation=direct",
        "host=h ssl_max_protocol_version=TLSv1.1",
        "host=h connect_timeout=soon",
        "host=h target_session_attrs=master",
        "postgresql+psycopg://h/d",
        "postgis://h/d",
        "django.db.backends.postgresql://h/d",
        "mysql://h/d",
        "host=h replication=database",
    ];
    let text: String = all.iter().map(|text| format!("{text:?}\n{}\n\n", fails(text))).collect();
    insta::assert_snapshot!("bad_input", text);

    let error = ConnectionString::parse(&Secret::new("host=h"), &Environment::empty()).unwrap_err();
    insta::assert_snapshot!("no_user", error.render());
    let error = parse_in("host=h", &environment().with("PGSERVICE", "prod")).unwrap_err();
    insta::assert_snapshot!("service_variable", error.render());
}

#[test]
fn what_may_be_a_password_is_never_repeated() {
    // The mistakes that make a password look like something else. CANARY stands for it.
    for text in [
        "postgresql://u:CANARY/x@h/d",
        "postgresql://u:x/CANARY@h:CANARY/d?CANARY",
        "postgresql://u:a@CANARY@h/d",
        "postgresql://u:CANARY%@h/d",
        "postgresql://u:%zzCANARY@h/d",
        "postgresql://u:p@h/d?password=a&CANARY=1&x",
        "postgresql://u:p@h/d?password=a&CANARY",
        "postgresql://u:p@h/d?password=a=CANARY",
        "host=h password=a CANARY",
        "host=h password=a CANARY-1=2",
        "host=h password='CANARY",
        "host=h port=CANARY",
        "host=h sslmode=CANARY",
        "host=h hostaddr=CANARY",
        "CANARY://u:p@h/d",
        "u:CANARY@h://d",
    ] {
        let Err(error) = parse_in(text, &environment()) else { panic!("{text} was accepted") };
        let rendered = error.render();
        let name_of_parameter = rendered.contains("unknown parameter `CANARY`");
        let scheme = rendered.contains("scheme canary");
        assert!(!rendered.contains("CANARY") || name_of_parameter || scheme, "{text}: {rendered}");
    }
    let target = parse("postgresql://u:CANARY-secret@h/d");
    assert!(!format!("{target:?} {}", target.redacted()).contains("CANARY"));
    let environment = environment().with("PGPASSWORD", "CANARY");
    assert!(!format!("{environment:?}").contains("CANARY"));
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

proptest! {
    #[test]
    fn both_forms_mean_the_same(
        user in "\\PC{1,12}",
        password in "\\PC{0,16}",
        database in "\\PC{1,12}",
        hosts in prop::collection::vec(("[a-z][a-z0-9.-]{0,12}|/[a-z/]{1,8}|10\\.0\\.0\\.[1-9]|::[1-9a-f]", prop::option::of(1u16..)), 1..4),
        mode in prop::option::of(prop::sample::select(vec!["disable", "prefer", "require", "verify-ca", "verify-full"])),
        application in "\\PC{0,10}",
    ) {
        let mut url = format!("postgresql://{}", percent(&user));
        if !password.is_empty() {
            url += &format!(":{}", percent(&password));
        }
        let url_hosts: Vec<String> = hosts.iter().map(|(host, port)| {
            let host = if host.contains(':') { format!("[{host}]") } else { percent(host) };
            port.map_or(host.clone(), |port| format!("{host}:{port}"))
        }).collect();
        url += &format!("@{}/{}?application_name={}", url_hosts.join(","), percent(&database), percent(&application));
        let names: Vec<&str> = hosts.iter().map(|(host, _)| host.as_str()).collect();
        let ports: Vec<String> = hosts.iter().map(|(_, port)| port.map_or(String::new(), |port| port.to_string())).collect();
        let mut words = format!(
            "user={} password={} dbname = {} host={} port={} application_name={}",
            quoted(&user), quoted(&password), quoted(&database), quoted(&names.join(",")), quoted(&ports.join(",")), quoted(&application),
        );
        if let Some(mode) = mode {
            url += &format!("&sslmode={mode}");
            words += &format!(" sslmode={mode}");
        }
        let (from_url, from_words) = (parse(&url), parse(&words));
        prop_assert_eq!(shape(&from_url), shape(&from_words));
        prop_assert_eq!(&from_url.user, &user);
        prop_assert_eq!(&from_url.database, &database);
        prop_assert_eq!(from_url.password.as_ref().map_or("", |password| password.expose()), password);
        prop_assert_eq!(from_url.servers.len(), hosts.len());
    }

    #[test]
    fn nothing_makes_the_parser_panic(text in "(postgresql://)?[a-z:@/?&=%,\\[\\] '\\\\0-9é]{0,40}") {
        let _ = parse_in(&text, &environment());
    }
}

//! Every way a connection fails, in the words that people read.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use fh_core::{Deadline, Exit};
use fh_pg::connect;
use fh_testkit::postgres::Postgres;
use fh_testkit::require;

use super::{PASSWORD, environment, opened, options, refused, refused_by, set_hba, target};

/// A text with what differs from run to run replaced.
fn steady(postgres: &Postgres, text: &str) -> String {
    text.replace(&postgres.port().to_string(), "PORT").replace(&postgres.socket_dir().display().to_string(), "SOCKET")
}

#[tokio::test]
async fn the_server_rejects() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).tls().try_start());
    postgres.psql("postgres", "create role full connection limit 0 login; create role outsider login; create role limited login");
    postgres.psql("postgres", "create database closed; revoke connect on database closed from public");
    let port = postgres.port();
    let at = format!("127.0.0.1:{port}");
    let socket = format!("host={} port={port}", postgres.socket_dir().display());
    set_hba(
        &postgres,
        "host postgres outsider all reject\nhostnossl postgres limited all reject\nhostssl all limited all trust\nhost all full all trust\n\
         host all postgres all scram-sha-256\nhost all,replication gone all trust\nhost all old all ident",
    );
    let mut all = String::new();
    for (what, text) in [
        ("wrong password", format!("postgresql://postgres:c4nary-wrong@{at}/postgres")),
        ("no password", format!("postgresql://postgres@{at}/postgres")),
        ("missing database", format!("{socket} user=postgres dbname=missing")),
        ("unknown role", format!("postgresql://gone@{at}/postgres")),
        ("unknown role over the socket", format!("{socket} user=nobody_here dbname=postgres")),
        ("rejected by pg_hba.conf", format!("postgresql://outsider@{at}/postgres?sslmode=disable")),
        ("rejected without TLS", format!("postgresql://limited@{at}/postgres?sslmode=disable")),
        ("no line in pg_hba.conf", format!("postgresql://stranger@{at}/postgres?sslmode=disable")),
        ("no connection left", format!("postgresql://full@{at}/postgres")),
        ("no right to connect", format!("{socket} user=limited dbname=closed")),
        ("unsupported way to log in", format!("{socket} user=postgres dbname=postgres options='-c geqo=maybe'")),
    ] {
        all += &format!("# {what}\n{}\n\n", refused(&text).await);
    }
    insta::assert_snapshot!(steady(&postgres, &all));
}

#[tokio::test]
async fn the_password_file_is_named_when_it_is_wrong() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).try_start());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgpass");
    fs_err::write(&file, "*:*:*:*:c4nary-wrong\n").unwrap();
    let set_mode = |mode| {
        fs_err::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    let text = format!("postgresql://postgres@127.0.0.1:{}/postgres", postgres.port());
    let environment = environment().with("PGPASSFILE", file.to_str().unwrap());
    let target = fh_pg::ConnectionString::parse(&fh_core::Secret::new(text), &environment).unwrap();
    set_mode(0o600);
    assert!(refused_by(&target).await.contains(&format!("it came from {}", file.display())));
    // A file that others can read is not used at all.
    set_mode(0o644);
    assert!(refused_by(&target).await.contains("asks for a password"));
    fs_err::write(&file, format!("*:*:*:*:{}\n", PASSWORD.replace('\\', "\\\\").replace(':', "\\:"))).unwrap();
    set_mode(0o600);
    connect(&target, &options()).await.unwrap();
}

#[tokio::test]
async fn the_server_is_shutting_down() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let text = postgres.tcp_url("postgres");
    let open = opened(&text).await;
    // A smart shutdown waits for the open session and lets nobody else in.
    let pid = postgres.pid().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let error = loop {
        match connect(&target(&text), &options()).await {
            // The signal has not arrived yet.
            Ok(early) => early.close().await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.exit(), Exit::Unable);
    insta::assert_snapshot!(steady(&postgres, &error.render()));
    open.close().await;
}

#[tokio::test]
async fn nobody_answers() {
    let folder = tempfile::tempdir().unwrap();
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (dead, other) = (free(), free());
    // Takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    // Says something else.
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let web_port = web.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = web.accept() {
            let _ = stream.read(&mut [0; 8]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    // Hangs up.
    let rude = TcpListener::bind("127.0.0.1:0").unwrap();
    let rude_port = rude.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = rude.accept() {
            let _ = stream.read(&mut [0; 8]);
        }
    });
    let mut all = String::new();
    for (what, text) in [
        ("refused", format!("postgresql://u:c4nary@127.0.0.1:{dead}/d")),
        ("refused twice", format!("postgresql://u:c4nary@127.0.0.1:{dead},127.0.0.1:{other}/d")),
        ("no socket", format!("host={} user=u dbname=d", folder.path().display())),
        ("silence", format!("postgresql://u:c4nary@127.0.0.1:{silent_port}/d?connect_timeout=1")),
        ("another protocol", format!("postgresql://u:c4nary@127.0.0.1:{web_port}/d")),
        ("another protocol without TLS", format!("postgresql://u:c4nary@127.0.0.1:{web_port}/d?sslmode=disable")),
        ("hung up", format!("postgresql://u:c4nary@127.0.0.1:{rude_port}/d")),
    ] {
        all += &format!("# {what}\n{}\n\n", refused(&text).await);
    }
    for (port, name) in
        [(dead, "DEAD"), (other, "OTHER"), (silent_port, "SILENT"), (web_port, "WEB"), (rude_port, "RUDE")]
    {
        all = all.replace(&port.to_string(), name);
    }
    insta::assert_snapshot!(all.replace(&folder.path().display().to_string(), "FOLDER"));
    drop(silent);
}

#[tokio::test]
async fn the_name_leads_nowhere() {
    // The resolver's words differ between systems; .invalid exists nowhere (RFC 2606).
    let text = refused("postgresql://u:c4nary@db.invalid/d").await;
    assert!(text.starts_with("error: cannot find the host of PostgreSQL at db.invalid:5432 (role \"u\", database \"d\")\n"), "{text}");
}

#[tokio::test]
async fn nothing_is_tried_after_the_deadline() {
    let mut options = options();
    options.deadline = Deadline::after(Duration::ZERO);
    let error = connect(&target("postgresql://u@127.0.0.1:1/d"), &options).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    assert!(error.message().contains("connecting to PostgreSQL at 127.0.0.1:1"), "{error}");
}

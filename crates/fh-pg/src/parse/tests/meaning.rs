//! What connection strings mean.

use std::path::PathBuf;

use super::{environment, parse, parse_in, password, socket, tcp};
use crate::parse::is_default_socket_folder;
use crate::target::{Place, RootCert, Server, SslMode};

#[test]
fn both_forms_lead_to_the_same_place() {
    type Form = (
        &'static [&'static str],
        Server,
        &'static str,
        Option<&'static str>,
        &'static str,
    );
    let forms: [Form; 9] = [
        (
            &[
                "postgres://u:p@h:1/d",
                "postgresql://u:p@h:1/d",
                "host=h port=1 user=u password=p dbname=d",
            ],
            tcp("h", 1),
            "u",
            Some("p"),
            "d",
        ),
        (
            &[
                "postgres://u@h",
                "user=u host=h",
                " user = u  host = 'h' ",
                "postgres://u@h/\n",
            ],
            tcp("h", 5432),
            "u",
            None,
            "u",
        ),
        (
            &["postgres://h/d", "host=h dbname=d"],
            tcp("h", 5432),
            "me",
            None,
            "d",
        ),
        (
            &["postgres://u:@h/d", "host=h user=u dbname=d password=''"],
            tcp("h", 5432),
            "u",
            None,
            "d",
        ),
        (
            &["postgres://[2001:db8::1]:6/d", "host=2001:db8::1 port=6 dbname=d"],
            tcp("2001:db8::1", 6),
            "me",
            None,
            "d",
        ),
        (
            &[
                "postgres://%2Fvar%2Frun/d",
                "postgres:///d?host=/var/run",
                "dbname=d host=/var/run",
            ],
            socket("/var/run", 5432),
            "me",
            None,
            "d",
        ),
        (
            &[
                "postgres://u%40x:p%40%2F%3A%25%20q@h/a%20b",
                r"user=u@x password='p@/:% q' host=h dbname='a b'",
            ],
            tcp("h", 5432),
            "u@x",
            Some("p@/:% q"),
            "a b",
        ),
        (
            &[
                "postgres://u:it's%5C+%3D@h/d",
                r"user=u password=it\'s\\+= host=h dbname=d",
                r"user=u password='it\'s\\+=' host=h dbname=d",
            ],
            tcp("h", 5432),
            "u",
            Some(r"it's\+="),
            "d",
        ),
        (
            &[
                "postgres://ignored@h/d?user=u&password=p&host=i&port=2&dbname=e",
                "host=h host=i port=2 user=u password=p dbname=e",
            ],
            tcp("i", 2),
            "u",
            Some("p"),
            "e",
        ),
    ];
    for (texts, server, user, secret, database) in forms {
        for text in texts {
            let target = parse(text);
            assert_eq!(target.servers(), std::slice::from_ref(&server), "{text}");
            assert_eq!(
                (target.user(), password(&target), target.database()),
                (user, secret, database),
                "{text}"
            );
        }
    }
}

#[test]
fn several_hosts_are_paired_with_their_ports() {
    for (text, servers) in [
        ("postgres://u@a:1,b:2/d", vec![tcp("a", 1), tcp("b", 2)]),
        ("postgres://u@a,b:2/d", vec![tcp("a", 5432), tcp("b", 2)]),
        ("postgres://u@a,b/d", vec![tcp("a", 5432), tcp("b", 5432)]),
        ("host=a,b port=7", vec![tcp("a", 7), tcp("b", 7)]),
        ("host=a,b port=7,", vec![tcp("a", 7), tcp("b", 5432)]),
        (
            "host=a,/s,c port=1,2,3",
            vec![tcp("a", 1), socket("/s", 2), tcp("c", 3)],
        ),
        (
            "postgres://[::1]:1,[::2]/d",
            vec![tcp("::1", 1), tcp("::2", 5432)],
        ),
    ] {
        assert_eq!(parse(text).servers(), servers, "{text}");
    }
    let address = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        parse("host=a,b hostaddr=127.0.0.1,::1").servers(),
        [
            Server {
                place: Place::Tcp {
                    host: "a".into(),
                    address: address("127.0.0.1")
                },
                port: 5432
            },
            Server {
                place: Place::Tcp {
                    host: "b".into(),
                    address: address("::1")
                },
                port: 5432
            },
        ]
    );
    assert_eq!(
        parse("hostaddr=10.0.0.1").servers(),
        [Server {
            place: Place::Tcp {
                host: "10.0.0.1".into(),
                address: address("10.0.0.1")
            },
            port: 5432
        }]
    );
}

#[test]
fn nothing_at_all_leads_to_the_local_socket() {
    let target = parse("postgresql://");
    assert!(matches!(&target.servers()[0].place, Place::Socket(folder) if is_default_socket_folder(folder)));
    assert_eq!(
        (target.user(), target.database(), target.ssl_mode),
        ("me", "me", None)
    );
}

#[test]
fn variables_fill_in_what_is_not_said() {
    let environment = environment()
        .with("PGHOST", "eh")
        .with("PGPORT", "77")
        .with("PGUSER", "eu")
        .with("PGPASSWORD", "ep")
        .with("PGDATABASE", "ed")
        .with("PGSSLMODE", "verify-ca")
        .with("PGSSLROOTCERT", "/roots")
        .with("PGSSLCERT", "/cert")
        .with("PGSSLKEY", "/key")
        .with("PGOPTIONS", "-c geqo=off")
        .with("PGAPPNAME", "ea")
        .with("PGCONNECT_TIMEOUT", "9")
        .with("PGTARGETSESSIONATTRS", "standby")
        .with("PGPASSFILE", "/passfile")
        .with("PGCLIENTENCODING", "LATIN1")
        .with("HOME", "/home/me");
    let target = parse_in("postgresql://", &environment);
    assert_eq!(target.redacted(), "postgres://eu@eh:77/ed");
    assert_eq!(password(&target), Some("ep"));
    assert_eq!(
        (target.ssl_mode, target.root_cert()),
        (Some(SslMode::VerifyCa), RootCert::File("/roots".into()))
    );
    assert_eq!(target.tls.client_cert, Some(("/cert".into(), "/key".into())));
    assert_eq!(
        (target.options.as_deref(), target.application_name.as_deref()),
        (Some("-c geqo=off"), Some("ea"))
    );
    assert_eq!(target.connect_timeout, Some(std::time::Duration::from_secs(9)));
    assert_eq!(target.session_attrs, crate::SessionAttrs::Standby);
    assert_eq!(target.passfile, Some(PathBuf::from("/passfile")));

    let said = "postgres://u:p@h:1/d?sslmode=disable&application_name=a&passfile=/p&connect_timeout=2&target_session_attrs=any";
    let target = parse_in(said, &environment);
    assert_eq!(target.redacted(), "postgres://u@h:1/d");
    assert_eq!(
        (password(&target), target.ssl_mode),
        (Some("p"), Some(SslMode::Disable))
    );
    assert_eq!(
        (target.application_name.as_deref(), target.passfile),
        (Some("a"), Some(PathBuf::from("/p")))
    );

    // Said to be empty is said: the variable does not count.
    let target = parse_in("password='' user='' dbname=d", &environment);
    assert_eq!((password(&target), target.user()), (None, "me"));
    // Left out of a URL is not said.
    assert_eq!(password(&parse_in("postgres://u:@h/d", &environment)), Some("ep"));
}

#[test]
fn the_password_file_is_in_the_home_folder() {
    assert_eq!(
        parse_in("host=h", &environment().with("HOME", "/h")).passfile,
        Some("/h/.pgpass".into())
    );
    assert_eq!(parse("host=h").passfile, None);
}

#[test]
fn the_old_ways_to_ask_for_tls_still_do() {
    for text in [
        "postgres://h/d?ssl=true",
        "postgres://h/d?requiressl=1",
        "host=h requiressl=1",
    ] {
        assert_eq!(parse(text).ssl_mode, Some(SslMode::Require), "{text}");
    }
    let environment = environment().with("PGREQUIRESSL", "1");
    assert_eq!(parse_in("host=h", &environment).ssl_mode, Some(SslMode::Require));
    assert_eq!(
        parse_in("host=h sslmode=verify-full", &environment).ssl_mode,
        Some(SslMode::VerifyFull)
    );
}

#[test]
fn what_changes_nothing_for_us_is_let_through() {
    parse(
        "host=h keepalives=1 keepalives_idle=30 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=1000 \
         gssencmode=prefer client_encoding=LATIN1 fallback_application_name=x sslcompression=0 krbsrvname=postgres \
         gsslib=gssapi load_balance_hosts=disable replication=false sslcrl='' require_auth='' service='' \
         channel_binding=require ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version='' sslnegotiation=postgres",
    );
    parse("postgres://h/d?sslmode=require&sslnegotiation=direct&");
}

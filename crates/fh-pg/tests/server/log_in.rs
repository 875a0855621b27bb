//! Ways to be turned away by a server that is well.

use std::os::unix::fs::PermissionsExt as _;

use fh_pg::connect;
use fh_testkit::{Postgres, require};

use super::{failure_at, open, options, target, text};

const PASSWORD: &str = "c0rrect:horse\\'s";

#[tokio::test]
async fn passwords() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).try_start());
    let port = postgres.port();
    let good = postgres.tcp_url("postgres");
    assert_eq!(text(&open(&good).await, "select current_user").await, "postgres");

    let wrong = failure_at(
        port,
        &format!("postgresql://postgres:hunter2-hunter2@127.0.0.1:{port}/postgres"),
    )
    .await;
    assert!(!wrong.contains("hunter2"));
    insta::assert_snapshot!(wrong, @r#"
    error: PostgreSQL at 127.0.0.1:PORT rejects the password of role "postgres" (database "postgres")
    caused by: FATAL: password authentication failed for user "postgres" (SQLSTATE 28P01)
    hint: check the password: it came from the connection string or PGPASSWORD. A role that does not exist is rejected the same way
    "#);
    insta::assert_snapshot!(failure_at(port, &format!("postgresql://postgres@127.0.0.1:{port}/postgres")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT asks for a password of role "postgres", and none is given (database "postgres")
    hint: put it into the connection string, into PGPASSWORD, or into the password file ~/.pgpass (mode 0600)
    "#);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pass");
    let url = format!(
        "postgresql://postgres@127.0.0.1:{port}/postgres?passfile={}",
        file.display()
    );
    let write = |password: &str| {
        fs_err::write(&file, format!("127.0.0.1:*:*:postgres:{password}\n")).unwrap();
        fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("c0rrect\\:horse\\\\'s");
    assert_eq!(text(&open(&url).await, "select current_user").await, "postgres");
    write("not this one");
    let error = failure_at(port, &url)
        .await
        .replace(&file.display().to_string(), "FILE");
    assert!(error.contains("it came from FILE"), "{error}");
    assert!(!error.contains("not this one"));
}

#[tokio::test]
async fn names_and_rights() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    postgres.psql(
        "postgres",
        "create role full_house login connection limit 0; create role nologin_role; create role guest login;
         create database closed; revoke connect on database closed from public",
    );
    let port = postgres.port();
    let at = |role: &str, database: &str| format!("postgresql://{role}@127.0.0.1:{port}/{database}");
    insta::assert_snapshot!(failure_at(port, &at("postgres", "nowhere")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT has no database "nowhere" (role "postgres")
    caused by: FATAL: database "nowhere" does not exist (SQLSTATE 3D000)
    hint: check the name at the end of the connection string; psql -l lists the databases
    "#);
    insta::assert_snapshot!(failure_at(port, &at("nobody", "postgres")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT has no role "nobody" (database "postgres")
    caused by: FATAL: role "nobody" does not exist (SQLSTATE 28000)
    hint: check the user of the connection string; psql -c '\du' lists the roles
    "#);
    insta::assert_snapshot!(failure_at(port, &at("nologin_role", "postgres")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT does not let role "nologin_role" log in (database "postgres")
    caused by: FATAL: role "nologin_role" is not permitted to log in (SQLSTATE 28000)
    hint: connect as a role that may, or: ALTER ROLE "nologin_role" LOGIN
    "#);
    insta::assert_snapshot!(failure_at(port, &at("full_house", "postgres")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT has no connection left for role "full_house" (database "postgres")
    caused by: FATAL: too many connections for role "full_house" (SQLSTATE 53300)
    hint: see max_connections, the role's and the database's CONNECTION LIMIT and pg_stat_activity; fewer --jobs need fewer
    "#);
    insta::assert_snapshot!(failure_at(port, &at("guest", "closed")).await, @r#"
    error: PostgreSQL at 127.0.0.1:PORT does not let role "guest" connect to database "closed"
    caused by: FATAL: permission denied for database "closed" (SQLSTATE 42501); DETAIL: User does not have CONNECT privilege.
    hint: GRANT CONNECT ON DATABASE "closed" TO "guest"
    "#);
}

#[tokio::test]
async fn kinds_of_servers() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let port = postgres.port();
    let url = |attrs: &str| format!("{}?target_session_attrs={attrs}", postgres.tcp_url("postgres"));
    for attrs in ["any", "read-write", "primary", "prefer-standby"] {
        open(&url(attrs)).await;
    }
    insta::assert_snapshot!(failure_at(port, &url("standby")).await, @r#"
    error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres")
    caused by: the server is not what target_session_attrs=standby asks for
    hint: connect to another server of the cluster, or leave target_session_attrs out
    "#);
    failure_at(port, &url("read-only")).await;
    // A session that may not write is as good as a standby, for those two.
    let read_only = |attrs: &str| format!("{}&options=-c%20default_transaction_read_only%3Don", url(attrs));
    open(&read_only("read-only")).await;
    insta::assert_snapshot!(failure_at(port, &read_only("read-write")).await, @r#"
    error: cannot connect to PostgreSQL at 127.0.0.1:PORT (role "postgres", database "postgres")
    caused by: the server is not what target_session_attrs=read-write asks for
    hint: connect to another server of the cluster, or leave target_session_attrs out
    "#);
    open(&read_only("primary")).await;
}

#[tokio::test]
async fn what_the_server_is_told() {
    let postgres = require!(Postgres::builder().tcp().try_start());
    let url = postgres.tcp_url("postgres");
    let name = "select current_setting('application_name')";
    assert_eq!(text(&open(&url).await, name).await, "financehub");
    assert_eq!(
        text(&open(&format!("{url}?application_name=mine")).await, name).await,
        "mine"
    );
    let connection = open(&format!("{url}?options=-c%20work_mem%3D7MB")).await;
    assert_eq!(
        text(&connection, "select current_setting('work_mem')").await,
        "7MB"
    );
    let connection = connect(&target(&postgres.url("postgres")), &options())
        .await
        .unwrap();
    assert_eq!(connection.tls, fh_pg::TlsState::Socket);
    assert_eq!(connection.server.to_string(), postgres.version());
    assert_eq!(connection.server.major(), postgres.major());
    let number = text(&connection, "select current_setting('server_version_num')").await;
    assert_eq!(connection.server.number().to_string(), number);
}

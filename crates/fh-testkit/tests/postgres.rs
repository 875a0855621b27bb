//! The throw-away cluster: starts, answers, rejects, restarts.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fh_testkit::certs::{Authority, TlsFiles};
use fh_testkit::{Postgres, require};

#[test]
fn a_cluster_answers_and_is_gone_afterwards() {
    let pg = require!(Postgres::try_start());
    assert_eq!(pg.psql("postgres", "select 1 + 1"), "2");
    assert_eq!(pg.psql("postgres", "show server_encoding"), "UTF8");
    let odd = r#"Odd "name" %41 ü/é"#;
    pg.create_database(odd);
    assert_eq!(pg.psql(odd, "select current_database()"), odd);
    pg.drop_database(odd);
    assert!(pg.try_psql(odd, "select 1").is_err());
    let (dir, pid) = (pg.socket_dir().to_owned(), pg.pid().unwrap());
    assert!(dir.is_dir() && runs(pid));
    drop(pg);
    assert!(!dir.exists() && !runs(pid));
}

#[test]
fn sql_errors_carry_the_servers_words() {
    let pg = require!(Postgres::try_start());
    let error = pg
        .try_psql("postgres", "select 1; select nonsense; select 2")
        .unwrap_err()
        .to_string();
    assert!(error.contains(r#"column "nonsense" does not exist"#), "{error}");
}

#[test]
fn a_wrong_setting_is_told() {
    let error = match Postgres::builder().setting("work_mem", "lots").try_start() {
        Err(error) if error.is::<fh_testkit::Missing>() => {
            require!(Err::<(), _>(error));
            return;
        }
        result => result.unwrap_err().to_string(),
    };
    assert!(error.contains("work_mem"), "{error}");
}

#[test]
fn scram_accepts_the_password_and_nothing_else() {
    let pg = require!(Postgres::builder().scram("it's a secret:/@").try_start());
    let url = pg.tcp_url("postgres");
    assert_eq!(pg.psql_url(&url, "select current_user").unwrap(), "postgres");
    let wrong = url.replace("secret", "secre7");
    let error = pg.psql_url(&wrong, "select 1").unwrap_err().to_string();
    assert!(error.contains("password authentication failed"), "{error}");
    assert!(!error.contains("secre7"), "the error shows the password: {error}");
}

#[test]
fn tls_is_verified_by_the_client() {
    let pg = require!(Postgres::builder().tls_only().try_start());
    let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    assert_eq!(pg.psql_url(&pg.tls_url("postgres"), sql).unwrap(), "t");
    let plain = format!("{}?sslmode=disable", pg.tcp_url("postgres"));
    assert!(
        pg.psql_url(&plain, "select 1")
            .unwrap_err()
            .to_string()
            .contains("pg_hba.conf rejects")
    );
    let stranger = TlsFiles::for_localhost().unwrap();
    let ours = pg.ca_pem_path().to_str().unwrap().replace('/', "%2F");
    let theirs = stranger.ca_pem_path.to_str().unwrap().replace('/', "%2F");
    let url = pg.tls_url("postgres").replace(&ours, &theirs);
    assert!(
        pg.psql_url(&url, "select 1")
            .unwrap_err()
            .to_string()
            .contains("certificate verify failed")
    );
}

#[test]
fn bad_certificates_are_bad() {
    let authority = Authority::new().unwrap();
    let expired = TlsFiles::new(&authority, authority.expired_server(&["localhost"]).unwrap()).unwrap();
    let pg = require!(Postgres::builder().tls_with(expired).try_start());
    let error = pg
        .psql_url(&pg.tls_url("postgres"), "select 1")
        .unwrap_err()
        .to_string();
    assert!(error.contains("certificate"), "{error}");
    let elsewhere = TlsFiles::new(&authority, authority.server(&["db.example"]).unwrap()).unwrap();
    let pg = require!(Postgres::builder().tls_with(elsewhere).try_start());
    let error = pg
        .psql_url(&pg.tls_url("postgres"), "select 1")
        .unwrap_err()
        .to_string();
    assert!(error.contains("does not match host name"), "{error}");
}

#[test]
fn a_killed_server_recovers_on_restart() {
    let mut pg = require!(Postgres::builder().tcp().try_start());
    pg.psql(
        "postgres",
        "create table t as select generate_series(1, 1000) as i",
    );
    let url = pg.tcp_url("postgres");
    pg.kill9();
    assert!(pg.psql_url(&url, "select 1").is_err());
    pg.restart();
    assert_eq!(pg.psql_url(&url, "select count(*) from t").unwrap(), "1000");
    assert!(pg.log().contains("was not properly shut down"), "{}", pg.log());
    pg.stop();
    assert!(pg.pid().is_none() && pg.try_psql("postgres", "select 1").is_err());
    pg.restart();
    assert_eq!(pg.psql("postgres", "select count(*) from t"), "1000");
}

/// A process that is no zombie.
fn runs(pid: u32) -> bool {
    rustix::process::test_kill_process(rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap())
        .is_ok()
}

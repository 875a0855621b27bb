//! Child processes reach the same server as we do, with the same checks, and without a secret where others can see it.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use fh_core::Secret;
use fh_pg::{ConnectionString, Program, Tools, child_environment};
use fh_testkit::certs::{Authority, TlsFiles};
use fh_testkit::postgres::Postgres;
use fh_testkit::require;

use super::{PASSWORD, opened, target};

const WHO: &str = "select current_user, current_database(), (select ssl from pg_stat_ssl where pid = pg_backend_pid()), inet_server_port()";

/// Runs psql in the child's environment, with a query.
fn psql(postgres: &Postgres, target: &ConnectionString, sql: &str) -> Output {
    let environment = child_environment(target).unwrap_or_else(|error| panic!("{}", error.render()));
    let mut command = Command::new(postgres.bin_dir().join("psql"));
    command.args(["-X", "-A", "-t", "-w", "-c", sql]);
    environment.apply(&mut command);
    let output = command.output().unwrap();
    for (name, value) in environment.variables() {
        let value = value.to_str().unwrap();
        assert!(!value.contains("c4nary"), "{name} holds the password");
        if name == "PGPASSFILE" {
            let mode = fs_err::metadata(value).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    output
}

fn said(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn complaint(output: &Output) -> String {
    assert!(
        !output.status.success(),
        "it was accepted: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The test runs itself again in a bad environment: a child must not inherit any of it.
#[tokio::test]
async fn psql_and_pg_dump_get_there_whatever_the_environment_says() {
    const INNER: &str = "FH_PG_TEST_INNER";
    if std::env::var_os(INNER).is_none() {
        let name = "children::psql_and_pg_dump_get_there_whatever_the_environment_says";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(INNER, "1")
            .envs([
                ("PGHOST", "wrong.invalid"),
                ("PGHOSTADDR", "192.0.2.1"),
                ("PGPORT", "1"),
                ("PGSERVICE", "missing"),
            ])
            .envs([
                ("PGSSLMODE", "disable"),
                ("PGSSLROOTCERT", "/missing"),
                ("PGPASSWORD", "wrong"),
                ("PGOPTIONS", "--nonsense"),
            ])
            .envs([
                ("PGCHANNELBINDING", "nonsense"),
                ("PGTZ", "Nowhere"),
                ("PGREQUIREAUTH", "none"),
                ("LC_ALL", "de_DE.UTF-8"),
            ])
            .output()
            .unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let postgres = require!(Postgres::builder().scram(PASSWORD).tls_only().try_start());
    let odd = r"o'd d=x:\é";
    postgres.create_database(odd);
    let parsed = target(&postgres.tls_url("postgres")).with_database(odd);
    let expected = format!("postgres|{odd}|t|{}", postgres.port());
    assert_eq!(said(&psql(&postgres, &parsed, WHO)), expected);
    // The server that answered a session, by its address.
    let session = fh_pg::connect(&parsed, &super::options()).await.unwrap();
    assert_eq!(said(&psql(&postgres, session.target(), WHO)), expected);

    let pg_dump = Tools::find(Program::PgDump, postgres.major(), Some(postgres.bin_dir()))
        .await
        .unwrap();
    let environment = child_environment(session.target()).unwrap();
    let mut command = tokio::process::Command::new(&pg_dump.path);
    command.args(["--schema-only", "--no-password"]);
    environment.apply_tokio(&mut command);
    let output = command.output().await.unwrap();
    assert!(said(&output).contains("PostgreSQL database dump complete"));
}

#[tokio::test]
async fn a_child_checks_the_certificate_as_we_do() {
    let authority = Authority::new().unwrap();
    let files = TlsFiles::new(&authority, authority.server(&["db.example.com"]).unwrap()).unwrap();
    let ca = files.ca_pem_path.display().to_string();
    let ca_copy = tempfile::tempdir().unwrap();
    let ca_file = ca_copy.path().join("ca.pem");
    fs_err::copy(ca, &ca_file).unwrap();
    let postgres = require!(Postgres::builder().tls_with(files).try_start());
    let at = |host: &str, rest: &str| {
        target(&format!(
            "host={host} hostaddr=127.0.0.1 port={} user=postgres dbname=postgres {rest}",
            postgres.port()
        ))
    };
    let with_ca = format!("sslrootcert={}", ca_file.display());
    let encrypted = |target: &ConnectionString| said(&psql(&postgres, target, WHO)).contains("|t|");

    assert!(encrypted(&at(
        "db.example.com",
        &format!("sslmode=verify-full {with_ca}")
    )));
    assert!(encrypted(&at(
        "other.example.com",
        &format!("sslmode=verify-ca {with_ca}")
    )));
    assert!(encrypted(&at("other.example.com", "sslmode=require")));
    let wrong_name = psql(
        &postgres,
        &at("other.example.com", &format!("sslmode=verify-full {with_ca}")),
        WHO,
    );
    assert!(
        complaint(&wrong_name).contains("does not match host name"),
        "{wrong_name:?}"
    );
    // The built-in roots reach libpq as a file that it can read, and this server is not signed by one of them.
    for rest in ["sslmode=verify-ca", "sslmode=verify-full", "sslrootcert=system"] {
        let stranger = complaint(&psql(&postgres, &at("db.example.com", rest), WHO));
        assert!(
            stranger.contains("certificate verify failed"),
            "{rest}: {stranger}"
        );
    }
    let rds = complaint(&psql(
        &postgres,
        &at("x.y.eu-central-1.rds.amazonaws.com", "sslmode=require"),
        WHO,
    ));
    assert!(rds.contains("certificate verify failed"), "{rds}");
    // What a session has reached the child insists on, too: TLS here, although nobody said so.
    let session = opened(&format!(
        "postgresql://postgres@localhost:{}/postgres?hostaddr=127.0.0.1",
        postgres.port()
    ))
    .await;
    super::set_hba(&postgres, "hostnossl all all all trust");
    complaint(&psql(&postgres, session.target(), WHO));
}

#[test]
fn sockets_several_hosts_and_password_files_work() {
    let postgres = require!(Postgres::builder().scram(PASSWORD).try_start());
    let dead = super::DEAD_PORT;
    let expected = format!("postgres|postgres|f|{}", postgres.port());
    let several = target(&format!(
        "host=127.0.0.1,127.0.0.1 port={dead},{} user=postgres dbname=postgres",
        postgres.port()
    ));
    assert_eq!(
        said(&psql(
            &postgres,
            &several.with_password(Secret::new(PASSWORD)),
            WHO
        )),
        expected
    );

    // From the user's file into ours.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgpass");
    fs_err::write(
        &file,
        format!(
            "127.0.0.1:{}:*:postgres:{}\n",
            postgres.port(),
            PASSWORD.replace('\\', "\\\\").replace(':', "\\:")
        ),
    )
    .unwrap();
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let environment = super::environment().with("PGPASSFILE", file.to_str().unwrap());
    let text = format!("postgresql://127.0.0.1:{}/postgres", postgres.port());
    let from_file = ConnectionString::parse(&Secret::new(text), &environment).unwrap();
    assert_eq!(said(&psql(&postgres, &from_file, WHO)), expected);

    let socket = target(&postgres.url("postgres"));
    assert_eq!(
        said(&psql(&postgres, &socket, "select inet_server_addr() is null")),
        "t"
    );
    // On the socket a password counts, too.
    fs_err::write(
        postgres.data_dir().join("pg_hba.conf"),
        "local all all scram-sha-256\n",
    )
    .unwrap();
    postgres.psql("postgres", "select pg_reload_conf()");
    let with_password = socket.with_password(Secret::new(PASSWORD));
    super::wait_until("the server has read pg_hba.conf", || {
        !psql(&postgres, &socket, "select 1").status.success()
    });
    assert_eq!(said(&psql(&postgres, &with_password, "select 1")), "1");
}

#[test]
fn the_files_go_with_the_value() {
    let environment = child_environment(&target("postgresql://u:c4nary@h/d")).unwrap();
    let file = environment
        .variables()
        .find(|(name, _)| *name == "PGPASSFILE")
        .unwrap()
        .1
        .clone();
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "h:5432:d:u:c4nary\n");
    assert!(!format!("{environment:?}").contains("c4nary"));
    drop(environment);
    assert!(!std::path::Path::new(&file).exists());
}

//! Scripts that pretend to be programs of PostgreSQL.

use std::os::unix::fs::PermissionsExt as _;

use fh_core::Exit;

use super::*;

/// Folders with a `pg_dump` each, called 0, 1, 2, …
struct Machine(tempfile::TempDir, Vec<PathBuf>);

impl Machine {
    fn with(scripts: &[(&str, u32)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut folders = Vec::new();
        for (index, (script, mode)) in scripts.iter().enumerate() {
            let folder = root.path().join(index.to_string());
            let path = folder.join("pg_dump");
            fs_err::create_dir(&folder).unwrap();
            fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(*mode)).unwrap();
            folders.push(folder);
        }
        Self(root, folders)
    }

    fn versions(versions: &[&str]) -> Self {
        let scripts: Vec<String> = versions
            .iter()
            .map(|version| format!("echo 'pg_dump (PostgreSQL) {version}'"))
            .collect();
        Self::with(
            &scripts
                .iter()
                .map(|script| (script.as_str(), 0o755))
                .collect::<Vec<_>>(),
        )
    }

    async fn locate(&self, server_major: u32) -> Result<Tool> {
        Tools::in_folders(self.1.clone())
            .locate(Program::PgDump, server_major)
            .await
    }

    async fn failure(&self, server_major: u32) -> String {
        let error = self.locate(server_major).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unable);
        self.hide(&error.render())
    }

    fn hide(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "/m")
    }
}

#[tokio::test]
async fn the_servers_own_version_comes_first_and_then_the_next_newer_one() {
    let machine = Machine::versions(&[
        "14.9",
        "18beta1",
        "16.3 (Debian 16.3-1)",
        "15.18",
        "15.2",
        "17devel",
    ]);
    for (server, version, folder) in [
        (15, "15.18", 3),
        (16, "16.3", 2),
        (17, "17devel", 5),
        (18, "18beta1", 1),
        (12, "14.9", 0),
    ] {
        let tool = machine.locate(server).await.unwrap();
        assert_eq!(tool.version.to_string(), version, "server {server}");
        assert_eq!(tool.path, machine.1[folder].join("pg_dump"));
        assert!(tool.version.major() >= server);
    }
}

#[tokio::test]
async fn a_newer_one_will_do() {
    let machine = Machine::versions(&["18.1", "16.3"]);
    assert_eq!(machine.locate(15).await.unwrap().version.to_string(), "16.3");
}

#[tokio::test]
async fn an_older_one_never_does() {
    insta::assert_snapshot!(Machine::versions(&["14.9", "13.2"]).failure(15).await, @r#"
    error: every pg_dump here is older than the server, which is PostgreSQL 15
    caused by: /m/0/pg_dump is version 14.9; /m/1/pg_dump is version 13.2
    hint: install it: `apt-get install postgresql-client-15` (Debian and Ubuntu; versions they lack come from apt.postgresql.org), `dnf install postgresql15` (Red Hat, from yum.postgresql.org), `brew install postgresql@15` (macOS)
    "#);
}

#[tokio::test]
async fn what_is_no_program_of_postgresql_is_named_with_the_reason() {
    let machine = Machine::with(&[
        ("echo hello", 0o755),
        ("echo 'pg_restore (PostgreSQL) 15.1'", 0o755),
        ("echo 'pg_dump (PostgreSQL) 15.1'; exit 3", 0o755),
        ("echo 'pg_dump (PostgreSQL) 15.1'", 0o644),
        ("kill -9 $$", 0o755),
        ("exec cat /dev/zero", 0o755),
    ]);
    insta::assert_snapshot!(machine.failure(15).await, @r#"
    error: there is no pg_dump for the server, which is PostgreSQL 15
    caused by: /m/0/pg_dump is not PostgreSQL's pg_dump; /m/1/pg_dump is not PostgreSQL's pg_dump; /m/2/pg_dump failed when asked for its version (exit status: 3); /m/3/pg_dump cannot be run: Permission denied (os error 13); /m/4/pg_dump failed when asked for its version (signal: 9 (SIGKILL)); /m/5/pg_dump failed when asked for its version (signal: 13 (SIGPIPE))
    hint: install it: `apt-get install postgresql-client-15` (Debian and Ubuntu; versions they lack come from apt.postgresql.org), `dnf install postgresql15` (Red Hat, from yum.postgresql.org), `brew install postgresql@15` (macOS)
    "#);
}

#[tokio::test]
async fn a_broken_one_does_not_hide_a_good_one() {
    let machine = Machine::with(&[("exit 1", 0o755), ("echo 'pg_dump (PostgreSQL) 15.1'", 0o755)]);
    assert_eq!(
        machine.locate(15).await.unwrap().path,
        machine.1[1].join("pg_dump")
    );
}

#[tokio::test]
async fn with_none_the_error_says_where_it_looked_and_what_to_install() {
    let machine = Machine::with(&[]);
    let tools = Tools::in_folders(vec![machine.0.path().join("a"), machine.0.path().join("b")]);
    let error = tools.locate(Program::PgRestore, 17).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    insta::assert_snapshot!(machine.hide(&error.render()), @r#"
    error: there is no pg_restore for the server, which is PostgreSQL 17
    caused by: looked in /m/a, /m/b
    hint: install it: `apt-get install postgresql-client-17` (Debian and Ubuntu; versions they lack come from apt.postgresql.org), `dnf install postgresql17` (Red Hat, from yum.postgresql.org), `brew install postgresql@17` (macOS)
    "#);
}

/// Also on a machine that has the right one elsewhere.
#[tokio::test]
async fn a_configured_folder_is_the_only_one() {
    let machine = Machine::versions(&["14.9", "99.1"]);
    let find = |major| Tools::find(Program::PgDump, major, Some(&machine.1[0]));
    assert_eq!(find(14).await.unwrap().path, machine.1[0].join("pg_dump"));
    let error = find(15).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    insta::assert_snapshot!(machine.hide(&error.render()), @r#"
    error: every pg_dump here is older than the server, which is PostgreSQL 15
    caused by: /m/0/pg_dump is version 14.9
    hint: correct bin_dir of the [database] section (or FH_PG_BINDIR), or leave it out; install it: `apt-get install postgresql-client-15` (Debian and Ubuntu; versions they lack come from apt.postgresql.org), `dnf install postgresql15` (Red Hat, from yum.postgresql.org), `brew install postgresql@15` (macOS)
    "#);
}

#[tokio::test]
async fn a_file_with_two_names_is_asked_once() {
    let machine = Machine::with(&[(
        "echo x >> \"$(dirname \"$0\")/asked\"; echo 'pg_dump (PostgreSQL) 14.1'",
        0o755,
    )]);
    let other = machine.0.path().join("link");
    std::os::unix::fs::symlink(&machine.1[0], &other).unwrap();
    let tools = Tools::in_folders(vec![other.clone(), machine.1[0].clone()]);
    tools.locate(Program::PgDump, 14).await.unwrap();
    assert_eq!(fs_err::read_to_string(machine.1[0].join("asked")).unwrap(), "x\n");
}

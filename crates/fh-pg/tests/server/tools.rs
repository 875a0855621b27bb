//! Finding programs, with fakes that lie, hang and fail.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fh_core::Exit;
use fh_pg::{Program, Tools};
use fh_testkit::postgres::Postgres;
use fh_testkit::require;

/// A program that answers `--version` with `answer`.
fn fake(folder: &Path, name: &str, answer: &str) -> PathBuf {
    script(folder, name, &format!("echo '{answer}'"))
}

fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
    let bin = folder.join(name);
    fs_err::create_dir_all(&bin).unwrap();
    let file = bin.join("pg_dump");
    fs_err::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    bin
}

#[tokio::test]
async fn the_same_major_version_comes_first_then_the_next_newer() {
    let folder = tempfile::tempdir().unwrap();
    let bins: Vec<PathBuf> = [
        ("a", "pg_dump (PostgreSQL) 18beta1"),
        ("b", "pg_dump (PostgreSQL) 14.22"),
        ("c", "pg_dump (PostgreSQL) 16.4 (Debian 16.4-1)"),
        ("d", "pg_dump (PostgreSQL) 15.18"),
        ("e", "pg_dump (PostgreSQL) 15.2"),
    ]
    .map(|(name, answer)| fake(folder.path(), name, answer))
    .into();
    let tools = Tools::in_folders(bins.clone());
    for (server, version, bin) in [(14, "14.22", 1), (15, "15.18", 3), (16, "16.4", 2), (17, "18beta1", 0), (18, "18beta1", 0), (9, "14.22", 1)] {
        let tool = tools.locate(Program::PgDump, server).await.unwrap();
        assert_eq!((tool.version.as_str(), &tool.path), (version, &bins[bin].join("pg_dump")), "server {server}");
    }
    let error = tools.locate(Program::PgDump, 19).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Unable);
    insta::assert_snapshot!("too_old", error.render().replace(&folder.path().display().to_string(), "FOLDER"));
    let error = tools.locate(Program::PgRestore, 15).await.unwrap_err();
    insta::assert_snapshot!("missing", error.render().replace(&folder.path().display().to_string(), "FOLDER"));
}

#[tokio::test]
async fn what_is_broken_is_named_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let not_executable = fake(folder.path(), "locked", "pg_dump (PostgreSQL) 15.1");
    fs_err::set_permissions(not_executable.join("pg_dump"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let bins = vec![
        not_executable,
        fake(folder.path(), "garbage", "Segmentation fault"),
        fake(folder.path(), "other", "psql (PostgreSQL) 15.1"),
        script(folder.path(), "silent", "exit 0"),
        script(folder.path(), "failing", "echo 'pg_dump (PostgreSQL) 15.1'; exit 3"),
        script(folder.path(), "endless", "exec yes 'pg_dump (PostgreSQL) 15.1'"),
        folder.path().join("missing"),
    ];
    let error = Tools::in_folders(bins.clone()).locate(Program::PgDump, 15).await.unwrap_err();
    insta::assert_snapshot!("broken", error.render().replace(&folder.path().display().to_string(), "FOLDER"));
    let good = fake(folder.path(), "good", "pg_dump (PostgreSQL) 15.1");
    let tools = Tools::in_folders(bins.into_iter().chain([good.clone()]).collect());
    assert_eq!(tools.locate(Program::PgDump, 15).await.unwrap().path, good.join("pg_dump"));
}

#[tokio::test]
async fn a_configured_folder_is_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let old = fake(folder.path(), "old", "pg_dump (PostgreSQL) 9.6.24");
    assert_eq!(Tools::find(Program::PgDump, 9, Some(&old)).await.unwrap().major, 9);
    let error = Tools::find(Program::PgDump, 15, Some(&old)).await.unwrap_err();
    insta::assert_snapshot!("configured", error.render().replace(&folder.path().display().to_string(), "FOLDER"));
}

#[tokio::test]
async fn the_real_ones_are_found() {
    let postgres = require!(Postgres::try_start());
    for program in [Program::PgDump, Program::PgRestore, Program::Psql] {
        let tool = Tools::find(program, postgres.major(), Some(postgres.bin_dir())).await.unwrap();
        assert_eq!((tool.major, tool.version.as_str()), (postgres.major(), postgres.version()), "{program}");
    }
}

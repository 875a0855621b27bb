//! The demonstration behind `cargo xtask demo`: fill a database, back it up, destroy it, restore it, prove that it is the same.
//!
//! The proof does not use our own code: `pg_dump` gives the definitions, and the server itself counts and hashes the rows.

mod proof;
mod screen;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use crate::fh_backup::{FhBackup, beside_us};
use crate::process::Workdir;
use crate::{Postgres, finance};
use proof::Proof;
use screen::{Screen, size};

const DATABASE: &str = "financehub";

const EXAMPLES: &str = "\
Examples:
  fh-demo
  fh-demo --rows 5000000 --fh-backup target/release/fh-backup
  fh-demo --keep";

/// Backs up a finance database of a million rows, destroys it, restores it and proves that nothing changed.
///
/// Everything happens in throw-away folders on this machine and is removed at the end.
#[derive(Debug, Clone, Parser)]
#[command(name = "fh-demo", version, before_help = EXAMPLES)]
pub struct Options {
    /// The fh-backup program; without this the one beside fh-demo.
    #[arg(long, value_name = "FILE")]
    pub fh_backup: Option<PathBuf>,
    /// Rows to fill the database with.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub rows: u64,
    /// Leave the server's data, the repository and the keys in place, and print where they are.
    #[arg(long)]
    pub keep: bool,
}

/// Runs the demonstration. Success means that equality was proven; everything else is a failure.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    let mut screen = Screen::new();
    match demonstrate(options, &mut screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(options: &Options, screen: &mut Screen) -> Result<()> {
    let mut workdir = Workdir::new("the demonstration", "fh-demo-", "TERM", None)?;
    let program = options.fh_backup.clone().map_or_else(beside_us, Ok)?;
    screen.title("fh-backup: back up, destroy, restore, compare");

    let mut postgres = screen.step("start a throw-away PostgreSQL", || {
        let postgres = Postgres::try_start()?;
        let about = format!(
            "PostgreSQL {} in {}",
            postgres.version(),
            postgres.socket_dir().display()
        );
        Ok((about, postgres))
    })?;
    if options.keep {
        workdir.keep();
        postgres.keep();
    }
    let tool = FhBackup::new(program, workdir.path(), &postgres)?;
    let database_size = || -> Result<u64> {
        let sql = format!("select pg_database_size('{DATABASE}')");
        postgres.try_psql("postgres", &sql)?.parse().context("no size")
    };

    screen.step("fill it with finance data", || {
        postgres.try_psql(
            "postgres",
            &format!("create database {DATABASE} template template0"),
        )?;
        postgres.try_psql(DATABASE, &finance::script(options.rows))?;
        Ok((format!("{} database", size(database_size()?)), ()))
    })?;
    let before = screen.step("take its fingerprint", || {
        let proof = Proof::of(&postgres, DATABASE)?;
        ensure!(proof.rows() > 0, "the database has no rows to back up");
        Ok((proof.summary(), proof))
    })?;

    let recipient = screen.step("make an age key pair", || {
        let recipient = tool.generate_key()?;
        Ok((recipient.clone(), recipient))
    })?;
    screen.step("create an encrypted repository", || {
        tool.init(&recipient)?;
        Ok((tool.repository().display().to_string(), ()))
    })?;
    screen.step("back up", || {
        tool.create(&postgres.url(DATABASE))?;
        let (stored, plain) = (tool.repository_size()?, database_size()?);
        ensure!(stored > 0, "the repository is empty");
        Ok((
            format!("{} stored for a database of {}", size(stored), size(plain)),
            (),
        ))
    })?;
    screen.step("destroy the database", || {
        postgres.try_psql("postgres", &format!("drop database {DATABASE} with (force)"))?;
        ensure!(
            Proof::of(&postgres, DATABASE).is_err(),
            "the database is still there"
        );
        postgres.try_psql(
            "postgres",
            &format!("create database {DATABASE} template template0"),
        )?;
        Ok(("an empty one takes its place".to_owned(), ()))
    })?;
    screen.step("verify the backup", || {
        tool.verify()?;
        Ok(("every object read, decrypted and recounted".to_owned(), ()))
    })?;
    screen.step("restore", || {
        tool.restore(&postgres.url(DATABASE))?;
        Ok((format!("{} database", size(database_size()?)), ()))
    })?;
    screen.step("compare", || {
        let after = Proof::of(&postgres, DATABASE)?;
        before.must_equal(&after)?;
        Ok((after.summary(), ()))
    })?;
    screen.success(
        "proven equal: every table's row count and hash, every sequence, and the whole pg_dump schema",
    );
    if options.keep {
        screen.kept("server data", postgres.socket_dir());
        screen.kept("repository and keys", workdir.path());
    }
    Ok(())
}

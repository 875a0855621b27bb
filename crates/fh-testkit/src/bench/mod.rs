//! The benchmark behind `cargo xtask bench backup`: fh-backup and what people use instead, side by side on the same server,
//! in turns, so that whatever else the machine does falls on all of them.
//!
//! A peer that is not installed is named as left out. Ratios are ours to theirs, of medians: below one is better.

mod data;
mod measure;
mod peers;
mod table;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::fh_backup::{FhBackup, beside_us};
use crate::process::Workdir;
use crate::{Postgres, finance};
pub(crate) use measure::{Cost, run as measure};
use peers::{Peer, Scene};
use table::Results;
pub(crate) use table::{mebibytes, median};

/// The database that is backed up.
const DATABASE: &str = "financehub";

const EXAMPLES: &str = "\
Examples:
  fh-bench
  fh-bench --rows 2000000 --runs 1 --fh-backup target/release/fh-backup
  fh-bench --only restore";

/// Measures fh-backup against pg_dump with gzip and zstd, its own formats, and restic.
///
/// Everything happens in throw-away folders on this machine and is removed at the end. The table on stdout is Markdown.
#[derive(Debug, Clone, Parser)]
#[command(name = "fh-bench", version, before_help = EXAMPLES)]
pub struct Options {
    /// The fh-backup program, an optimised build; without this the one beside fh-bench.
    #[arg(long, value_name = "FILE")]
    pub fh_backup: Option<PathBuf>,
    /// Rows of the data set; sixteen million are about 1.5 GB of COPY text.
    #[arg(long, value_name = "N", default_value_t = 16_000_000, value_parser = clap::value_parser!(u64).range(1000..=1_000_000_000))]
    pub rows: u64,
    /// How often each is run; the table shows medians.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub runs: u32,
    /// Sessions of everything that can use several.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: u32,
    /// Only one part of it.
    #[arg(long, value_enum)]
    pub only: Option<Part>,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// First backups.
    Backup,
    /// Second backups: nothing changed, rows appended, rows updated.
    Again,
    /// Restores.
    Restore,
}

/// Runs the benchmark. Success means that everything that was measured also worked.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    match bench(options) {
        Ok(results) => {
            let mut out = std::io::stdout().lock();
            match write!(out, "{}", results.markdown(options)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            say(&format!("NOT MEASURED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "bench: {text}");
}

fn bench(options: &Options) -> Result<Results> {
    let workdir = Workdir::new("the benchmark", "fh-bench-", "TERM", None)?;
    let program = options.fh_backup.clone().map_or_else(beside_us, Ok)?;
    // As large a server as a small production one; what is not written to disk for good costs all the same.
    let postgres = Postgres::builder()
        .setting("shared_buffers", "512MB")
        .setting("max_wal_size", "8GB")
        .setting("maintenance_work_mem", "256MB")
        .try_start()?;
    say(&format!("filling a database with {} rows", options.rows));
    postgres.create_database(DATABASE);
    finance::load(&postgres, DATABASE, options.rows);
    let _ = postgres.psql(DATABASE, "vacuum analyze; checkpoint");

    let tool = FhBackup::new(program, workdir.path(), &postgres)?;
    let scene = Scene::new(options, &postgres, &tool, workdir.path())?;
    let mut results = Results::new(&scene);
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let peers = Peer::found();
    if wanted(Part::Backup) {
        for round in 1..=options.runs {
            for peer in &peers {
                scene.reset(*peer)?;
                take(&scene, *peer, "first backup", round, &mut results)?;
            }
        }
    } else {
        for peer in peers.iter().filter(|peer| peer.is_kept()) {
            scene.reset(*peer)?;
            take(&scene, *peer, "first backup", 1, &mut results)?;
        }
    }
    if wanted(Part::Again) {
        again(&scene, &peers, options.runs, &mut results)?;
    }
    if wanted(Part::Restore) {
        restore(&scene, &peers, options.runs, &mut results)?;
    }
    ensure!(!results.is_empty(), "nothing was measured");
    Ok(results)
}

fn take(scene: &Scene<'_>, peer: Peer, what: &str, round: u32, results: &mut Results) -> Result<()> {
    let before = scene.stored(peer)?;
    let cost = measure::run(&mut scene.backup(peer)?, peer.name())?;
    let after = scene.stored(peer)?;
    say(&format!("{what} {round}: {} {cost}", peer.name()));
    results.add(what, peer, cost, after, after.saturating_sub(before));
    Ok(())
}

/// Second runs of those that share what is there already; reading alone is the floor.
fn again(scene: &Scene<'_>, peers: &[Peer], runs: u32, results: &mut Results) -> Result<()> {
    let incremental: Vec<Peer> = peers
        .iter()
        .copied()
        .filter(|peer| peer.is_incremental())
        .collect();
    let unchanged = "unchanged";
    for round in 1..=runs {
        for peer in &incremental {
            take(scene, *peer, unchanged, round, results)?;
        }
        let cost = measure::run(&mut scene.read_only()?, "COPY to /dev/null")?;
        say(&format!("{unchanged} {round}: COPY to /dev/null {cost}"));
        results.add(unchanged, Peer::CopyToNull, cost, 0, 0);
    }
    for change in data::CHANGES {
        scene.change(change.sql)?;
        for peer in &incremental {
            take(scene, *peer, change.name, 1, results)?;
        }
    }
    Ok(())
}

fn restore(scene: &Scene<'_>, peers: &[Peer], runs: u32, results: &mut Results) -> Result<()> {
    for round in 1..=runs {
        for peer in peers.iter().copied().chain([Peer::FhBackupCounting]) {
            let Some(mut command) = scene.restore(peer)? else {
                continue;
            };
            let cost = measure::run(&mut command, peer.name())?;
            say(&format!("restore {round}: {} {cost}", peer.name()));
            scene.check_restored()?;
            results.add("restore", peer, cost, 0, 0);
        }
    }
    Ok(())
}

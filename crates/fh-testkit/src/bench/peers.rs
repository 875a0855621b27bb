//! Who takes part, and how each is run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{DATABASE, Options};
use crate::Postgres;
use crate::fh_backup::FhBackup;
use crate::host::on_path;

/// The database that restores go to.
const RESTORED: &str = "restored";
/// Where a stream of the dump lies in restic's repository.
const STREAM: &str = "financehub.sql";

/// A way to back up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    FhBackup,
    /// Restores only: rows hashed on their way in and counted afterwards, instead of read back.
    FhBackupCounting,
    Gzip,
    Custom,
    Zstd,
    Directory,
    Restic,
    /// Reading every row and throwing it away: nothing that reads can be faster.
    CopyToNull,
}

impl Peer {
    const ALL: [Self; 6] = [
        Self::FhBackup,
        Self::Gzip,
        Self::Custom,
        Self::Zstd,
        Self::Directory,
        Self::Restic,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FhBackup => "fh-backup (encrypted, proven)",
            Self::FhBackupCounting => "fh-backup restore --proof count",
            Self::Gzip => "pg_dump \\| gzip",
            Self::Custom => "pg_dump -Fc",
            Self::Zstd => "pg_dump \\| zstd -1",
            Self::Directory => "pg_dump -Fd -Z0",
            Self::Restic => "pg_dump \\| restic",
            Self::CopyToNull => "COPY to /dev/null",
        }
    }

    /// The program that it needs besides PostgreSQL's own.
    fn program(self) -> Option<&'static str> {
        match self {
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Restic => Some("restic"),
            _ => None,
        }
    }

    fn is_there(self) -> bool {
        self.program().is_none_or(|program| on_path(program).is_some())
    }

    pub(super) fn found() -> Vec<Self> {
        Self::ALL.into_iter().filter(|peer| peer.is_there()).collect()
    }

    pub(super) fn missing() -> Vec<Self> {
        Self::ALL.into_iter().filter(|peer| !peer.is_there()).collect()
    }

    /// Whether a second run sends only what is new.
    pub(super) fn is_incremental(self) -> bool {
        matches!(self, Self::FhBackup | Self::Restic)
    }

    /// Whether later parts need its backup.
    pub(super) fn is_kept(self) -> bool {
        !matches!(self, Self::Zstd | Self::CopyToNull | Self::FhBackupCounting)
    }
}

/// The server, the folders and the options of one benchmark.
pub(super) struct Scene<'a> {
    postgres: &'a Postgres,
    tool: &'a FhBackup,
    folder: &'a Path,
    jobs: u32,
    recipient: String,
    rows: u64,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        options: &Options,
        postgres: &'a Postgres,
        tool: &'a FhBackup,
        folder: &'a Path,
    ) -> Result<Self> {
        fs_err::write(folder.join("password"), "benchmark\n")?;
        Ok(Self {
            postgres,
            tool,
            folder,
            jobs: options.jobs,
            recipient: tool.generate_key()?,
            rows: options.rows,
        })
    }

    /// What is measured on.
    pub(super) fn about(&self) -> Vec<String> {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let size = self.postgres.psql(
            DATABASE,
            "select pg_size_pretty(pg_database_size(current_database()))",
        );
        let mut about = vec![
            format!(
                "{cores} cores; PostgreSQL {} on the same machine",
                self.postgres.version()
            ),
            format!("finance data set, {} rows, database of {size}", self.rows),
        ];
        about.extend(version("restic", "version"));
        about.extend(version("zstd", "--version"));
        about
    }

    fn place(&self, peer: Peer) -> PathBuf {
        match peer {
            Peer::FhBackup | Peer::FhBackupCounting => self.tool.repository(),
            other => self.folder.join(format!("{other:?}")),
        }
    }

    /// Empties the peer's place.
    pub(super) fn reset(&self, peer: Peer) -> Result<()> {
        let place = self.place(peer);
        for path in [&place, &self.folder.join("repository.key")] {
            if path == &place || peer == Peer::FhBackup {
                remove(path)?;
            }
        }
        match peer {
            Peer::FhBackup => self.tool.init(&self.recipient),
            Peer::Restic => {
                let status = self.restic(&["init", "--quiet"]).status()?;
                ensure!(status.success(), "restic init ended with {status}");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Bytes in the peer's place.
    pub(super) fn stored(&self, peer: Peer) -> Result<u64> {
        size(&self.place(peer))
    }

    /// One backup.
    pub(super) fn backup(&self, peer: Peer) -> Result<Command> {
        let out = self.place(peer);
        let out = out.display();
        let jobs = self.jobs;
        Ok(match peer {
            Peer::FhBackup => {
                let mut command = self.tool.in_repository(&["create", "--jobs", &jobs.to_string()]);
                command.env("DATABASE_URL", self.postgres.url(DATABASE));
                command
            }
            Peer::Gzip => self.shell(&format!("pg_dump {DATABASE} | gzip > '{out}'")),
            Peer::Custom => self.shell(&format!("pg_dump -Fc -f '{out}' {DATABASE}")),
            Peer::Zstd => self.shell(&format!("pg_dump {DATABASE} | zstd -1 -q > '{out}'")),
            Peer::Directory => {
                remove(&self.place(peer))?;
                self.shell(&format!("pg_dump -Fd -Z0 -j {jobs} -f '{out}' {DATABASE}"))
            }
            Peer::Restic => self.shell(&format!(
                "pg_dump {DATABASE} | restic -r '{out}' --password-file '{}' --no-cache backup --quiet --stdin --stdin-filename {STREAM}",
                self.folder.join("password").display()
            )),
            Peer::CopyToNull => self.read_only()?,
            Peer::FhBackupCounting => anyhow::bail!("{} only restores", peer.name()),
        })
    }

    /// Every table, in ranges as we read them, on as many sessions.
    pub(super) fn read_only(&self) -> Result<Command> {
        const STATEMENTS: &str = "
            select format('copy (select * from only %s where ctid >= ''(%s,0)'' and ctid < ''(%s,0)'') to stdout;',
                          c.oid::regclass, block, block + 8192)
            from pg_class c, generate_series(0, greatest(pg_relation_size(c.oid) / 8192 - 1, 0), 8192) block
            where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by pg_relation_size(c.oid) desc, block";
        let statements = self.postgres.psql(DATABASE, STATEMENTS);
        let jobs = usize::try_from(self.jobs)?;
        let mut script = String::new();
        for session in 0..jobs {
            let file = self.folder.join(format!("read-{session}.sql"));
            let lines: Vec<&str> = statements.lines().skip(session).step_by(jobs).collect();
            fs_err::write(&file, lines.join("\n"))?;
            script.push_str(&format!(
                "psql -qX -d {DATABASE} -f '{}' > /dev/null & ",
                file.display()
            ));
        }
        script.push_str("for job in $(jobs -p); do wait $job || exit 1; done");
        Ok(self.shell(&script))
    }

    /// A restore into a new, empty database; none for those that are restored like another one.
    pub(super) fn restore(&self, peer: Peer) -> Result<Option<Command>> {
        let from = self.place(peer);
        let from = from.display();
        let jobs = self.jobs;
        let command = match peer {
            Peer::FhBackup | Peer::FhBackupCounting => {
                let mut command = self.tool.in_repository(&["restore", "--target-url-env", "RESTORE_URL"]);
                command
                    .args(["--jobs", &jobs.to_string(), "latest", "--identity"])
                    .arg(self.tool.identity())
                    .env("RESTORE_URL", self.postgres.url(RESTORED));
                if peer == Peer::FhBackupCounting {
                    command.args(["--proof", "count"]);
                }
                command
            }
            Peer::Gzip => self.shell(&format!("gunzip -c '{from}' | psql -qX -v ON_ERROR_STOP=1 -d {RESTORED}")),
            Peer::Custom => self.shell(&format!("pg_restore -j {jobs} -d {RESTORED} '{from}'")),
            Peer::Directory => self.shell(&format!("pg_restore -j {jobs} -d {RESTORED} '{from}'")),
            Peer::Restic => self.shell(&format!(
                "restic -r '{from}' --password-file '{}' --no-cache dump --quiet latest /{STREAM} | psql -qX -v ON_ERROR_STOP=1 -d {RESTORED}",
                self.folder.join("password").display()
            )),
            Peer::Zstd | Peer::CopyToNull => return Ok(None),
        };
        let _ = self.postgres.psql(
            "postgres",
            &format!("drop database if exists {RESTORED} with (force)"),
        );
        self.postgres.create_database(RESTORED);
        let _ = self.postgres.psql("postgres", "checkpoint");
        Ok(Some(command))
    }

    /// Nobody is fast by leaving rows out.
    pub(super) fn check_restored(&self) -> Result<()> {
        let rows = self.postgres.psql(
            RESTORED,
            "select (select count(*) from ohlcv) + (select count(*) from transactions)",
        );
        let rows: u64 = rows.parse().context("the restored rows cannot be counted")?;
        ensure!(rows > self.rows / 2, "only {rows} rows were restored");
        Ok(())
    }

    /// Changes the data.
    pub(super) fn change(&self, sql: &str) -> Result<()> {
        self.postgres.try_psql(DATABASE, sql).map(drop)
    }

    fn restic(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("restic");
        command
            .arg("-r")
            .arg(self.place(Peer::Restic))
            .arg("--password-file")
            .arg(self.folder.join("password"))
            .arg("--no-cache")
            .args(arguments);
        command
    }

    /// A pipeline, any part of which may fail it.
    fn shell(&self, script: &str) -> Command {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.postgres.bin_dir().to_owned()).chain(std::env::split_paths(&old));
        let mut command = Command::new("bash");
        command
            .args([
                OsStr::new("-c"),
                OsStr::new(&format!("set -o pipefail; {script}")),
            ])
            .env("PATH", std::env::join_paths(folders).unwrap_or(old))
            .env("PGHOST", self.postgres.socket_dir())
            .env("PGPORT", self.postgres.port().to_string())
            .env("PGUSER", self.postgres.superuser());
        command
    }
}

/// The first line that a program says of itself.
fn version(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().next()?.trim_matches(['*', ' ']).to_owned())
}

fn remove(path: &Path) -> Result<()> {
    match fs_err::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(fs_err::remove_dir_all(path)?),
        Ok(_) => Ok(fs_err::remove_file(path)?),
        Err(_) => Ok(()),
    }
}

fn size(path: &Path) -> Result<u64> {
    let Ok(found) = fs_err::symlink_metadata(path) else {
        return Ok(0);
    };
    if !found.is_dir() {
        return Ok(found.len());
    }
    let mut sum = 0;
    for entry in fs_err::read_dir(path)? {
        sum += size(&entry?.path())?;
    }
    Ok(sum)
}

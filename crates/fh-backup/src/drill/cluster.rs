//! A throw-away PostgreSQL server: `initdb` in a private folder, a Unix socket and no port, nothing flushed to disk.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fh_core::render::bytes;
use fh_core::{Context as _, Error, Hint as _, Result, Secret};
use fh_pg::{ConnectionString, Environment, Program, Tools};
use rustix::process::{Pid, Signal, kill_process};

use super::home::{Home, Owner, sweep};

/// How long `initdb` and the start may each take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a server may take to end before it is killed.
const END: Duration = Duration::from_secs(10);
/// An empty cluster and its write-ahead log.
const EMPTY: u64 = 256 << 20;

/// What the server must be like.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where to put its folder; the system's folder for temporary files when not given.
    pub folder: Option<&'a Path>,
    /// Major version of the server that was backed up.
    pub major: u32,
    /// Where the PostgreSQL programs are, when not in the usual places.
    pub bin_dir: Option<&'a Path>,
    /// Bytes of rows, as COPY text, that it will take.
    pub rows: u64,
}

/// A running server. Dropping it ends the server and removes its data.
#[derive(Debug)]
pub struct Cluster {
    child: Option<Child>,
    home: Home,
    /// Version text of its programs.
    pub version: String,
    /// Folders that killed drills had left, and that are gone now.
    pub swept: Vec<PathBuf>,
}

impl Cluster {
    /// Makes and starts a server.
    ///
    /// # Errors
    /// Exit code 3 when PostgreSQL's server is not installed, the disk has too little room, or the server does not
    /// start.
    pub async fn start(wanted: Wanted<'_>) -> Result<Self> {
        let initdb = Tools::find(Program::Initdb, wanted.major, wanted.bin_dir).await?;
        let server = initdb.path.with_file_name("postgres");
        if !server.is_file() {
            return Err(Error::unable(format!("there is no server beside {}", initdb.path.display()))
                .hint("install the whole package of the server, or drill on another server with --server-url-env"));
        }
        let base = wanted.folder.map_or_else(short_temporary_folder, Path::to_owned);
        let swept = sweep(&base);
        check_room(&base, wanted.rows)?;
        let owner = Owner::of_server();
        let mut cluster = Self {
            child: None,
            home: Home::make(&base, owner)?,
            version: initdb.version.to_string(),
            swept,
        };
        let mut init = cluster.command(&initdb.path, owner);
        init.args(["--pgdata=data", "--username=postgres", "--auth=trust"])
            .args(["--encoding=UTF8", "--locale=C", "--no-sync"]);
        cluster.spawn(init, "initdb")?;
        let failed = "initdb could not make a throw-away server";
        let status = cluster.wait(failed, |_| false).await?;
        if !status.is_some_and(|status| status.success()) {
            return Err(cluster.said(failed));
        }
        let postgres = cluster.settings(&server, owner);
        cluster.spawn(postgres, "postgres")?;
        let failed = "the throw-away server did not start";
        // Its eighth line says `ready` once connections are taken (`LOCK_FILE_LINE_PM_STATUS` in PostgreSQL's pidfile.h).
        let ready = |home: &Path| {
            std::fs::read_to_string(home.join("data/postmaster.pid"))
                .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
        };
        match cluster.wait(failed, ready).await? {
            None => Ok(cluster),
            Some(_) => Err(cluster.said(failed)),
        }
    }

    /// The way in, as its superuser.
    ///
    /// # Errors
    /// Exit code 2 when the folder's path cannot be part of a connection string.
    pub fn server(&self) -> Result<ConnectionString> {
        let folder = self.home.path().display().to_string();
        let folder = folder.replace('\\', "\\\\").replace('\'', "\\'");
        let text = format!("host='{folder}' port=5432 user=postgres dbname=postgres");
        ConnectionString::parse(&Secret::new(text), &Environment::empty())
    }

    /// The folder with its data and socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Leaves the server running, and says how to reach and how to end it.
    ///
    /// # Errors
    /// Exit code 3 when its folder cannot be marked as kept.
    pub fn keep(mut self, database: &str) -> Result<String> {
        self.home.keep()?;
        let folder = self.home.path().display();
        Ok(format!(
            "psql -h {folder} -U postgres {database}; to end it: kill -QUIT $(head -n 1 {folder}/data/postmaster.pid) && sleep 1 && rm -rf {folder}"
        ))
    }

    /// A program that knows nothing of our environment.
    fn command(&self, program: &Path, owner: Option<Owner>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.home.path())
            .env_clear()
            .env("LC_ALL", "C")
            .env("PATH", "/usr/bin:/bin");
        if let Some(Owner { uid, gid }) = owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn settings(&self, server: &Path, owner: Option<Owner>) -> Command {
        let mut command = self.command(server, owner);
        command.args(["-D", "data", "-p", "5432"]);
        let socket = format!("unix_socket_directories=\"{}\"", self.home.path().display());
        for setting in [
            "listen_addresses=",
            &socket,
            "unix_socket_permissions=0700",
            // Nothing here outlives the drill.
            "fsync=off",
            "full_page_writes=off",
            "synchronous_commit=off",
            "wal_level=minimal",
            "max_wal_senders=0",
            "max_wal_size=4GB",
            "autovacuum=off",
            "shared_buffers=128MB",
            "maintenance_work_mem=256MB",
            // pg_restore locks everything that it makes.
            "max_locks_per_transaction=1024",
            // Containers have little shared memory.
            "dynamic_shared_memory_type=mmap",
            "timezone=UTC",
        ] {
            command.args(["-c", setting]);
        }
        command
    }

    /// Starts a program in its own process group, so that Ctrl-C reaches us and not the server.
    fn spawn(&mut self, mut command: Command, name: &str) -> Result<()> {
        let failed = || format!("cannot start {name} for the drill");
        let log = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())
            .or_unable(failed)?
            .into_parts()
            .0;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().or_unable(failed)?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .or_unable(failed)
            .hint(|| "its user must be able to run the program and to reach the folder: see backup.drill.folder")?;
        self.home.watch(Some(child.id()));
        self.child = Some(child);
        Ok(())
    }

    /// Waits until the program has ended, and gives its status, or until `ready` says so.
    async fn wait(
        &mut self,
        failed: &str,
        ready: impl Fn(&Path) -> bool,
    ) -> Result<Option<std::process::ExitStatus>> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait().or_unable(|| failed)?
            {
                self.child = None;
                self.home.watch(None);
                return Ok(Some(status));
            }
            if ready(self.home.path()) {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(self.said(&format!("{failed} within {} seconds", PATIENCE.as_secs())))
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("server.log")
    }

    /// An error with the end of the log.
    fn said(&self, message: &str) -> Error {
        let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(10)..].join("\n");
        Error::unable(message)
            .because(std::io::Error::other(end))
            .hint("drill on another server with --server-url-env, or put the folder elsewhere with backup.drill.folder")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.home.is_kept() {
            return;
        }
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // QUIT is an immediate shutdown (PostgreSQL manual, 19.5): nobody needs the data any more.
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let began = Instant::now();
        while matches!(child.try_wait(), Ok(None)) {
            if began.elapsed() > END {
                let _ = child.kill();
                let _ = child.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.home.watch(None);
    }
}

/// The system's folder for temporary files, or `/tmp` when its path is too long for a socket.
fn short_temporary_folder() -> PathBuf {
    let configured = std::env::temp_dir();
    if configured.as_os_str().len() <= 60 {
        configured
    } else {
        PathBuf::from("/tmp")
    }
}

/// Rows take more room in tables than as text, and indexes come on top: twice the text is needed at least.
fn check_room(folder: &Path, rows: u64) -> Result<()> {
    let room = rustix::fs::statvfs(folder)
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
        .or_unable(|| format!("cannot see how much room there is in {}", folder.display()))
        .hint(|| "choose another place with backup.drill.folder")?;
    let needed = rows.saturating_mul(2).saturating_add(EMPTY);
    if room >= needed {
        return Ok(());
    }
    Err(Error::unable(format!(
        "a throw-away server needs about {} in {}, and {} are free",
        bytes(needed),
        folder.display(),
        bytes(room)
    ))
    .hint("make room, choose another place with backup.drill.folder, or drill on another server with --server-url-env"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_room(folder.path(), 0).is_ok());
        let error = check_room(folder.path(), u64::MAX / 4).unwrap_err();
        assert_eq!(error.exit(), fh_core::Exit::Unable);
        assert!(
            error.render().contains("backup.drill.folder"),
            "{}",
            error.render()
        );
    }
}

//! A hot standby of a cluster, by `pg_basebackup` and streaming replication.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rustix::process::Signal;

use super::{Postgres, client};
use crate::host;
use crate::process::{Daemon, Workdir};

/// How long replay may take to catch up.
const PATIENCE: Duration = Duration::from_secs(60);

impl Postgres {
    /// A standby that follows this cluster and can be read, with these further lines of postgresql.conf.
    ///
    /// # Panics
    /// When it cannot be copied or does not start.
    #[must_use]
    pub fn standby(&self, settings: &[(&str, &str)]) -> Self {
        self.try_standby(settings)
            .unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn try_standby(&self, settings: &[(&str, &str)]) -> Result<Self> {
        let workdir = Workdir::new("PostgreSQL", "fh-pg-", "QUIT", host::server_user())?;
        let data = workdir.path().join("data");
        let copied = client::clean(Command::new(self.bin_dir().join("pg_basebackup")), workdir.path())
            .args([
                "--write-recovery-conf",
                "--wal-method=stream",
                "--checkpoint=fast",
                "--no-sync",
            ])
            .arg("--dbname")
            .arg(self.url("postgres"))
            .arg("--pgdata")
            .arg(&data)
            .output()?;
        ensure!(
            copied.status.success(),
            "pg_basebackup failed ({}):\n{}",
            copied.status,
            String::from_utf8_lossy(&copied.stderr)
        );
        // Later lines win.
        let path = data.join("postgresql.conf");
        let mut conf = fs_err::read_to_string(&path)?;
        let _ = writeln!(conf, "unix_socket_directories = '{}'", workdir.path().display());
        for (key, value) in settings {
            let _ = writeln!(conf, "{key} = '{}'", value.replace('\'', "''"));
        }
        fs_err::write(&path, conf)?;
        let mut standby = Self {
            daemon: Daemon::new(workdir, Signal::QUIT),
            installation: self.installation.clone(),
            port: self.port,
            tcp: false,
            tls: None,
            password: None,
        };
        standby.first_start()?;
        Ok(standby)
    }

    /// Waits until this standby has replayed everything that `primary` has written so far.
    ///
    /// # Panics
    /// When it does not catch up.
    pub fn wait_for(&self, primary: &Self) {
        let position = primary.psql("postgres", "select pg_current_wal_flush_lsn()");
        let question = format!("select pg_last_wal_replay_lsn() >= '{position}'");
        let began = Instant::now();
        let caught_up = || -> Result<()> {
            while self.try_psql("postgres", &question)? != "t" {
                if began.elapsed() > PATIENCE {
                    bail!("the standby did not replay up to {position}:\n{}", self.log());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        };
        caught_up().unwrap_or_else(|error| panic!("{error:#}"));
    }
}

//! A throw-away Redis on a free loopback port.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use crate::host;
use crate::postgres::clean_command;
use crate::process::{Daemon, Workdir};
use crate::service::Missing;

/// Tries for a port when another process took the free one before the server could.
const PORT_TRIES: u32 = 5;

/// A running Redis server that keeps nothing and ends with this value.
#[derive(Debug)]
pub struct Redis {
    daemon: Daemon,
    program: PathBuf,
    port: u16,
    password: Option<String>,
    /// Further lines of its configuration.
    settings: Vec<(String, String)>,
}

impl Redis {
    /// A server without a password.
    ///
    /// # Panics
    /// When it does not start, also when Redis is not installed. Tests prefer `require!(Redis::try_start())`.
    #[expect(
        clippy::must_use_candidate,
        reason = "a server may be started only to see that it starts"
    )]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// A server without a password; for [`require!`](crate::require).
    ///
    /// # Errors
    /// [`Missing`] when Redis is not installed, else why it did not start.
    pub fn try_start() -> Result<Self> {
        Self::launch_new(None, &[])
    }

    /// A server without a password, with these further lines of redis.conf.
    ///
    /// # Errors
    /// [`Missing`] when Redis is not installed, else why it did not start.
    pub fn try_start_with(settings: &[(&str, &str)]) -> Result<Self> {
        Self::launch_new(None, settings)
    }

    /// A replica of this server, which must have no password. Whether it has caught up, its `INFO replication` says.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn replica(&self) -> Self {
        let primary = format!("127.0.0.1 {}", self.port);
        // Without this the first copy waits five seconds for more replicas to come.
        self.command("CONFIG SET repl-diskless-sync-delay 0")
            .and_then(|_| Self::launch_new(None, &[("replicaof", &primary)]))
            .unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// A server that wants this password of its default user.
    ///
    /// # Errors
    /// [`Missing`] when Redis is not installed, else why it did not start.
    pub fn try_start_with_password(password: &str) -> Result<Self> {
        Self::launch_new(Some(password.to_owned()), &[])
    }

    /// `redis://127.0.0.1:40123/0`, with `:password@` when there is one (which must need no percent-encoding).
    #[must_use]
    pub fn url(&self) -> String {
        let user = self
            .password
            .as_deref()
            .map_or_else(String::new, |password| format!(":{password}@"));
        format!("redis://{user}127.0.0.1:{}/0", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Sends one command (its words separated by single spaces) and gives the first line of the answer, such as `+PONG` or `:1`.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn command(&self, command: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let login = self
            .password
            .as_deref()
            .map_or_else(String::new, |password| format!("AUTH {password}\r\n"));
        write!(stream, "{login}{command}\r\n")?;
        let mut lines = BufReader::new(stream).lines();
        if !login.is_empty() {
            let answer = lines.next().context("Redis closed the connection")??;
            anyhow::ensure!(answer == "+OK", "Redis rejects the password: {answer}");
        }
        Ok(lines.next().context("Redis closed the connection")??)
    }

    /// Kills the server (`kill -9`). [`Redis::restart`] starts an empty one on the same port.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill9(&mut self) {
        self.daemon
            .end(Signal::KILL, Duration::from_secs(10))
            .unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Starts the server again on the same port, without its data.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn restart(&mut self) {
        let result = self
            .daemon
            .end(Signal::TERM, Duration::from_secs(10))
            .and_then(|()| self.launch());
        result.unwrap_or_else(|error| panic!("{error:#}"));
    }

    fn launch_new(password: Option<String>, settings: &[(&str, &str)]) -> Result<Self> {
        let lines = settings.iter();
        let settings = lines.map(|(key, value)| (key.to_string(), value.to_string()));
        let program = find()?;
        let workdir = Workdir::new("Redis", "fh-redis-", "KILL", host::server_user())?;
        let mut redis = Self {
            daemon: Daemon::new(workdir, Signal::KILL),
            program,
            port: 0,
            password,
            settings: settings.collect(),
        };
        for attempt in 1.. {
            redis.port = host::free_port()?;
            match redis.launch() {
                Err(error)
                    if attempt < PORT_TRIES && format!("{error:#}").contains("Address already in use") => {}
                result => return result.map(|()| redis),
            }
        }
        bail!("no free port for Redis")
    }

    fn launch(&mut self) -> Result<()> {
        let mut command = clean_command(Command::new(&self.program), self.daemon.workdir.path());
        // The configuration comes by file, so that the password is not on the command line.
        let conf = self.daemon.workdir.path().join("redis.conf");
        let password = self
            .password
            .as_deref()
            .map_or_else(String::new, |word| format!("requirepass {word}\n"));
        let more = self.settings.iter();
        let more: String = more.map(|(key, value)| format!("{key} {value}\n")).collect();
        let port = self.port;
        fs_err::write(
            &conf,
            format!("bind 127.0.0.1\nport {port}\nsave \"\"\nappendonly no\n{password}{more}"),
        )?;
        if let Some((uid, gid)) = host::server_user() {
            std::os::unix::fs::chown(&conf, Some(uid), Some(gid))?;
        }
        command.arg(&conf);
        self.daemon.spawn(command)?;
        let probe = ProbeOf {
            port,
            password: self.password.clone(),
        };
        self.daemon
            .wait_until(|| probe.answers())
            .context("Redis did not start")
    }
}

/// What [`Daemon::wait_until`] asks while it holds the server.
struct ProbeOf {
    port: u16,
    password: Option<String>,
}

impl ProbeOf {
    fn answers(&self) -> bool {
        let ask = || -> Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"PING\r\n")?;
            Ok(BufReader::new(stream).lines().next().context("closed")??)
        };
        let expected = if self.password.is_some() {
            "-NOAUTH"
        } else {
            "+PONG"
        };
        ask().is_ok_and(|answer| answer.starts_with(expected))
    }
}

fn find() -> Result<PathBuf> {
    host::program("FH_REDIS_SERVER", &[], "redis-server").ok_or_else(|| {
        let remedy =
            "Looked at FH_REDIS_SERVER, or without it in PATH for redis-server. Run `cargo xtask setup`, or \
                      `apt-get install redis-server`, or `brew install redis`."
                .to_owned();
        Missing {
            service: "Redis",
            remedy,
        }
        .into()
    })
}

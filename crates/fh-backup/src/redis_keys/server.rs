//! A connection to Redis, with errors that name the server and never the password.

use std::time::Duration;

use fh_core::{Deadline, Error, Result, Secret};
use redis::{
    Client, Connection, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _, Pipeline, RedisError,
};

use super::info::Info;

/// How long one answer may take: a value of a gigabyte over a slow line.
const ANSWER: Duration = Duration::from_secs(120);

/// Where and how to connect.
#[derive(Debug, Clone)]
pub struct Target {
    client: Client,
    place: String,
    connect_timeout: Duration,
    deadline: Deadline,
}

impl Target {
    /// Reads a URL: `redis://`, `rediss://` for TLS, or `redis+unix://`.
    ///
    /// # Errors
    /// Exit code 2 when it is none.
    pub fn parse(url: &Secret, connect_timeout: Duration, deadline: Deadline) -> Result<Self> {
        let wrong = || {
            Error::usage("the Redis URL is not understood")
                .hint("write redis://[USER:PASSWORD@]HOST[:PORT], or rediss://… for TLS")
        };
        // What the library says about a wrong URL may quote it.
        let info = url.expose().into_connection_info().map_err(|_| wrong())?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                format!("{host}:{port}")
            }
            ConnectionAddr::Unix(path) => path.display().to_string(),
            _ => return Err(wrong()),
        };
        // From now on it is removed from every message.
        let _register = info.redis_settings().password().map(Secret::new);
        let info = info
            .clone()
            .set_redis_settings(info.redis_settings().clone().set_skip_set_lib_name());
        Ok(Self {
            client: Client::open(info).map_err(|_| wrong())?,
            place,
            connect_timeout,
            deadline,
        })
    }

    /// Host and port, for reports.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Connects. Blocks; call it on a thread of its own.
    ///
    /// # Errors
    /// Exit code 3 when the server cannot be reached or rejects the password.
    pub(super) fn connect(&self) -> Result<Server> {
        let place = &self.place;
        let what = format!("cannot connect to Redis at {place}");
        let timeout = self.deadline.bound(self.connect_timeout, &what)?;
        let connection = self
            .client
            .get_connection_with_timeout(timeout)
            .map_err(|error| {
                let hint = if error.kind() == redis::ErrorKind::AuthenticationFailed {
                    "check user and password in the Redis URL (REDIS_URL)"
                } else {
                    "is the server running, does it listen there, and does it want TLS (rediss://)?"
                };
                Error::unable(&what).because(error).hint(hint)
            })?;
        let server = Server {
            connection,
            place: place.clone(),
        };
        for set in [
            server.connection.set_read_timeout(Some(ANSWER)),
            server.connection.set_write_timeout(Some(ANSWER)),
        ] {
            set.map_err(|error| server.failed("cannot be used", error))?;
        }
        Ok(server)
    }
}

/// A connected server.
pub(super) struct Server {
    connection: Connection,
    place: String,
}

impl Server {
    /// Sends one command.
    pub(super) fn ask<T: FromRedisValue>(&mut self, what: &str, words: &[&str]) -> Result<T> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let answer = command.query(&mut self.connection);
        answer.map_err(|error| self.failed(what, error))
    }

    /// Sends several commands at once.
    pub(super) fn send<T: FromRedisValue>(&mut self, what: &str, pipeline: &Pipeline) -> Result<T> {
        let answer = pipeline.query(&mut self.connection);
        answer.map_err(|error| self.failed(what, error))
    }

    /// What the server says about itself.
    ///
    /// # Errors
    /// Exit code 3 when it cannot be asked, or is one node of a cluster: the keys of the others would be missing.
    pub(super) fn info(&mut self) -> Result<Info> {
        let mut text: String = self.ask("does not tell its version", &["INFO", "server"])?;
        text.push('\n');
        text.push_str(&self.ask::<String>("does not list its databases", &["INFO", "keyspace"])?);
        let info = Info::parse(&text);
        if info.cluster {
            return Err(Error::unable(format!("Redis at {} is one node of a cluster", self.place))
                .hint("a part of the keys is no backup; on ElastiCache set backup.redis.elasticache to the replication group"));
        }
        Ok(info)
    }

    /// Changes to a database.
    pub(super) fn select(&mut self, database: u32) -> Result<()> {
        let what = format!("has no database {database}");
        self.ask(&what, &["SELECT", &database.to_string()])
    }

    pub(super) fn failed(&self, what: &str, error: RedisError) -> Error {
        let hint = match error.code() {
            Some("NOPERM") => "the Redis user may not run this command: allow it with ACL SETUSER",
            Some("LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN") => "the server is busy just now: try again",
            _ if error.is_io_error() => {
                "does the server want TLS (rediss://)? its certificate must be of an authority of this host, or of SSL_CERT_FILE"
            }
            _ => "look into the server's log",
        };
        Error::unable(format!("Redis at {} {what}", self.place))
            .because(error)
            .hint(hint)
    }
}

//! Connecting and asking, with errors that name the server and never the password.

use std::time::{Duration, Instant};

use fh_core::config::HealthRedis;
use fh_core::{Check, Error, Exit, Secret};
use redis::{Client, Cmd, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo as _, RedisError, Value};

use super::facts::Facts;
use crate::probe::Context;

/// What the server answered.
pub(super) struct Answers {
    /// How long `PING` took.
    pub(super) ping: Duration,
    pub(super) facts: Facts,
    pub(super) slow: Result<Slow, Error>,
}

/// The log of slow commands. The commands themselves are not kept: they have data in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slow {
    /// Entries that are kept.
    pub(super) length: u64,
    /// Number of the newest entry, counted from the server's start; `None` when there is none.
    pub(super) newest: Option<u64>,
}

/// Why there is no answer.
pub(super) struct Refused {
    error: Error,
    /// The server is at fault, and not what we were given.
    server: bool,
}

impl Refused {
    pub(super) fn check(&self, id: String) -> Check {
        let mut check = Check::from_error(id, &self.error);
        if self.server {
            check.status = fh_core::Status::Fail;
        }
        check
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, server: false }
    }
}

/// Connects and asks everything.
pub(super) fn ask(entry: &HealthRedis, context: &Context) -> Result<Answers, Refused> {
    let (client, place) = client(entry, context)?;
    let what = format!("asking Redis at {place}");
    let mut connection = client
        .get_connection_with_timeout(context.timeout(entry.timeout, &what)?)
        .map_err(|error| failed(&place, "cannot be reached", error))?;
    let mut send = |command: &Cmd, what: &str| -> Result<Value, Refused> {
        let left = context.timeout(entry.timeout, what)?;
        bound(&mut connection, left).map_err(|error| failed(&place, "cannot be used", error))?;
        command
            .query(&mut connection)
            .map_err(|error| failed(&place, what, error))
    };
    let began = Instant::now();
    send(&redis::cmd("PING"), "does not answer a ping")?;
    let ping = began.elapsed();
    let info = send(&redis::cmd("INFO"), "does not answer INFO")?;
    let info: String = redis::from_redis_value(info)
        .map_err(|error| failed(&place, "gives no text for INFO", error.into()))?;
    let facts = Facts::parse(&info);
    if facts.text("redis_version").is_none() {
        let none = Error::unable(format!(
            "what answers at {place} is no Redis: INFO has no version"
        ));
        return Err(none.hint("check host and port of the URL").into());
    }
    let length = send(
        redis::cmd("SLOWLOG").arg("LEN"),
        "does not tell the length of its slow log",
    );
    let newest = send(
        redis::cmd("SLOWLOG").arg("GET").arg(1),
        "does not give its slow log",
    );
    let slow = match (length, newest) {
        (Ok(length), Ok(newest)) => Ok(Slow {
            length: redis::from_redis_value(length).unwrap_or_default(),
            newest: first_number(&newest),
        }),
        (Err(refused), _) | (_, Err(refused)) => Err(refused.error),
    };
    Ok(Answers { ping, facts, slow })
}

/// The number of the first entry: entries are lists that begin with it.
fn first_number(answer: &Value) -> Option<u64> {
    let Value::Array(entries) = answer else {
        return None;
    };
    let Value::Array(fields) = entries.first()? else {
        return None;
    };
    match fields.first()? {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn bound(connection: &mut Connection, left: Duration) -> Result<(), RedisError> {
    connection.set_read_timeout(Some(left))?;
    connection.set_write_timeout(Some(left))
}

fn client(entry: &HealthRedis, context: &Context) -> Result<(Client, String), Error> {
    let source = entry.url.as_ref().or(context.config.redis.url.as_ref());
    let source = source
        .ok_or_else(|| Error::usage("no Redis is configured").hint("set REDIS_URL, or url of the entry"))?;
    let url = context.secret(source, "the Redis URL")?;
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
    Ok((Client::open(info).map_err(|_| wrong())?, place))
}

fn failed(place: &str, what: &str, error: RedisError) -> Refused {
    let ours = error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOPERM" | "NOAUTH" | "WRONGPASS"));
    let hint = match error.code() {
        _ if error.kind() == ErrorKind::AuthenticationFailed => "check user and password in the Redis URL",
        Some("NOPERM") => "allow this command: ACL SETUSER NAME +ping +info +slowlog|len +slowlog|get",
        Some("NOAUTH" | "WRONGPASS") => "check user and password in the Redis URL",
        Some("LOADING") => "the server still reads its data from disk",
        _ => {
            "is the server running, does it listen there, does it want TLS (rediss://), and has it connections left?"
        }
    };
    Refused {
        error: Error::new(Exit::Unable, format!("Redis at {place} {what}"))
            .because(error)
            .hint(hint),
        server: !ours,
    }
}

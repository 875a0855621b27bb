//! Real services for tests, one call each: a throw-away PostgreSQL cluster, Redis, an S3 server, an AWS emulator, a TCP
//! proxy that injures connections, a `kill -9` runner, TLS certificates, a recording web server and demo data.
//!
//! Everything binds to the loopback address or a private unix socket, on a free port, and ends with the test: by `Drop`,
//! and by a watchdog process when the test itself was killed. A failed test keeps its data and log and prints the path.
//!
//! Development only: no tool may depend on this crate, and this crate depends on no tool.
//!
//! ```no_run
//! use fh_testkit::{Postgres, require};
//!
//! // In a test: skips aloud when PostgreSQL is not installed, fails when `FH_TEST_REQUIRE` is set.
//! let pg = require!(Postgres::try_start());
//! pg.create_database("shop");
//! pg.psql("shop", "create table t (id int); insert into t values (1)");
//! assert_eq!(pg.psql("shop", "select count(*) from t"), "1");
//! ```

#![expect(clippy::panic, reason = "test support fails a test by panicking")]

pub mod aws;
pub mod bench;
pub mod bench_checks;
pub mod certs;
pub mod demo;
mod fh_backup;
pub mod finance;
mod host;
pub mod http;
pub mod kill;
mod moto;
pub mod openssl;
mod parsers;
pub mod postgres;
mod process;
pub mod proxy;
pub mod raw;
mod redis;
mod runtime;
mod s3;
mod service;
pub mod sql;
pub mod webhook;

pub use moto::Moto;
pub use openssl::OpenSsl;
pub use parsers::Parsers;
pub use postgres::{Builder as PostgresBuilder, Postgres};
pub use redis::Redis;
pub use s3::{S3, S3Call, S3Fault, S3Refusal, S3Request};
pub use service::{Missing, start_or_skip};

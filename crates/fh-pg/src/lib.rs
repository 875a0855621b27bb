//! A PostgreSQL connection done right.
//!
//! [`ConnectionString::parse`] reads what people really write (URLs and keywords, `PG…` variables, `.pgpass`) as libpq
//! does. [`connect`] opens a session with the TLS that `sslmode` asks for, never less without saying so, and with errors
//! that name server, role and database but never the password. [`Tools::find`] finds the `pg_dump` that fits the server,
//! and [`child_environment`] lets it reach the same server without a secret in its arguments or environment.
//!
//! ```no_run
//! use fh_core::Secret;
//! use fh_pg::{ConnectOptions, ConnectionString, Environment, Program, Tools, connect, query_error};
//!
//! # async fn example() -> fh_core::Result<()> {
//! let url = Secret::new("postgresql://app@db.example.com/shop?sslmode=verify-full");
//! let target = ConnectionString::parse(&url, &Environment::from_process())?;
//! let connection = connect(&target, &ConnectOptions::default()).await?;
//! let row = connection
//!     .query_one("SELECT count(*) FROM public.orders", &[])
//!     .await
//!     .map_err(|error| query_error("cannot count the orders", error))?;
//! let count: i64 = row.get(0);
//! let pg_dump = Tools::find(Program::PgDump, connection.server.major(), None).await?;
//! # Ok(())
//! # }
//! ```

mod child;
mod connect;
mod connection;
mod environment;
mod error;
mod parse;
mod passfile;
mod password;
mod quote;
mod session;
mod target;
mod tls;
mod tools;
mod version;

pub use child::{ChildEnvironment, child_environment};
pub use connect::{ConnectOptions, connect};
pub use connection::{CancelToken, Connection};
pub use environment::Environment;
pub use error::{describe, query_error, recovery_conflict};
pub use password::PasswordSource;
pub use quote::{qualified, quote_ident, quote_literal};
pub use session::pin_session;
pub use target::{ConnectionString, Place, RootCert, Server, SessionAttrs, SslMode};
pub use tls::{Proven, RootExpiry, TlsState, rds_roots, rds_roots_expiry};
pub use tools::{Program, Tool, ToolVersion, Tools};
pub use version::ServerVersion;

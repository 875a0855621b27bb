//! Logical PostgreSQL backups that prove themselves.
//!
//! `create` opens one snapshot, takes the definitions from `pg_dump` and the rows by `COPY` on several connections,
//! counts and hashes every row on the way, and commits a set to a [repository](fh_repository). `restore` hands the
//! definitions to `pg_restore`, loads the rows, reads them back, and is only content when every table gives the same
//! count and hash. The data types come first: [`body`] is what a set says, [`proof`] what makes it checkable.
//!
//! ```
//! use fh_backup::proof::Proof;
//!
//! let there = Proof::of_lines(b"1\tone\n2\ttwo\n").unwrap();
//! let elsewhere = Proof::of_lines(b"2\ttwo\n1\tone\n").unwrap();
//! assert_eq!(there, elsewhere, "the order of rows does not matter");
//! assert_ne!(there, Proof::of_lines(b"1\tone\n").unwrap());
//! ```

pub mod archive;
pub mod body;
pub mod cli;
pub mod command;
pub mod config_files;
pub mod context;
pub mod drill;
pub mod evidence;
pub mod export;
pub mod files;
pub mod globals;
pub mod hooks;
pub mod keep;
pub mod leaving;
pub mod memory;
pub mod notify;
pub mod proof;
pub mod redis_keys;
pub mod restore;
pub mod source;
pub mod workers;

pub use cli::Cli;

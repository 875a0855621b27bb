//! Exchanges and certificates with real sockets, and the compliance cases of JSONPath. One program, because linking takes
//! longer than running.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod exchange;
mod jsonpath;
mod tls;

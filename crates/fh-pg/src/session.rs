//! Settings that decide how the server writes values.

use std::time::Duration;

use fh_core::Result;
use tokio_postgres::Client;

use crate::error::query_error;

/// What `pg_dump` sets in its own session, with the time zone and `bytea` besides: the same row must give the same text
/// on every server, for every role.
const PINNED: &str = "
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';
SET extra_float_digits = 3;
SET bytea_output = 'hex';
SET xmloption = 'content';
SET synchronize_seqscans = off;
SET row_security = off;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
 WHERE name IN ('idle_session_timeout', 'transaction_timeout');
SELECT pg_catalog.set_config('search_path', '', false);";

/// Pins everything that changes how values are written, switches the server's time limits off, and lets locks wait for
/// `lock_timeout` (zero: for ever).
///
/// `row_security` is off, so that reading a table with policies that apply to the role fails instead of giving some
/// of its rows. The search path is empty: name every object with its schema.
///
/// # Errors
/// Exit code 3 when the server refuses a setting or is gone.
pub async fn pin_session(client: &Client, lock_timeout: Duration) -> Result<()> {
    // The server counts in 32-bit milliseconds; less than one would mean "no limit".
    let millis = match lock_timeout.as_millis() {
        0 if lock_timeout.is_zero() => 0,
        millis => millis.clamp(1, i32::MAX as u128),
    };
    client
        .batch_execute(&format!("{PINNED}\nSET lock_timeout = {millis};"))
        .await
        .map_err(|error| query_error("cannot set up the session", error))
}

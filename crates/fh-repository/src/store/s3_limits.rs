//! How long a call to S3 may take.

use std::time::Duration;

use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use fh_core::{Deadline, Result};

/// A call that moves next to nothing, with all its attempts.
const OPERATION: Duration = Duration::from_secs(600);
/// One attempt of it.
const ATTEMPT: Duration = Duration::from_secs(60);
/// Ending an upload, with all attempts: an operator may be waiting for the program to stop.
const ABORT: Duration = Duration::from_secs(5);
/// What is moved may go this slowly, in bytes a second: a bad line, but not a dead one.
const SLOWEST: u64 = 128 << 10;
/// A download may stand still for this long.
const STALL: Duration = Duration::from_secs(30);

/// The time that one attempt with a body of `bytes` may take.
pub(super) fn attempt(bytes: u64) -> Duration {
    ATTEMPT + Duration::from_secs(bytes / SLOWEST)
}

/// The settings of one call with a body of `bytes`: it gets the time it may need, and never more than is left of the
/// run.
pub(super) fn of_call(deadline: Deadline, bytes: u64, what: &str) -> Result<Builder> {
    let operation = deadline.bound(OPERATION.max(attempt(bytes) * 3), what)?;
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(operation)
        .operation_attempt_timeout(attempt(bytes).min(operation))
        .build();
    Ok(Builder::new().timeout_config(timeouts))
}

/// The settings of a call that ends an upload. It is made when the run's own time may be over already.
pub(super) fn of_abort() -> Builder {
    let timeouts = TimeoutConfig::builder().operation_timeout(ABORT).build();
    Builder::new().timeout_config(timeouts)
}

/// Downloads must keep moving. Uploads stall for good reasons, such as throttled links; there the attempt's own time-out
/// is the limit (awslabs/aws-sdk-rust#1146).
pub(super) fn stalls() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .download_enabled(true)
        .grace_period(STALL)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_gets_more_time() {
        assert_eq!(attempt(0), Duration::from_mins(1));
        assert_eq!(attempt(64 << 20), Duration::from_secs(60 + 512));
    }
}

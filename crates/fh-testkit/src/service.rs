//! What happens when a service is not installed: the same for every service of this crate.

use std::fmt;

use crate::host;

/// A service that this machine does not have, with everything one can do about it.
#[derive(Debug)]
pub struct Missing {
    /// Name of the service, for example `PostgreSQL`.
    pub service: &'static str,
    /// Where it was looked for and how to get it.
    pub remedy: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was not found. {}", self.service, self.remedy)
    }
}

impl std::error::Error for Missing {}

/// True when a missing service must fail the test: `FH_TEST_REQUIRE` is set to anything but an empty string.
/// `cargo xtask ci` sets it to `all`.
fn services_are_required() -> bool {
    std::env::var_os("FH_TEST_REQUIRE").is_some_and(|value| !value.is_empty())
}

/// The started service, or `None` when it is not installed and nothing demands it; then the reason has been printed.
/// Tests use it through [`require!`](crate::require).
///
/// # Panics
/// When the service is installed but did not start, and when it is missing while `FH_TEST_REQUIRE` is set.
pub fn start_or_skip<T>(started: anyhow::Result<T>) -> Option<T> {
    match started {
        Ok(service) => Some(service),
        Err(error) => match error.downcast_ref::<Missing>() {
            Some(missing) if !services_are_required() => {
                host::say(&format!("SKIPPED: {missing}"));
                None
            }
            Some(missing) => panic!("{missing} (FH_TEST_REQUIRE is set, so this test may not be skipped)"),
            None => panic!("{error:?}"),
        },
    }
}

/// Unwraps a `try_start()` in a test: gives the service, prints `SKIPPED: …` and returns from the test when it is not
/// installed, or panics when `FH_TEST_REQUIRE` is set or the service is there but does not start.
///
/// A test function that returns something names it: `require!(Postgres::try_start(), or Ok(()))`.
#[macro_export]
macro_rules! require {
    ($started:expr) => {
        match $crate::start_or_skip($started) {
            Some(service) => service,
            None => return,
        }
    };
    ($started:expr, or $value:expr) => {
        match $crate::start_or_skip($started) {
            Some(service) => service,
            None => return $value,
        }
    };
}

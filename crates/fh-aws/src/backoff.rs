//! Pauses between attempts.

use std::time::Duration;

use fh_core::{Error, Result};

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// The pause after attempt number `attempt` (from 0): anything between nothing and a ceiling that doubles each time.
/// This is "full jitter" (AWS Architecture Blog, "Exponential Backoff And Jitter"): clients that failed together do not
/// come back together.
///
/// # Errors
/// Exit code 3 when the operating system has no randomness to give.
pub(crate) fn pause(attempt: u32) -> Result<Duration> {
    let random = getrandom::u32()
        .map_err(|error| Error::unable("the operating system gave no random bytes").because(error))?;
    Ok(ceiling(attempt).mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

fn ceiling(attempt: u32) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_and_stays_bounded() {
        let ceilings: Vec<u128> = (0..7).map(|attempt| ceiling(attempt).as_millis()).collect();
        assert_eq!(ceilings, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(ceiling(u32::MAX), LONGEST);
    }

    #[test]
    fn pauses_differ_and_keep_below_the_ceiling() {
        let pauses: Vec<Duration> = (0..20).map(|_| pause(3).unwrap()).collect();
        assert!(pauses.iter().all(|pause| *pause <= ceiling(3)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    }
}

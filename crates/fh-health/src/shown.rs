//! Values as people read them.

use std::time::Duration;

use fh_core::render;
use fh_core::report::Unit;

use crate::limits::{Limits, Worse};

/// A value in its unit.
#[must_use]
pub fn value(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    match unit {
        Unit::Seconds => match Duration::try_from_secs_f64(value) {
            Ok(time) => render::duration(time),
            Err(_) => format!("{value:.0} s"),
        },
        Unit::Bytes => bytes(value),
        Unit::Count | Unit::Ratio => number(value),
        Unit::Percent => format!("{} %", number(value)),
        Unit::BytesPerSecond => format!("{}/s", bytes(value)),
        Unit::PerSecond => format!("{}/s", number(value)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shown with three digits at most"
)]
fn bytes(value: f64) -> String {
    if value < 0.0 {
        format!("-{}", render::bytes(-value as u64))
    } else {
        render::bytes(value as u64)
    }
}

/// At most two digits behind the point.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A threshold with its direction: `≥ 80 %`.
#[must_use]
pub fn threshold(limits: &Limits, threshold: Option<f64>) -> String {
    let sign = match limits.worse {
        Worse::Above => '≥',
        Worse::Below => '≤',
    };
    threshold.map_or_else(String::new, |at| format!("{sign} {}", value(at, limits.unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_units() {
        let limits = Limits::below(Unit::Percent, 100.0 / 3.0, 10.0);
        assert_eq!(threshold(&limits, limits.warn), "≤ 33.33 %");
        assert_eq!(threshold(&limits, None), "");
        assert_eq!(value(f64::NAN, Unit::Bytes), "-");
        assert_eq!(value(5.0, Unit::PerSecond), "5/s");
    }
}

//! From where on a value is a warning, and from where on it is bad.

use fh_core::report::{Measure, Status, Unit};

/// In which direction a value gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// The larger the worse: connections used.
    Above,
    /// The smaller the worse: what is left.
    Below,
}

/// Thresholds of one value, in its base unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// What the value counts.
    pub unit: Unit,
    /// In which direction it gets worse.
    pub worse: Worse,
    /// From where on the check warns; `None` for never.
    pub warn: Option<f64>,
    /// From where on the check fails; `None` for never.
    pub crit: Option<f64>,
}

impl Limits {
    /// The larger the worse.
    #[must_use]
    pub const fn above(unit: Unit, warn: f64, crit: f64) -> Self {
        Self {
            unit,
            worse: Worse::Above,
            warn: Some(warn),
            crit: Some(crit),
        }
    }

    /// The smaller the worse.
    #[must_use]
    pub const fn below(unit: Unit, warn: f64, crit: f64) -> Self {
        Self {
            unit,
            worse: Worse::Below,
            warn: Some(warn),
            crit: Some(crit),
        }
    }

    /// Only a warning, never a failure, unless the configuration sets one.
    #[must_use]
    pub const fn only_warn(mut self) -> Self {
        self.crit = None;
        self
    }

    /// No threshold unless the configuration sets one.
    #[must_use]
    pub const fn open(unit: Unit, worse: Worse) -> Self {
        Self {
            unit,
            worse,
            warn: None,
            crit: None,
        }
    }

    /// Whether there is any threshold.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.warn.is_none() && self.crit.is_none()
    }

    /// What a value means. A value that could not be computed is unknown, also without thresholds.
    #[must_use]
    pub fn judge(&self, value: f64) -> Status {
        if value.is_nan() {
            return Status::Unknown;
        }
        let reached = |limit: Option<f64>| {
            limit.is_some_and(|limit| match self.worse {
                Worse::Above => value >= limit,
                Worse::Below => value <= limit,
            })
        };
        if reached(self.crit) {
            Status::Fail
        } else if reached(self.warn) {
            Status::Warn
        } else {
            Status::Pass
        }
    }

    /// The measure with these thresholds.
    #[must_use]
    pub fn on(&self, measure: Measure) -> Measure {
        Measure {
            warn: self.warn,
            critical: self.crit,
            ..measure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_the_first_bad_value() {
        let above = Limits::above(Unit::Percent, 80.0, 95.0);
        let below = Limits::below(Unit::Percent, 30.0, 10.0);
        for (limits, value, status) in [
            (above, 79.9, Status::Pass),
            (above, 80.0, Status::Warn),
            (above, 95.0, Status::Fail),
            (above, f64::INFINITY, Status::Fail),
            (below, 30.1, Status::Pass),
            (below, 30.0, Status::Warn),
            (below, 10.0, Status::Fail),
            (above, f64::NAN, Status::Unknown),
            (above.only_warn(), 100.0, Status::Warn),
            (Limits::open(Unit::Count, Worse::Above), 1e9, Status::Pass),
            (Limits::open(Unit::Count, Worse::Above), f64::NAN, Status::Unknown),
        ] {
            assert_eq!(limits.judge(value), status, "{limits:?} {value}");
        }
    }
}

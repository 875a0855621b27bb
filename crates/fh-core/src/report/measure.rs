//! Measured values with their units and thresholds.

use std::time::Duration;

use serde::Serialize;

/// What a value counts. Values are always in the base unit, so that machine formats need no conversion table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds, with fractions.
    Seconds,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// 0 to 100, and beyond where that makes sense.
    Percent,
    /// 0 to 1, and beyond where that makes sense.
    Ratio,
    /// Bytes in one second.
    BytesPerSecond,
    /// Things in one second.
    PerSecond,
}

impl Unit {
    /// The word in machine formats, equal to the serialized form.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::Percent => "percent",
            Self::Ratio => "ratio",
            Self::BytesPerSecond => "bytes_per_second",
            Self::PerSecond => "per_second",
        }
    }
}

/// One measured value of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// What was measured, as `lower_snake_case`: it becomes part of a metric's name.
    pub name: String,
    /// The value, in [`Self::unit`]. Not finite when it could not be computed.
    pub value: f64,
    /// The unit of the value and of both thresholds.
    pub unit: Unit,
    /// From where on the check warns.
    pub warn: Option<f64>,
    /// From where on the check fails.
    pub critical: Option<f64>,
}

impl Measure {
    /// A value without thresholds.
    pub fn new(name: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            warn: None,
            critical: None,
        }
    }

    /// A time.
    pub fn duration(name: impl Into<String>, value: Duration) -> Self {
        Self::new(name, value.as_secs_f64(), Unit::Seconds)
    }

    /// A size in bytes. Exact up to 2^53, which is 8 PiB.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a measure is read by people and time series, both in doubles"
    )]
    pub fn bytes(name: impl Into<String>, value: u64) -> Self {
        Self::new(name, value as f64, Unit::Bytes)
    }

    /// A number of things. Exact up to 2^53.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a measure is read by people and time series, both in doubles"
    )]
    pub fn count(name: impl Into<String>, value: u64) -> Self {
        Self::new(name, value as f64, Unit::Count)
    }

    /// A share of a hundred.
    pub fn percent(name: impl Into<String>, value: f64) -> Self {
        Self::new(name, value, Unit::Percent)
    }

    /// Says from where on the check warns.
    #[must_use]
    pub fn warn_at(mut self, threshold: f64) -> Self {
        self.warn = Some(threshold);
        self
    }

    /// Says from where on the check fails.
    #[must_use]
    pub fn critical_at(mut self, threshold: f64) -> Self {
        self.critical = Some(threshold);
        self
    }
}

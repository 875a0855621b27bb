//! Thresholds as people write them: `"80%"`, `"500ms"`, `"10GiB"`, `5`, `"off"`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::duration::Period;
use crate::report::Unit;
use crate::size::Size;

/// From where on a check warns or fails.
///
/// ```
/// use fh_core::config::Threshold;
/// use fh_core::report::Unit;
/// let threshold: Threshold = "80%".parse().unwrap();
/// assert_eq!(threshold.in_unit(Unit::Percent), Ok(Some(80.0)));
/// assert!(threshold.in_unit(Unit::Seconds).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// Never.
    Off,
    /// A number without a unit.
    Number(f64),
    /// A share of a hundred.
    Percent(f64),
    /// A length of time.
    Time(Period),
    /// A size.
    Size(Size),
}

impl Threshold {
    /// The value in the base unit of a measure; `None` for never.
    ///
    /// # Errors
    /// How a threshold of that unit is written, when this one has another.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a threshold need not be exact beyond 2^53"
    )]
    pub fn in_unit(self, unit: Unit) -> Result<Option<f64>, String> {
        Ok(Some(match (self, unit) {
            (Self::Off, _) => return Ok(None),
            (Self::Percent(share), Unit::Percent)
            | (Self::Number(share), Unit::Count | Unit::Ratio | Unit::PerSecond) => share,
            (Self::Percent(share), Unit::Ratio) => share / 100.0,
            (Self::Time(time), Unit::Seconds) => time.get().as_secs_f64(),
            (Self::Size(size), Unit::Bytes | Unit::BytesPerSecond) => size.bytes() as f64,
            (_, unit) => {
                return Err(format!(
                    "it counts {}, written like {}",
                    counted(unit),
                    example(unit)
                ));
            }
        }))
    }
}

fn counted(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "time",
        Unit::Bytes => "bytes",
        Unit::Count => "things",
        Unit::Percent => "percent",
        Unit::Ratio => "a share",
        Unit::BytesPerSecond => "bytes in a second",
        Unit::PerSecond => "things in a second",
    }
}

fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "\"500ms\" or \"2h\"",
        Unit::Bytes | Unit::BytesPerSecond => "\"10GiB\"",
        Unit::Count | Unit::PerSecond => "5",
        Unit::Percent => "\"80%\"",
        Unit::Ratio => "0.8 or \"80%\"",
    }
}

/// Why a text is no threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseThresholdError(String);

impl fmt::Display for ParseThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no threshold; write a percentage (\"80%\"), a time (\"500ms\"), a size (\"10GiB\"), a number or \"off\"",
            self.0
        )
    }
}

impl std::error::Error for ParseThresholdError {}

impl FromStr for Threshold {
    type Err = ParseThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let number = |text: &str| {
            text.trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        if trimmed == "off" {
            return Ok(Self::Off);
        }
        if let Some(share) = trimmed.strip_suffix('%').and_then(number) {
            return Ok(Self::Percent(share));
        }
        if let Some((part, whole)) = trimmed.split_once('/')
            && let (Some(part), Some(whole)) = (number(part), number(whole))
            && whole != 0.0
        {
            return Ok(Self::Percent(part / whole * 100.0));
        }
        if let Some(number) = number(trimmed) {
            return Ok(Self::Number(number));
        }
        let time = trimmed.parse::<Period>().map(Self::Time);
        time.or_else(|_| trimmed.parse::<Size>().map(Self::Size))
            .map_err(|_| ParseThresholdError(text.to_owned()))
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Percent(share) => write!(f, "{share}%"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Size(size) => write!(f, "{size}"),
        }
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Threshold;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a threshold")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Threshold, E> {
                text.parse().map_err(E::custom)
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "a threshold need not be exact beyond 2^53"
            )]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Threshold, E> {
                Ok(Threshold::Number(number as f64))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Threshold, E> {
                if number.is_finite() {
                    Ok(Threshold::Number(number))
                } else {
                    Err(E::custom(ParseThresholdError(number.to_string())))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Threshold {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number"],
            "description": "A threshold in the check's own unit: a percentage, a fraction such as 1/3, a time, a size, a number, or off.",
            "examples": ["80%", "500ms", "10GiB", 5, "off"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_writing_fits_its_units() {
        for (text, unit, value) in [
            ("80%", Unit::Percent, 80.0),
            ("80%", Unit::Ratio, 0.8),
            ("1/4", Unit::Percent, 25.0),
            ("500ms", Unit::Seconds, 0.5),
            ("10MiB", Unit::Bytes, 10_485_760.0),
            ("5", Unit::Count, 5.0),
            ("2.5", Unit::PerSecond, 2.5),
        ] {
            let threshold: Threshold = text.parse().unwrap();
            assert_eq!(threshold.in_unit(unit), Ok(Some(value)), "{text}");
            assert_eq!(
                threshold.to_string().parse::<Threshold>().unwrap(),
                threshold,
                "{text}"
            );
        }
        assert_eq!(Threshold::Off.in_unit(Unit::Bytes), Ok(None));
    }

    #[test]
    fn another_unit_is_an_error_that_shows_the_right_one() {
        for (text, unit) in [
            ("80%", Unit::Seconds),
            ("5", Unit::Bytes),
            ("5s", Unit::Count),
            ("5", Unit::Percent),
        ] {
            let said = text.parse::<Threshold>().unwrap().in_unit(unit).unwrap_err();
            assert!(said.contains("written like"), "{said}");
        }
        for text in ["", "%", "many", "5 parsecs", "NaN", "1/0", "inf%"] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
    }
}

//! Lengths of time as people write them: `250ms`, `90s`, `10m`, `26h`, `8d`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Every unit with its length in nanoseconds, longest first.
const UNITS: [(&str, u128); 8] = [
    ("w", 7 * 86_400 * NANOS_PER_SECOND),
    ("d", 86_400 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A length of time, read from and written as whole numbers with units: `w d h m s ms us ns`, longest first.
///
/// A day is 24 hours and a week 7 days; calendars have no part in it. A number without a unit is an error, because
/// nobody can tell seconds from milliseconds.
///
/// ```
/// use fh_core::duration::Period;
/// let period: Period = "1h30m".parse().unwrap();
/// assert_eq!(period.get().as_secs(), 5400);
/// assert_eq!(period.to_string(), "1h30m");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Period(Duration);

impl Period {
    /// `seconds` seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The standard library's type.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Period {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsePeriodError(String);

impl fmt::Display for ParsePeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; write whole numbers with a unit (ms, s, m, h, d or w), such as 90s, 10m or 1h30m",
            self.0
        )
    }
}

impl std::error::Error for ParsePeriodError {}

impl FromStr for Period {
    type Err = ParsePeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |why: &str| ParsePeriodError(format!("`{text}` is not a length of time: {why}"));
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(fail("it is empty"));
        }
        let mut total: u128 = 0;
        let mut units = UNITS.iter();
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return Err(fail("a whole number is missing"));
            }
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            if unit.is_empty() {
                return Err(fail(if tail.is_empty() {
                    "a unit is missing"
                } else {
                    "a unit must follow each number"
                }));
            }
            // The iterator goes on where it stopped, so that a unit may come once only and in falling order.
            let Some((_, nanos)) = units.find(|(name, _)| *name == unit) else {
                return Err(fail(if UNITS.iter().any(|(name, _)| *name == unit) {
                    "each unit may come once, longest first"
                } else {
                    "the unit is unknown"
                }));
            };
            total = number
                .parse::<u128>()
                .ok()
                .and_then(|number| number.checked_mul(*nanos))
                .and_then(|part| total.checked_add(part))
                .ok_or_else(|| fail("it is too long"))?;
            rest = tail;
        }
        let seconds = u64::try_from(total / NANOS_PER_SECOND).map_err(|_| fail("it is too long"))?;
        let nanos = u32::try_from(total % NANOS_PER_SECOND).map_err(|_| fail("it is too long"))?;
        Ok(Self(Duration::new(seconds, nanos)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        let mut left = self.0.as_nanos();
        // Weeks are read and not written: eight days say more than one week and a day.
        for (unit, nanos) in &UNITS[1..] {
            if left >= *nanos {
                write!(f, "{}{unit}", left / nanos)?;
                left %= nanos;
            }
        }
        Ok(())
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Period;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time with its unit")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Period, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A length of time: whole numbers with units, longest first, such as 250ms, 90s, 10m, 1h30m, 26h, 8d.",
            "pattern": "^\\s*([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?([0-9]+ns)?\\s*$",
            "minLength": 2,
            "examples": ["90s", "10m", "1h30m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_people_write() {
        let cases = [
            ("250ms", 250),
            ("90s", 90_000),
            ("10m", 600_000),
            ("26h", 93_600_000),
            ("8d", 691_200_000),
            ("1w", 604_800_000),
            ("1h30m", 5_400_000),
            (" 1m500ms ", 60_500),
        ];
        for (text, millis) in cases {
            assert_eq!(
                text.parse::<Period>().unwrap().get(),
                Duration::from_millis(millis),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let said: Vec<String> = [
            "",
            "90",
            "s",
            "5 m",
            "5x",
            "1m1h",
            "1s1s",
            "-5s",
            "1.5h",
            "1h30",
            "99999999999999999999999w",
            "40000000000000000w",
            "１s",
        ]
        .iter()
        .map(|text| text.parse::<Period>().unwrap_err().0)
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        `` is not a length of time: it is empty
        `90` is not a length of time: a unit is missing
        `s` is not a length of time: a whole number is missing
        `5 m` is not a length of time: a unit must follow each number
        `5x` is not a length of time: the unit is unknown
        `1m1h` is not a length of time: each unit may come once, longest first
        `1s1s` is not a length of time: each unit may come once, longest first
        `-5s` is not a length of time: a whole number is missing
        `1.5h` is not a length of time: a unit must follow each number
        `1h30` is not a length of time: a unit is missing
        `99999999999999999999999w` is not a length of time: it is too long
        `40000000000000000w` is not a length of time: it is too long
        `１s` is not a length of time: a whole number is missing
        ");
        insta::assert_snapshot!("90".parse::<Period>().unwrap_err(), @r"`90` is not a length of time: a unit is missing; write whole numbers with a unit (ms, s, m, h, d or w), such as 90s, 10m or 1h30m");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds: u64, nanos in 0_u32..1_000_000_000) {
            let period = Period(Duration::new(seconds, nanos));
            prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9a-zµ .-]{0,24}") {
            let _ = text.parse::<Period>();
        }
    }
}

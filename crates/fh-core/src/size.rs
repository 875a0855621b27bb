//! Sizes in bytes as people write them: `8MiB`, `512 KiB`, `1GB`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Every unit with its size in bytes. Binary units (IEC 80000-13) and decimal ones (SI) are different things, and
/// each is read as what it says.
const UNITS: [(&str, u64); 13] = [
    ("EiB", 1 << 60),
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("EB", 1_000_000_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// A size in bytes, read from and written as a whole number and a unit.
///
/// Case does not matter when reading. A number without a unit is an error.
///
/// ```
/// use fh_core::size::Size;
/// let size: Size = "8 MiB".parse().unwrap();
/// assert_eq!(size.bytes(), 8 * 1024 * 1024);
/// assert_eq!(size.to_string(), "8MiB");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(u64);

impl Size {
    /// `bytes` bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseSizeError(String);

impl fmt::Display for ParseSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; write a whole number and a unit, such as 512KiB, 8MiB or 1GB",
            self.0
        )
    }
}

impl std::error::Error for ParseSizeError {}

impl FromStr for Size {
    type Err = ParseSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |why: &str| ParseSizeError(format!("`{text}` is not a size: {why}"));
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = trimmed.split_at(digits);
        let unit = unit.trim_start();
        if number.is_empty() {
            return Err(fail("a whole number is missing"));
        }
        if unit.is_empty() {
            return Err(fail("a unit is missing"));
        }
        let (_, scale) = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .ok_or_else(|| fail("the unit is unknown"))?;
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*scale))
            .map(Self)
            .ok_or_else(|| fail("it is too large"))
    }
}

impl fmt::Display for Size {
    /// The largest unit that divides the size exactly, binary units first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = UNITS
            .iter()
            .find(|(_, scale)| self.0 >= *scale && self.0.is_multiple_of(*scale));
        match exact {
            Some((unit, scale)) => write!(f, "{}{unit}", self.0 / scale),
            None => f.write_str("0B"),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size with its unit")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Size {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A size: a whole number and a binary (KiB, MiB, GiB) or decimal (kB, MB, GB) unit.",
            "pattern": "^\\s*[0-9]+\\s*([KkMmGgTtPpEe][Ii]?)?[Bb]\\s*$",
            "examples": ["8MiB", "512 KiB", "1GB"],
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
            ("8MiB", 8 << 20),
            ("512 KiB", 512 << 10),
            ("1GB", 1_000_000_000),
            ("1kb", 1000),
            (" 0 B ", 0),
            ("15EiB", 15 << 60),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse::<Size>().unwrap().bytes(), bytes, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let said: Vec<String> = [
            "",
            "12",
            "MiB",
            "5 XB",
            "5K",
            "1.5GiB",
            "-1B",
            "16EiB",
            "99999999999999999999B",
        ]
        .iter()
        .map(|text| text.parse::<Size>().unwrap_err().0)
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        `` is not a size: a whole number is missing
        `12` is not a size: a unit is missing
        `MiB` is not a size: a whole number is missing
        `5 XB` is not a size: the unit is unknown
        `5K` is not a size: the unit is unknown
        `1.5GiB` is not a size: the unit is unknown
        `-1B` is not a size: a whole number is missing
        `16EiB` is not a size: it is too large
        `99999999999999999999B` is not a size: it is too large
        ");
        insta::assert_snapshot!("12".parse::<Size>().unwrap_err(), @r"`12` is not a size: a unit is missing; write a whole number and a unit, such as 512KiB, 8MiB or 1GB");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(number: u64, shift in 0_u32..64) {
            let size = Size(number >> shift << (shift / 2));
            prop_assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9a-zA-Zµ .-]{0,24}") {
            let _ = text.parse::<Size>();
        }
    }
}

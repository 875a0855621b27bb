//! How the causes of a repetition are written: `"connect"`, `"timeout"`, `"closed"`, or a status.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

use crate::step::Cause;

const WORDS: [&str; 3] = ["connect", "timeout", "closed"];

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Cause;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connect, timeout, closed, or a status from 400 to 599")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Cause, E> {
        match word {
            "connect" => Ok(Cause::Connect),
            "timeout" => Ok(Cause::Timeout),
            "closed" => Ok(Cause::Closed),
            other => Err(E::unknown_variant(other, &WORDS)),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Cause, E> {
        match u16::try_from(number) {
            Ok(status) if (400..600).contains(&status) => Ok(Cause::Status(status)),
            _ => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Cause {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cause".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What an attempt is repeated after: no connection, no answer in time, a server that broke off, or a status.",
            "anyOf": [
                { "enum": WORDS },
                { "type": "integer", "minimum": 400, "maximum": 599 },
            ],
        })
    }
}

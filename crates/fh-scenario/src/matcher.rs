//! What a value must be: written as the value itself, or as a table of conditions that must all hold.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess};
use serde_json::Value;

/// What a value must be. `"text"`, `5` and `true` mean equality; `{ matches = "^v" }` and the like are conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// Equal to this.
    Equals(Value),
    /// Every given condition holds.
    Conditions(Box<Conditions>),
}

/// Conditions on a value; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// It is there, or is not.
    pub exists: Option<bool>,
    /// It equals this.
    pub equals: Option<Value>,
    /// It is something else.
    pub not: Option<Value>,
    /// A text with this in it, or a list that holds it.
    pub contains: Option<Value>,
    /// A text without this in it, or a list that does not hold it.
    pub not_contains: Option<Value>,
    /// A text in which this regular expression finds something.
    pub matches: Option<String>,
    /// A text in which this regular expression finds nothing.
    pub not_matches: Option<String>,
    /// A text that begins so.
    pub starts_with: Option<String>,
    /// A text that ends so.
    pub ends_with: Option<String>,
    /// Less than this number or text.
    pub lt: Option<Value>,
    /// At most this.
    pub le: Option<Value>,
    /// More than this.
    pub gt: Option<Value>,
    /// At least this.
    pub ge: Option<Value>,
    /// One of these.
    pub one_of: Option<Vec<Value>>,
    /// Its JSON type: null, boolean, number, string, array or object.
    #[serde(rename = "type")]
    pub kind: Option<JsonType>,
    /// How many values the path finds; where it finds one list or text, the length of that.
    pub count: Option<usize>,
    /// The least of that.
    pub min_count: Option<usize>,
    /// The most of that.
    pub max_count: Option<usize>,
}

/// The types of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum JsonType {
    /// null
    Null,
    /// true or false
    Boolean,
    /// A number.
    Number,
    /// A text.
    String,
    /// A list.
    Array,
    /// Members with names.
    Object,
}

impl JsonType {
    /// The type of a value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// The word in a suite.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatcherVisitor)
    }
}

struct MatcherVisitor;

impl<'de> de::Visitor<'de> for MatcherVisitor {
    type Value = Matcher;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or a table of conditions")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Matcher, E> {
        Ok(Matcher::Equals(text.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Matcher, E> {
        Ok(Matcher::Equals(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Matcher, E> {
        Ok(Matcher::Equals(number.into()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Matcher, E> {
        Ok(Matcher::Equals(value.into()))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Matcher, M::Error> {
        let conditions = Conditions::deserialize(MapAccessDeserializer::new(map))?;
        if conditions == Conditions::default() {
            return Err(de::Error::custom(
                "a table without conditions asserts nothing; write for example { exists = true }",
            ));
        }
        Ok(Matcher::Conditions(Box::new(conditions)))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Matcher {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Matcher".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What a value must be: the value itself, or conditions that must all hold.",
            "anyOf": [
                { "type": ["string", "number", "boolean"] },
                generator.subschema_for::<Conditions>(),
            ],
        })
    }
}

/// The statuses that are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(Vec<StatusRange>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StatusRange {
    One(u16),
    /// The first digit.
    Class(u16),
}

impl StatusSet {
    /// Exactly this one.
    #[must_use]
    pub fn one(status: u16) -> Self {
        Self(vec![StatusRange::One(status)])
    }

    /// Whether a status is in it.
    #[must_use]
    pub fn holds(&self, status: u16) -> bool {
        self.0.iter().any(|range| match range {
            StatusRange::One(one) => *one == status,
            StatusRange::Class(class) => status / 100 == *class,
        })
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            match range {
                StatusRange::One(status) => write!(f, "{status}")?,
                StatusRange::Class(class) => write!(f, "{class}xx")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for StatusSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusVisitor)
    }
}

struct StatusVisitor;

impl<'de> de::Visitor<'de> for StatusVisitor {
    type Value = StatusSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as 200 or \"2xx\", or a list of them")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<StatusSet, E> {
        match u16::try_from(number) {
            Ok(status) if (100..600).contains(&status) => Ok(StatusSet::one(status)),
            _ => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusSet, E> {
        match text.as_bytes() {
            [class @ b'1'..=b'5', b'x', b'x'] => {
                Ok(StatusSet(vec![StatusRange::Class(u16::from(class - b'0'))]))
            }
            _ => match text.parse() {
                Ok(number) => self.visit_i64(number),
                Err(_) => Err(E::invalid_value(de::Unexpected::Other("another text"), &self)),
            },
        }
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<StatusSet, S::Error> {
        let mut ranges = Vec::new();
        while let Some(StatusSet(more)) = items.next_element()? {
            ranges.extend(more);
        }
        if ranges.is_empty() {
            return Err(de::Error::custom(
                "an empty list holds no status; name at least one",
            ));
        }
        Ok(StatusSet(ranges))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for StatusSet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StatusSet".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = serde_json::json!({
            "anyOf": [
                { "type": "integer", "minimum": 100, "maximum": 599 },
                { "type": "string", "pattern": "^[1-5](xx|[0-9][0-9])$" },
            ],
        });
        schemars::json_schema!({
            "description": "A status such as 200 or \"2xx\", or a list of them.",
            "anyOf": [one.clone(), { "type": "array", "items": one, "minItems": 1 }],
        })
    }
}

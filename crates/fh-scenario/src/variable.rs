//! Variables: how they are written, and what they hold in one run.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess};

use crate::suite::Variable;

const KEYS: [&str; 2] = ["env", "default"];

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Variable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false, or { env = \"NAME\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Variable, E> {
        Ok(Variable::Text(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Variable, E> {
        Ok(Variable::Text(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Variable, E> {
        Ok(Variable::Text(number.to_string()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Variable, E> {
        Ok(Variable::Text(value.to_string()))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Variable, M::Error> {
        let (mut env, mut default) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "env" => env = Some(map.next_value()?),
                "default" => default = Some(map.next_value()?),
                other => return Err(de::Error::unknown_field(other, &KEYS)),
            }
        }
        let env = env.ok_or_else(|| {
            de::Error::custom("a variable's table names no environment variable; write { env = \"NAME\" }")
        })?;
        Ok(Variable::Env { env, default })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Variable {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Variable".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A variable: its value, or the environment variable that holds it.",
            "anyOf": [
                { "type": ["string", "number", "boolean"] },
                {
                    "type": "object",
                    "properties": {
                        "env": { "type": "string", "description": "Name of an environment variable." },
                        "default": { "type": "string", "description": "The value when it is not set." },
                    },
                    "required": ["env"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

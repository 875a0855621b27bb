//! What a restore with `--anonymize` does to each column.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::config::SecretSource;

/// Rules for a restore without personal data.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Anonymize {
    /// Key of all hashes, at least 16 characters. The same key gives the same hashes every time.
    pub salt: Option<SecretSource>,
    /// What becomes of large objects: their content cannot be masked.
    pub large_objects: LargeObjects,
    /// What becomes of tables without rules of their own.
    pub unlisted: Unlisted,
    /// The tables, by name with schema, such as "public.users". Partitions follow their partitioned table.
    pub tables: BTreeMap<String, AnonymizeTable>,
}

/// What becomes of large objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LargeObjects {
    /// They are made, and stay empty.
    #[default]
    Empty,
    /// They are restored as they are.
    Keep,
}

/// What becomes of tables without rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unlisted {
    /// They are restored as they are, and named in the report.
    #[default]
    Keep,
    /// They are taken for sensitive: every text column in them stops the restore.
    Sensitive,
}

/// The rules of one table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AnonymizeTable {
    /// Whether a column that could hold personal data and has no rule stops the restore.
    pub sensitive: bool,
    /// The rule of each column: "keep", "null", "hash", "name", "email" or { fixed = "TEXT" }.
    pub columns: BTreeMap<String, MaskRule>,
}

impl Default for AnonymizeTable {
    fn default() -> Self {
        Self {
            sensitive: true,
            columns: BTreeMap::new(),
        }
    }
}

/// What becomes of a column's values. NULL stays NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskRule {
    /// They stay.
    Keep,
    /// They become NULL.
    Null,
    /// A keyed hash: the same for the same value in every table.
    Hash,
    /// A made-up name.
    Name,
    /// A made-up address below example.com, which receives no mail.
    Email,
    /// This text.
    Fixed(String),
}

const WORDS: [&str; 5] = ["keep", "null", "hash", "name", "email"];
const FIXED: [&str; 1] = ["fixed"];

impl Serialize for MaskRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = match self {
            Self::Keep => WORDS[0],
            Self::Null => WORDS[1],
            Self::Hash => WORDS[2],
            Self::Name => WORDS[3],
            Self::Email => WORDS[4],
            Self::Fixed(text) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(FIXED[0], text)?;
                return map.end();
            }
        };
        serializer.serialize_str(word)
    }
}

impl<'de> Deserialize<'de> for MaskRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = MaskRule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"keep\", \"null\", \"hash\", \"name\", \"email\" or { fixed = \"TEXT\" }")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<MaskRule, E> {
        Ok(match word {
            "keep" => MaskRule::Keep,
            "null" => MaskRule::Null,
            "hash" => MaskRule::Hash,
            "name" => MaskRule::Name,
            "email" => MaskRule::Email,
            other => return Err(E::unknown_variant(other, &WORDS)),
        })
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<MaskRule, M::Error> {
        let rule = match map.next_key::<String>()? {
            Some(key) if key == FIXED[0] => MaskRule::Fixed(map.next_value()?),
            Some(other) => return Err(de::Error::unknown_field(&other, &FIXED)),
            None => return Err(de::Error::custom("the table of a rule is empty")),
        };
        match map.next_key::<String>()? {
            None => Ok(rule),
            Some(other) => Err(de::Error::unknown_field(&other, &FIXED)),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for MaskRule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MaskRule".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "What becomes of a column's values. NULL stays NULL.",
            "anyOf": [
                { "type": "string", "enum": WORDS },
                {
                    "type": "object",
                    "properties": { "fixed": { "type": "string", "description": "The text that every value becomes." } },
                    "required": FIXED,
                    "additionalProperties": false,
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigSource};

    fn load(text: &str) -> crate::error::Result<crate::config::Loaded> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("financehub.toml"), text).unwrap();
        Config::load(&ConfigSource::default(), &|_| None, folder.path())
    }

    #[test]
    fn rules_are_words_or_a_fixed_text() {
        let loaded = load(
            "[backup.anonymize]\nlarge_objects = 'keep'\n[backup.anonymize.tables.'public.users']\n\
             columns = { email = 'email', phone = { fixed = '000' }, note = 'null' }\n",
        )
        .unwrap();
        let rules = &loaded.config.backup.anonymize;
        assert_eq!(rules.large_objects, LargeObjects::Keep);
        let table = &rules.tables["public.users"];
        assert!(table.sensitive);
        assert_eq!(table.columns["phone"], MaskRule::Fixed("000".into()));
        assert_eq!(
            serde_json::to_string(&table.columns).unwrap(),
            r#"{"email":"email","note":"null","phone":{"fixed":"000"}}"#
        );
    }

    #[test]
    fn other_rules_are_errors() {
        for wrong in [
            "'hsah'",
            "{ fixd = 'x' }",
            "{}",
            "{ fixed = 'x', other = 'y' }",
            "7",
        ] {
            let text = format!("[backup.anonymize.tables.'public.users']\ncolumns = {{ email = {wrong} }}\n");
            let error = load(&text).unwrap_err();
            assert_eq!(error.exit(), crate::Exit::Usage, "{wrong}");
        }
    }
}

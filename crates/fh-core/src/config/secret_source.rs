//! Where a secret comes from, and how it is fetched.

use std::fmt;
use std::path::PathBuf;

use serde::de::{self, Deserialize, Deserializer, MapAccess};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::secret::{MASK, Secret};

/// The name under which [`SecretSource`] asks a deserializer for its value. The reader of this crate knows it, and
/// notes that the value there is one thing that is replaced and never merged.
pub(super) const SECRET_MARK: &str = "fh_core::SecretSource";

/// The keys of the table form.
pub(super) const KINDS: [&str; 4] = ["env", "file", "secretsmanager", "ssm"];

/// A secret in the configuration: the text itself, or where to fetch it when it is needed.
///
/// ```toml
/// [database]
/// url = { env = "DATABASE_URL" }                  # an environment variable
/// # url = { file = "/run/secrets/database-url" }  # a file; one trailing newline is dropped
/// # url = { secretsmanager = "prod/database" }    # AWS Secrets Manager, by name or ARN
/// # url = { ssm = "/prod/database-url" }          # AWS Systems Manager Parameter Store
/// # url = "postgres://…"                          # the text itself
/// ```
///
/// Serialized, the text form is `***` and the others say where the secret comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The text itself.
    Plain(Secret),
    /// An environment variable.
    Env {
        /// Its name.
        env: String,
    },
    /// A file.
    File {
        /// Its path; relative paths in the configuration file are relative to that file's folder.
        file: PathBuf,
    },
    /// AWS Secrets Manager.
    SecretsManager {
        /// Name or ARN of the secret.
        secretsmanager: String,
    },
    /// AWS Systems Manager Parameter Store.
    Ssm {
        /// Name of the parameter.
        ssm: String,
    },
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, value) = match self {
            Self::Plain(_) => return serializer.serialize_str(MASK),
            Self::Env { env } => (KINDS[0], env.clone()),
            Self::File { file } => (KINDS[1], file.display().to_string()),
            Self::SecretsManager { secretsmanager } => (KINDS[2], secretsmanager.clone()),
            Self::Ssm { ssm } => (KINDS[3], ssm.clone()),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(kind, &value)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SECRET_MARK, Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<SecretSource, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretSource, E> {
        Ok(SecretSource::Plain(Secret::new(text)))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<SecretSource, M::Error> {
        let Some(kind) = map.next_key::<String>()? else {
            return Err(de::Error::custom("the table of a secret is empty"));
        };
        let source = match kind.as_str() {
            "env" => SecretSource::Env {
                env: map.next_value()?,
            },
            "file" => SecretSource::File {
                file: map.next_value()?,
            },
            "secretsmanager" => SecretSource::SecretsManager {
                secretsmanager: map.next_value()?,
            },
            "ssm" => SecretSource::Ssm {
                ssm: map.next_value()?,
            },
            other => return Err(de::Error::unknown_field(other, &KINDS)),
        };
        match map.next_key::<String>()? {
            None => Ok(source),
            Some(_) => Err(de::Error::custom(
                "a secret has one source, and several are given",
            )),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SecretSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretSource".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = |kind: &str, text: &str| {
            serde_json::json!({
                "type": "object",
                "properties": { kind: { "type": "string", "description": text } },
                "required": [kind],
                "additionalProperties": false,
            })
        };
        schemars::json_schema!({
            "description": "A secret: the text itself, or where to fetch it when it is needed.",
            "anyOf": [
                { "type": "string" },
                one("env", "Name of an environment variable."),
                one("file", "Path of a file, relative to this one; one trailing newline is dropped."),
                one("secretsmanager", "Name or ARN of a secret in AWS Secrets Manager."),
                one("ssm", "Name of a parameter in AWS Systems Manager Parameter Store."),
            ],
        })
    }
}

//! The JSON Schema of the configuration file, for editors and for the reference documentation.

use serde_json::{Value, json};

use super::Config;

/// JSON Schema (2020-12) of `financehub.toml`. An environment's table takes the same keys as the file, and no further
/// environments.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    // The loader takes `env` out of the tree before the types see it, so it is added here.
    let overlay = json!({
        "type": "object",
        "additionalProperties": false,
        "description": "What differs in this environment.",
        "properties": schema["properties"].clone(),
    });
    schema["title"] = "financehub.toml".into();
    schema["$defs"]["Environment"] = overlay;
    schema["properties"]["env"] = json!({
        "type": "object",
        "description": "One table for each environment, chosen with -e NAME or FH_ENV and laid over the others.",
        "additionalProperties": { "$ref": "#/$defs/Environment" },
    });
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema of what `node` refers to, alone or beside others such as null.
    fn followed<'s>(schema: &'s Value, node: &'s Value) -> &'s Value {
        let reference = |node: &Value| {
            node["$ref"]
                .as_str()
                .map(|text| text.trim_start_matches('#').to_owned())
        };
        let of_any = node["anyOf"].as_array().into_iter().flatten().find_map(reference);
        match reference(node).or(of_any) {
            Some(pointer) => schema.pointer(&pointer).unwrap(),
            None => node,
        }
    }

    #[test]
    fn every_setting_is_described() {
        let schema = json_schema();
        let vars = |_: &str| None;
        let loaded = Config::load(
            &crate::config::ConfigSource::default(),
            &vars,
            std::path::Path::new("/"),
        )
        .unwrap();
        for entry in loaded.entries() {
            let mut node = &schema;
            let mut described = String::new();
            for key in entry.path.split('.') {
                let table = followed(&schema, node);
                assert_eq!(table["additionalProperties"], false, "{}", entry.path);
                node = &table["properties"][key];
                described = node["description"].as_str().unwrap_or_default().to_owned();
            }
            assert!(!described.is_empty(), "{} has no description", entry.path);
        }
    }

    #[test]
    fn an_environment_takes_the_same_keys_but_no_environments() {
        let schema = json_schema();
        let mut keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        keys.retain(|key| *key != "env");
        let inner: Vec<&String> = schema["$defs"]["Environment"]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(keys, inner);
    }
}

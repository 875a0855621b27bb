//! The JSON Schema of suites, for editors.

use serde_json::Value;

use crate::suite::Suite;

/// JSON Schema (2020-12) of a suite's file.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Suite).to_value();
    schema["title"] = "Suite of fh-smoke".into();
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every table refuses what it does not know, as the reader does, and describes what it does.
    #[test]
    fn tables_are_closed_and_described() {
        let schema = json_schema();
        let mut tables = 0;
        let all = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        for table in all.filter(|table| table["properties"].is_object()) {
            tables += 1;
            assert_eq!(table["additionalProperties"], false, "{table:#}");
            for (name, property) in table["properties"].as_object().unwrap() {
                assert!(property["description"].is_string(), "{name} of {table:#}");
            }
        }
        assert!(tables >= 15, "{tables}");
    }
}

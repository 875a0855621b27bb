//! Writing TOML: keys and values that read back as they are.

use serde_json::Value;

/// A basic string. JSON's escapes are a part of TOML's (toml.io, "String").
pub(crate) fn quoted(text: &str) -> String {
    // DEL must be escaped in TOML, and is not in JSON.
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A key, bare where it can be.
pub(crate) fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { name.to_owned() } else { quoted(name) }
}

/// A value; `None` when it holds a null, which TOML does not have.
pub(crate) fn value(json: &Value) -> Option<String> {
    Some(match json {
        Value::Null => return None,
        Value::Bool(value) => value.to_string(),
        // A whole number beyond 64 bits is no TOML.
        Value::Number(number) if number.is_u64() && number.as_i64().is_none() => return None,
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(value).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(members) => {
            let members: Option<Vec<String>> = members
                .iter()
                .map(|(name, member)| Some(format!("{} = {}", key(name), value(member)?)))
                .collect();
            let members = members?;
            if members.is_empty() {
                "{}".into()
            } else {
                format!("{{ {} }}", members.join(", "))
            }
        }
    })
}

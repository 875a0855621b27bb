//! From an OpenAPI 3 document (OpenAPI Specification 3.0 and 3.1) to a first suite: every operation that can be asked
//! without changing anything, with the status, type and required members that the document promises.

use serde_json::{Map, Value};

use crate::toml_text::{key, quoted};

/// How many required members of an answer are asserted.
const MOST_MEMBERS: usize = 6;

/// A chain of references longer than this goes round in a circle.
const MOST_REFERENCES: usize = 16;

/// A suite that was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// TOML.
    pub(crate) text: String,
    /// How many steps it has.
    pub(crate) steps: usize,
    /// Operations that it leaves out, with the reason.
    pub(crate) left_out: Vec<String>,
}

/// One operation that the suite asks.
struct Step {
    tag: String,
    path: String,
    query: Vec<(String, String)>,
    status: u16,
    content_type: Option<String>,
    members: Vec<String>,
    secured: bool,
}

/// Makes the suite.
pub(crate) fn suite(document: &Value, base: Option<&str>) -> Result<Made, String> {
    let version = document["openapi"].as_str().unwrap_or_default();
    if !version.starts_with("3.") {
        return Err(format!("`openapi` is {version:?}, and only version 3 is read"));
    }
    let paths = document["paths"].as_object().ok_or("it has no paths")?;
    let base = match base {
        Some(base) => base.to_owned(),
        None => server(document).ok_or("its servers hold no whole URL; give --base URL")?,
    };
    let (mut steps, mut left_out) = (Vec::new(), Vec::new());
    for (path, item) in paths {
        let item = followed(document, item);
        for (method, operation) in item.as_object().into_iter().flatten() {
            let method = method.to_uppercase();
            if method == "GET" {
                match step(document, path, item, operation) {
                    Ok(step) => steps.push(step),
                    Err(why) => left_out.push(format!("{method} {path}: {why}")),
                }
            } else if matches!(method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE") {
                left_out.push(format!("{method} {path}: it may change something"));
            }
        }
    }
    if steps.is_empty() {
        return Err("no operation can be asked without changing something or inventing a value".into());
    }
    Ok(Made {
        text: text(document, &base, &steps, &left_out),
        steps: steps.len(),
        left_out,
    })
}

fn server(document: &Value) -> Option<String> {
    document["servers"]
        .as_array()?
        .iter()
        .filter_map(|server| server["url"].as_str())
        .find(|url| url.starts_with("http://") || url.starts_with("https://"))
        .map(str::to_owned)
}

/// What a reference within the document leads to.
fn followed<'d>(document: &'d Value, node: &'d Value) -> &'d Value {
    let mut node = node;
    for _ in 0..MOST_REFERENCES {
        match node["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
            Some(pointer) => node = document.pointer(pointer).unwrap_or(&Value::Null),
            None => break,
        }
    }
    node
}

fn step(document: &Value, path: &str, item: &Value, operation: &Value) -> Result<Step, String> {
    let mut filled = path.to_owned();
    let mut query = Vec::new();
    let all = [&operation["parameters"], &item["parameters"]];
    for parameter in all.into_iter().filter_map(Value::as_array).flatten() {
        let parameter = followed(document, parameter);
        let name = parameter["name"].as_str().unwrap_or_default();
        let required = parameter["required"] == true;
        match parameter["in"].as_str() {
            Some("path") => {
                let value = example(document, parameter)
                    .ok_or_else(|| format!("the parameter {name} has no example"))?;
                filled = filled.replace(&format!("{{{name}}}"), &value);
            }
            Some("query") if required => {
                let value = example(document, parameter)
                    .ok_or_else(|| format!("the parameter {name} has no example"))?;
                query.push((name.to_owned(), value));
            }
            Some("header" | "cookie") if required => {
                return Err(format!("it needs the {name} header or cookie"));
            }
            _ => {}
        }
    }
    if filled.contains('{') {
        return Err("a parameter of the path is not described".into());
    }
    let responses = operation["responses"]
        .as_object()
        .ok_or("it promises no answer")?;
    let (status, response) = responses
        .iter()
        .filter_map(|(status, response)| Some((status.parse::<u16>().ok()?, response)))
        .find(|(status, _)| (200..300).contains(status))
        .ok_or("it promises no answer of 2xx")?;
    let response = followed(document, response);
    let content = response["content"]
        .as_object()
        .and_then(|content| content.iter().next());
    let members = content
        .filter(|(kind, _)| kind.as_str() == "application/json")
        .map(|(_, media)| required_members(document, &media["schema"]))
        .unwrap_or_default();
    Ok(Step {
        tag: operation["tags"][0].as_str().unwrap_or("api").to_owned(),
        path: filled,
        query,
        status,
        content_type: content.map(|(kind, _)| kind.split(';').next().unwrap_or(kind).trim().to_owned()),
        members,
        secured: secured(document, operation),
    })
}

/// An example value of a parameter, as a text.
fn example(document: &Value, parameter: &Value) -> Option<String> {
    let schema = followed(document, &parameter["schema"]);
    let named = parameter["examples"]
        .as_object()
        .and_then(|all| all.values().next())
        .map(|example| &followed(document, example)["value"]);
    let candidates = [
        Some(&parameter["example"]),
        named,
        Some(&schema["example"]),
        Some(&schema["examples"][0]),
        Some(&schema["default"]),
        Some(&schema["enum"][0]),
    ];
    candidates.into_iter().flatten().find_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    })
}

fn required_members(document: &Value, schema: &Value) -> Vec<String> {
    followed(document, schema)["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .take(MOST_MEMBERS)
        .map(str::to_owned)
        .collect()
}

/// Whether a login is needed: an empty requirement among several makes it optional.
fn secured(document: &Value, operation: &Value) -> bool {
    let requirements = operation["security"]
        .as_array()
        .or(document["security"].as_array());
    requirements.is_some_and(|all| {
        !all.is_empty()
            && all
                .iter()
                .all(|one| one.as_object().is_some_and(|one| !one.is_empty()))
    })
}

fn text(document: &Value, base: &str, steps: &[Step], left_out: &[String]) -> String {
    let title = document["info"]["title"].as_str().unwrap_or("api");
    let escaped = |text: &str| text.replace("${", "$${");
    let mut out =
        String::from("# A first suite, made from an OpenAPI document. Please read it and make it yours.\n\n");
    out += &format!("[suite]\nname = {}\ndeadline = \"2m\"\n\n", quoted(title));
    out += &format!("[env.first]\nbase = {}\n", quoted(&escaped(base)));
    if steps.iter().any(|step| step.secured) {
        out += "\n[secrets]\ntoken = { env = \"SMOKE_TOKEN\" }\n";
    }
    let mut tags: Vec<&str> = Vec::new();
    for step in steps {
        if !tags.contains(&step.tag.as_str()) {
            tags.push(&step.tag);
        }
    }
    for tag in tags {
        out += &format!("\n[[scenario]]\nname = {}\n", quoted(tag));
        let mut seen = Map::new();
        for step in steps.iter().filter(|step| step.tag == tag) {
            out += "\n[[scenario.step]]\n";
            // Two operations may come to the same path when examples are filled in.
            if seen.insert(step.path.clone(), Value::Null).is_some() {
                out += &format!(
                    "name = {}\n",
                    quoted(&format!("GET {} ({})", escaped(&step.path), seen.len()))
                );
            }
            out += &format!("get = {}\n", quoted(&escaped(&step.path)));
            if !step.query.is_empty() {
                let pairs: Vec<String> = step
                    .query
                    .iter()
                    .map(|(name, value)| format!("{} = {}", key(name), quoted(&escaped(value))))
                    .collect();
                out += &format!("query = {{ {} }}\n", pairs.join(", "));
            }
            if step.secured {
                out += "bearer = \"${token}\"\n";
            }
            out += "[scenario.step.expect]\n";
            out += &format!("status = {}\n", step.status);
            if let Some(kind) = &step.content_type {
                out += &format!("content_type = {}\n", quoted(kind));
            }
            if !step.members.is_empty() {
                let members: Vec<String> = step
                    .members
                    .iter()
                    .map(|name| {
                        let path = format!("$[{}]", Value::from(name.as_str()));
                        format!("{} = {{ exists = true }}", quoted(&path))
                    })
                    .collect();
                out += &format!("json = {{ {} }}\n", members.join(", "));
            }
        }
    }
    if !left_out.is_empty() {
        out += "\n# Left out:\n";
        for line in left_out {
            out += &format!("#   {}\n", line.replace(['\n', '\r'], " "));
        }
    }
    out
}

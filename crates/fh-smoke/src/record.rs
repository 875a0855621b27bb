//! Exchanges that were not as they should be, kept as files for those who look into it. Secrets are taken out in every
//! spelling that is known, and headers that carry them are masked as a whole.

use std::path::Path;

use fh_core::error::{Context, Hint};
use fh_core::secret::{MASK, scrub};
use fh_core::{Result, atomic};
use fh_scenario::run::{Exchange, StepResult};
use serde_json::{Value, json};

use crate::findings::{Row, slug};

/// Headers whose values are never written, whatever is in them.
const MASKED: &[&str] = &[
    "authorization",
    "cookie",
    "set-cookie",
    "proxy-authorization",
    "x-api-key",
    "x-csrftoken",
];

/// How much of a body is kept.
const MOST: usize = 64 * 1024;

/// Writes a file for each exchange that was not good; gives how many.
///
/// # Errors
/// Exit code 3 when the folder cannot be written.
pub(crate) fn write(folder: &Path, rows: &[Row]) -> Result<usize> {
    std::fs::create_dir_all(folder)
        .or_unable(|| format!("cannot make the folder {}", folder.display()))
        .hint(|| "choose another one with --record")?;
    let mut count = 0;
    for row in rows {
        for step in row.steps.iter().filter(|step| !step.is_good()) {
            let Some(exchange) = step.exchange() else { continue };
            let wrong: Vec<Value> = match &step.result {
                StepResult::Answered(_, assertions) => assertions
                    .iter()
                    .filter_map(|assertion| {
                        let miss = assertion.outcome.as_ref().err()?;
                        Some(json!({ "what": assertion.what, "expected": miss.expected, "got": miss.got }))
                    })
                    .collect(),
                StepResult::NoAnswer(_, failure) => vec![json!({
                    "what": "answer",
                    "got": failure.text(),
                    "kind": failure.kind().word(),
                    "phase": failure.phase().to_string(),
                })],
                _ => Vec::new(),
            };
            let document = json!({
                "schema": "fh-smoke-exchange/1",
                "step": format!("{}.{}", row.id, slug(&step.title)),
                "wrong": wrong,
                "request": request(exchange),
                "response": response(exchange),
            });
            let document = clean(document);
            let text = format!("{document:#}\n");
            let name = format!("{}.{}.json", row.id.replace('/', "-"), slug(&step.title));
            atomic::write(&folder.join(name), scrub(&text).as_bytes(), Some(0o600))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Secrets are looked for in the texts before JSON escapes them, and once more afterwards.
fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(scrub(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(clean).collect()),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, clean(value)))
            .collect(),
        other => other,
    }
}

fn headers(all: &[(String, String)]) -> Value {
    all.iter()
        .map(|(name, value)| {
            let masked = MASKED.iter().any(|secret| name.eq_ignore_ascii_case(secret));
            json!([name, if masked { MASK } else { value.as_str() }])
        })
        .collect()
}

fn body(bytes: &[u8]) -> Value {
    let cut = &bytes[..bytes.len().min(MOST)];
    json!({ "bytes": bytes.len(), "text": String::from_utf8_lossy(cut) })
}

fn request(exchange: &Exchange) -> Value {
    let request = &exchange.request;
    json!({
        "method": request.method,
        "url": request.url.as_str(),
        "connect_to": request.connect_to.map(|address| address.to_string()),
        "headers": headers(&request.headers),
        "body": body(&request.body),
    })
}

fn response(exchange: &Exchange) -> Value {
    exchange.response.as_ref().map_or(Value::Null, |response| {
        json!({
            "status": response.status,
            "peer": response.peer.to_string(),
            "seconds": response.phases.total.as_secs_f64(),
            "headers": headers(&response.headers),
            "truncated": response.truncated,
            "body": body(&response.body),
        })
    })
}

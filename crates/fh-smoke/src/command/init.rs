//! `fh-smoke init`: a first suite from an OpenAPI document.

use fh_core::error::{Context, Hint};
use fh_core::report::Report;
use fh_core::{Error, Result};
use serde_json::Value;

use super::{TOOL, write};
use crate::cli::Init;
use crate::openapi;

/// More than any description of an API has.
const LARGEST: u64 = 32 << 20;

pub(crate) fn run(init: &Init) -> Result<Report> {
    let shown = init.openapi.display();
    let size = std::fs::metadata(&init.openapi)
        .or_usage(|| format!("cannot read {shown}"))
        .hint(|| "give the path of an OpenAPI document in JSON")?
        .len();
    if size > LARGEST {
        return Err(Error::usage(format!("{shown} is larger than 32 MiB")).hint("is this the right file?"));
    }
    let text = std::fs::read_to_string(&init.openapi).or_usage(|| format!("cannot read {shown}"))?;
    let document: Value = serde_json::from_str(&text).map_err(|error| {
        Error::usage(format!("{shown} is not JSON: {error}"))
            .hint("most frameworks write JSON too, for example `manage.py spectacular --format openapi-json`")
    })?;
    let made = openapi::suite(&document, init.base.as_deref()).map_err(|why| {
        Error::usage(format!("{shown}: {why}"))
            .hint("give an OpenAPI 3 document; --base names the first environment")
    })?;
    write::suite(&made.text, init.to.as_deref())?;
    let mut report = Report::listing(TOOL, "init", "First suite")
        .about("from", shown.to_string())
        .about("steps", made.steps.to_string());
    if let Some(to) = &init.to {
        report
            .subject
            .push(("written to".into(), to.display().to_string()));
    }
    if !made.left_out.is_empty() {
        report.show(fh_core::report::Section::Text(format!(
            "Left out, and listed at the end of the suite: {} operations.",
            made.left_out.len()
        )));
    }
    report.data = serde_json::json!({ "steps": made.steps, "left_out": made.left_out });
    Ok(report)
}

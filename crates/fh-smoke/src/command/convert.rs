//! `fh-smoke convert`: a suite that does what a Hurl file does.

use fh_core::error::{Context, Hint};
use fh_core::report::Report;
use fh_core::{Error, Result};

use super::{TOOL, write};
use crate::cli::Convert;
use crate::findings::slug;
use crate::hurl;

pub(crate) fn run(convert: &Convert) -> Result<Report> {
    let shown = convert.file.display();
    let text = std::fs::read_to_string(&convert.file)
        .or_usage(|| format!("cannot read {shown}"))
        .hint(|| "give the path of a Hurl file, in UTF-8")?;
    let wrong = |fault: hurl::Fault| {
        Error::usage(format!("{shown}:{}:{}: {}", fault.line, fault.column, fault.what)).hint(
            "docs/SMOKE.md lists what is read of Hurl; nothing was written, because a suite that checks less would look the same",
        )
    };
    let entries = hurl::parse(&text).map_err(wrong)?;
    let stem = convert
        .file
        .file_stem()
        .map_or_else(|| "converted".into(), |stem| slug(&stem.to_string_lossy()));
    let suite = hurl::suite(&entries, &stem, convert.base.as_deref()).map_err(wrong)?;
    write::suite(&suite, convert.to.as_deref())?;
    let mut report = Report::listing(TOOL, "convert", "Suite from a Hurl file")
        .about("from", shown.to_string())
        .about("steps", entries.len().to_string());
    if let Some(to) = &convert.to {
        report
            .subject
            .push(("written to".into(), to.display().to_string()));
    }
    report.data = serde_json::json!({ "steps": entries.len() });
    Ok(report)
}

//! For people at a terminal, at three in the morning: what was asked, what was found, and one line that answers.

use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use super::RenderOptions;
use super::clean::one_line;
use super::paint::{Paint, glyph};
use super::quantity;
use super::tables::{section, wrap};
use crate::report::{Check, Failure, Report, Status};

/// Ids longer than this do not push the summaries of all others to the right.
const WIDEST_ID: usize = 32;

/// So many checks that were not judged for the same reason become one entry.
const FOLDED: usize = 4;

/// Where measures, evidence and hints begin: under the id.
const INDENT: usize = 10;

pub(super) fn render(report: &Report, options: &RenderOptions) -> String {
    let paint = Paint(options.color);
    let status = report.status();
    let mut blocks = Vec::new();
    if !options.quiet {
        blocks.push(header(report, options, paint));
    }
    blocks.extend(
        report
            .sections
            .iter()
            .map(|part| section(part, options.width, paint)),
    );
    blocks.push(checks(report, options, paint));
    if let Some(failure) = &report.failure {
        blocks.push(self::failure(failure, paint));
    }
    // A list that went well ends with its last row.
    let said = !report.checks.is_empty() || status != Status::Pass;
    if said && !(options.quiet && status == Status::Pass) {
        blocks.push(verdict(report, status, options, paint));
    }
    blocks.retain(|block| !block.is_empty());
    let mut out = blocks.join("\n\n");
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn header(report: &Report, options: &RenderOptions, paint: Paint) -> String {
    let title = wrap(&one_line(&report.title), options.width, 0);
    let mut lines: Vec<String> = title.lines().map(|line| paint.bold(line)).collect();
    let subject: Vec<String> = report
        .subject
        .iter()
        .map(|(name, value)| one_line(&format!("{name} {value}")))
        .collect();
    if !subject.is_empty() {
        lines.push(wrap(&subject.join(" · "), options.width, 0));
    }
    lines.push(paint.dim(&local(report.started, &options.zone)));
    lines.join("\n")
}

/// A time as people read it, with the offset that makes it unmistakable.
fn local(time: jiff::Timestamp, zone: &TimeZone) -> String {
    time.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string()
}

fn checks(report: &Report, options: &RenderOptions, paint: Paint) -> String {
    let shown: Vec<&Check> = report
        .checks
        .iter()
        .filter(|check| !options.quiet || !matches!(check.status, Status::Pass | Status::Skip))
        .collect();
    let entries = entries(&shown);
    let singles = entries.iter().filter_map(|entry| match entry {
        [check] => Some(check.id.width()),
        _ => None,
    });
    let ids = singles.max().unwrap_or(0).min(WIDEST_ID);
    let lines: Vec<String> = entries
        .iter()
        .map(|entry| match entry {
            [check] => one(check, ids, options, paint),
            several => folded(several, ids, options, paint),
        })
        .collect();
    lines.join("\n")
}

/// The checks one by one, and together those that were not judged for the same reason.
fn entries<'r, 'c>(mut rest: &'r [&'c Check]) -> Vec<&'r [&'c Check]> {
    let mut entries = Vec::new();
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|check| same_skip(first, check)).count();
        let (entry, after) = rest.split_at(if alike >= FOLDED { alike } else { 1 });
        entries.push(entry);
        rest = after;
    }
    entries
}

/// Whether two checks were not judged for the same reason, and neither has advice of its own.
fn same_skip(first: &Check, check: &Check) -> bool {
    let silent = |check: &Check| check.status == Status::Skip && check.hint.is_none();
    silent(first) && silent(check) && first.summary == check.summary
}

/// Several checks that were not judged for the same reason: a database that is down must not push what matters off the
/// screen.
fn folded(checks: &[&Check], ids: usize, options: &RenderOptions, paint: Paint) -> String {
    let together = Check::skip(
        format!("{} checks", checks.len()),
        checks.first().map_or("", |check| &check.summary),
    );
    let prefix = common(checks);
    let names: Vec<&str> = checks.iter().map(|check| &check.id[prefix.len()..]).collect();
    let place = if prefix.is_empty() {
        String::new()
    } else {
        format!("{}: ", prefix.trim_end_matches('.'))
    };
    let names = format!("{:INDENT$}{place}{}", "", names.join(", "));
    let names = wrap(&names, options.width, INDENT);
    let names: Vec<String> = names.lines().map(|line| paint.dim(line)).collect();
    format!("{}\n{}", one(&together, ids, options, paint), names.join("\n"))
}

/// What all ids begin with, up to a dot.
fn common<'c>(checks: &[&'c Check]) -> &'c str {
    let Some(first) = checks.first() else { return "" };
    let mut starts = first.id.rmatch_indices('.').map(|(dot, _)| &first.id[..=dot]);
    let of_all = |start: &&str| checks.iter().all(|check| check.id.starts_with(start));
    starts.find(of_all).unwrap_or_default()
}

fn one(check: &Check, ids: usize, options: &RenderOptions, paint: Paint) -> String {
    let word = format!("{} {:<7}", glyph(check.status), check.status);
    let pad = " ".repeat(ids.saturating_sub(check.id.width()));
    let took = check
        .duration
        .map(quantity::duration)
        .map(|time| format!(" ({time})"))
        .unwrap_or_default();
    // Wrapped without colours, whose codes have no width, and painted afterwards.
    let prefix = INDENT + check.id.width() + pad.len() + 2;
    let room = options
        .width
        .map(|width| width.saturating_sub(prefix.min(INDENT + WIDEST_ID)));
    let summary = wrap(&format!("{}{took}", check.summary), room, 0);
    let mut summary = summary.lines();
    let hang = " ".repeat(prefix.min(INDENT + ids + 2));
    let mut lines = vec![format!(
        "{} {}{pad}  {}",
        paint.status(check.status, &word),
        paint.bold(&check.id),
        summary.next().unwrap_or_default()
    )];
    lines.extend(summary.map(|line| format!("{hang}{line}")));
    let indent = " ".repeat(INDENT);
    let under = |text: &str| wrap(&format!("{indent}{text}"), options.width, INDENT);
    if !check.measures.is_empty() {
        let measures: Vec<String> = check.measures.iter().map(quantity::measure).collect();
        lines.extend(under(&measures.join(" · ")).lines().map(|line| paint.dim(line)));
    }
    // What passed needs no proof on the screen; machine formats carry it.
    if check.status != Status::Pass {
        for text in &check.evidence {
            lines.extend(text.lines().map(|line| paint.dim(&format!("{indent}| {line}"))));
        }
    }
    if let Some(hint) = &check.hint {
        let hint = wrap(&format!("{indent}hint: {hint}"), options.width, INDENT + 6);
        lines.extend(hint.lines().map(|line| paint.hint(line)));
    }
    lines.join("\n")
}

fn failure(failure: &Failure, paint: Paint) -> String {
    let mut lines = vec![format!(
        "{} {}",
        paint.status(Status::Fail, "error:"),
        failure.message
    )];
    lines.extend(failure.causes.iter().map(|cause| format!("caused by: {cause}")));
    lines.extend(
        failure
            .hint
            .iter()
            .map(|hint| paint.hint(&format!("hint: {hint}"))),
    );
    lines.join("\n")
}

fn verdict(report: &Report, status: Status, options: &RenderOptions, paint: Paint) -> String {
    let word = match status {
        Status::Pass => "PASS",
        Status::Warn => "WARN",
        Status::Fail => "FAIL",
        Status::Unknown => "UNKNOWN",
        Status::Skip => "SKIP",
    };
    let took = quantity::duration(report.took());
    let sign = glyph(status);
    let line = match &report.failure {
        // Its message stands right above.
        Some(failure) => format!(
            "{sign} {word}: stopped after {took}, exit code {}",
            failure.exit.code()
        ),
        None => format!("{sign} {word}: {} in {took}", report.headline()),
    };
    let line = wrap(&line, options.width, 0);
    line.lines()
        .map(|line| paint.status(status, line))
        .collect::<Vec<_>>()
        .join("\n")
}

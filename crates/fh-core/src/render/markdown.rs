//! Markdown as GitHub, GitLab and most chats read it (GFM), for tickets and step summaries.

use super::RenderOptions;
use super::clean::one_line;
use super::paint::glyph;
use super::quantity;
use crate::report::{Align, Check, Report, Section, Status, Table};

pub(super) fn render(report: &Report, options: &RenderOptions) -> String {
    blocks(report, options).concat()
}

/// As many whole blocks as fit into `limit` bytes, and a line that counts the ones left out.
pub(super) fn within(report: &Report, options: &RenderOptions, limit: usize) -> String {
    let blocks = blocks(report, options);
    if blocks.iter().map(String::len).sum::<usize>() <= limit {
        return blocks.concat();
    }
    let closing =
        |left: usize| format!("\n_{left} more blocks of this report are too long for this page._\n");
    let room = limit.saturating_sub(closing(blocks.len()).len());
    let mut used = 0;
    let shown = blocks
        .iter()
        .take_while(|block| {
            used += block.len();
            used <= room
        })
        .count();
    let mut out = blocks[..shown].concat();
    out.push_str(&closing(blocks.len() - shown));
    if out.len() <= limit { out } else { String::new() }
}

/// Pieces that may be cut between: heading, one row of a table, one check's details. Each ends with a newline.
fn blocks(report: &Report, options: &RenderOptions) -> Vec<String> {
    let status = report.status();
    let took = quantity::duration(report.took());
    let headline = escape(&report.headline());
    let mut blocks = vec![
        format!("## {} {}\n\n", glyph(status), escape(&report.title)),
        format!("**{}**: {headline}, in {took}\n\n", status.word().to_uppercase()),
    ];
    let started = report
        .started
        .to_zoned_datetime(options.zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %:z")
        .to_string();
    let mut facts: Vec<String> = report
        .subject
        .iter()
        .map(|(name, value)| format!("{} {}", escape(name), escape(value)))
        .collect();
    facts.push(started);
    blocks.push(format!("{}\n", facts.join(" · ")));
    if let Some(failure) = &report.failure {
        let mut lines = failure.causes.clone();
        lines.extend(failure.hint.iter().map(|hint| format!("hint: {hint}")));
        if !lines.is_empty() {
            blocks.push(format!("\n{}", fenced(&lines.join("\n"))));
        }
    }
    let mut checks: Vec<&Check> = report.checks.iter().collect();
    checks.sort_by_key(|check| check.status.rank());
    if !checks.is_empty() {
        blocks.push("\n| | check | result | took |\n| --- | --- | --- | ---: |\n".into());
        blocks.extend(checks.iter().map(|check| row(check)));
    }
    blocks.extend(checks.iter().filter_map(|check| details(check)));
    for section in &report.sections {
        blocks.extend(self::section(section));
    }
    blocks
}

fn row(check: &Check) -> String {
    let took = check.duration.map(quantity::duration).unwrap_or_default();
    let (id, summary) = (escape(&check.id), escape(&check.summary));
    format!(
        "| {} {} | {id} | {summary} | {took} |\n",
        glyph(check.status),
        check.status
    )
}

fn details(check: &Check) -> Option<String> {
    let measures: Vec<String> = check.measures.iter().map(quantity::measure).collect();
    let evidence = if check.status == Status::Pass {
        &[]
    } else {
        check.evidence.as_slice()
    };
    if measures.is_empty() && evidence.is_empty() && check.hint.is_none() {
        return None;
    }
    let mut out = format!("\n**{}**", escape(&check.id));
    if !measures.is_empty() {
        out.push_str(&format!(": {}", escape(&measures.join(" · "))));
    }
    out.push('\n');
    if !evidence.is_empty() {
        out.push_str(&format!("\n{}", fenced(&evidence.join("\n"))));
    }
    if let Some(hint) = &check.hint {
        out.push_str(&format!("\nHint: {}\n", escape(hint)));
    }
    Some(out)
}

fn section(section: &Section) -> Vec<String> {
    let heading = |title: &str| {
        if title.is_empty() {
            String::new()
        } else {
            format!("\n### {}\n", escape(title))
        }
    };
    match section {
        // Two spaces before a line end keep the break (GFM §6.12).
        Section::Text(text) => {
            vec![format!(
                "\n{}\n",
                text.lines().map(escape).collect::<Vec<_>>().join("  \n")
            )]
        }
        Section::Facts { title, pairs } => {
            let mut blocks = vec![format!("{}\n| | |\n| --- | --- |\n", heading(title))];
            blocks.extend(
                pairs
                    .iter()
                    .map(|(name, value)| format!("| {} | {} |\n", escape(name), escape(value))),
            );
            blocks
        }
        Section::Table(table) => {
            let mut blocks = vec![format!("{}\n{}", heading(&table.title), table_head(table))];
            blocks.extend(table.rows.iter().map(|row| {
                let cells = (0..table.columns.len()).map(|index| row.get(index).map_or("", String::as_str));
                line(cells.map(escape))
            }));
            blocks
        }
    }
}

fn table_head(table: &Table) -> String {
    let names = line(table.columns.iter().map(|column| escape(&column.name)));
    let rules = line(table.columns.iter().map(|column| match column.align {
        Align::Left => "---".to_owned(),
        Align::Right => "---:".to_owned(),
    }));
    format!("{names}{rules}")
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Every character that Markdown or HTML could take for its own, so that the text reads as it is; one line.
fn escape(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                out.push('\\');
                out.push(char);
            }
            _ => out.push(char),
        }
    }
    out
}

/// A code block whose fence is longer than any run of backticks inside.
fn fenced(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

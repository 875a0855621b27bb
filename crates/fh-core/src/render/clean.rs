//! Secrets out, characters that could break a line or a terminal made visible, before any renderer sees the report.

use std::fmt::Write as _;

use serde_json::Value;

use crate::report::{Check, Column, Failure, Measure, Report, Section, Table};
use crate::secret::scrub;

/// The report with dependencies settled and secrets replaced in every text, keys of the data included.
pub(super) fn scrubbed(report: &Report) -> Report {
    map(report, &scrub)
}

/// [`scrubbed`], with control characters written out. Line breaks and tabs stay; each renderer knows what they mean.
pub(super) fn printable(report: &Report) -> Report {
    // Scrubbed first, while the text is as the secret is; and again, because taking colours out may join its parts.
    map(report, &|text| scrub(&visible(&scrub(text))))
}

/// The text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split(['\n', '\t'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// At most `limit` bytes of the text, cut between characters, with an ellipsis where something is missing.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

/// Colours and other escape sequences out, control and direction-changing characters as `\u{1b}`.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\n' | '\t' => out.push(char),
            // Windows line ends, and the progress lines of child processes.
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            // ECMA-48 §5.4: CSI, parameters and intermediates from space to '?', one final byte.
            '\u{1b}' if rest.peek() == Some(&'[') => {
                rest.next();
                while rest.next_if(|next| (' '..='?').contains(next)).is_some() {}
                rest.next_if(|next| ('@'..='~').contains(next));
            }
            // Direction overrides make a text read differently from what it says; XML 1.0 §2.2 forbids the last two.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                escape(&mut out, char);
            }
            _ if char.is_control() => escape(&mut out, char),
            _ => out.push(char),
        }
    }
    out
}

fn escape(out: &mut String, char: char) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(char));
}

fn map(report: &Report, text: &dyn Fn(&str) -> String) -> Report {
    let texts = |all: &[String]| all.iter().map(|one| text(one)).collect::<Vec<_>>();
    let pairs = |all: &[(String, String)]| all.iter().map(|(key, value)| (text(key), text(value))).collect();
    Report {
        tool: text(&report.tool),
        command: text(&report.command),
        title: text(&report.title),
        subject: pairs(&report.subject),
        started: report.started,
        finished: report.finished,
        checks: report
            .settled()
            .iter()
            .map(|check| Check {
                id: text(&check.id),
                status: check.status,
                summary: text(&check.summary),
                measures: check
                    .measures
                    .iter()
                    .map(|measure| Measure {
                        name: text(&measure.name),
                        ..measure.clone()
                    })
                    .collect(),
                evidence: texts(&check.evidence),
                hint: check.hint.as_deref().map(text),
                duration: check.duration,
                depends_on: texts(&check.depends_on),
            })
            .collect(),
        sections: report
            .sections
            .iter()
            .map(|section| match section {
                Section::Table(table) => Section::Table(Table {
                    title: text(&table.title),
                    columns: table
                        .columns
                        .iter()
                        .map(|column| Column {
                            name: text(&column.name),
                            align: column.align,
                        })
                        .collect(),
                    rows: table.rows.iter().map(|row| texts(row)).collect(),
                }),
                Section::Facts { title, pairs: facts } => Section::Facts {
                    title: text(title),
                    pairs: pairs(facts),
                },
                Section::Text(paragraph) => Section::Text(text(paragraph)),
            })
            .collect(),
        data: json(&report.data, text),
        verdict: report.verdict,
        failure: report.failure.as_ref().map(|failure| Failure {
            message: text(&failure.message),
            causes: texts(&failure.causes),
            hint: failure.hint.as_deref().map(text),
            exit: failure.exit,
        }),
    }
}

fn json(value: &Value, text: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => items.iter().map(|item| json(item, text)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, field)| (text(key), json(field, text)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_move_a_cursor_is_written_out() {
        assert_eq!(
            visible("a\u{1b}[1;31mred\u{1b}[0m\r\nb\u{7}\u{0}\u{202e}c\u{9b}"),
            "ared\nb\\u{7}\\u{0}\\u{202e}c\\u{9b}"
        );
        assert_eq!(visible("10 %\r20 %\r"), "10 %\n20 %\n");
        assert_eq!(visible("cut \u{1b}[31"), "cut ");
        assert_eq!(visible("\u{1b}]0;title"), "\\u{1b}]0;title");
    }

    #[test]
    fn a_secret_in_two_colours_is_still_a_secret() {
        let _secret = crate::Secret::new("two-coloured");
        let mut report = Report::listing("fh-x", "x", "two-\u{1b}[31mcoloured");
        report.data = serde_json::json!({"key two-coloured": ["two-coloured", {"x": "two-coloured"}]});
        assert_eq!(printable(&report).title, "***");
        assert_eq!(
            printable(&report).data.to_string(),
            r#"{"key ***":["***",{"x":"***"}]}"#
        );
    }

    #[test]
    fn shortening_never_cuts_a_character() {
        assert_eq!(shortened("äöü", 6), "äöü");
        assert_eq!(shortened("äöüß", 6), "ä…");
        assert_eq!(one_line(" a \n\n b\tc "), "a b c");
    }
}

//! Sections for people: tables, facts and text within the width of the screen.

use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};
use unicode_width::UnicodeWidthStr;

use super::paint::Paint;
use crate::report::{Align, Section, Table};

/// One section, without a newline at its end; empty when it has nothing to show.
pub(super) fn section(section: &Section, width: Option<usize>, paint: Paint) -> String {
    match section {
        Section::Table(table) => titled(&table.title, &rows(table, width), paint),
        Section::Facts { title, pairs } => titled(title, &facts(pairs, width), paint),
        Section::Text(text) => text
            .lines()
            .map(|line| wrap(line, width, 0))
            .collect::<Vec<_>>()
            .join("\n")
            .trim_end()
            .to_owned(),
    }
}

fn titled(title: &str, body: &str, paint: Paint) -> String {
    if title.is_empty() {
        body.to_owned()
    } else {
        format!("{}\n{body}", paint.bold(title))
    }
}

fn rows(table: &Table, width: Option<usize>) -> String {
    if table.rows.is_empty() {
        return "(none)".into();
    }
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(presets::NOTHING);
    match width {
        Some(width) => drawn
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX)),
        None => drawn.set_content_arrangement(ContentArrangement::Disabled),
    };
    drawn.set_header(
        table
            .columns
            .iter()
            .map(|column| Cell::new(column.name.to_uppercase())),
    );
    for row in &table.rows {
        drawn.add_row((0..table.columns.len()).map(|index| row.get(index).map_or("", String::as_str)));
    }
    for (index, column) in table.columns.iter().enumerate() {
        if let Some(drawn) = drawn.column_mut(index) {
            drawn.set_padding((0, 2));
            drawn.set_cell_alignment(match column.align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
        }
    }
    drawn
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

fn facts(pairs: &[(String, String)], width: Option<usize>) -> String {
    let names = pairs
        .iter()
        .map(|(name, _)| name.width())
        .max()
        .unwrap_or(0)
        .min(40);
    let lines: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let pad = " ".repeat(names.saturating_sub(name.width()));
            wrap(&format!("{name}{pad}  {value}"), width, names + 2)
        })
        .collect();
    lines.join("\n")
}

/// The text in lines of at most `width` columns, broken between words where it can be; every line after the first
/// begins with `indent` spaces. Line breaks in the text are kept.
pub(super) fn wrap(text: &str, width: Option<usize>, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut out = String::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
            out.push_str(&pad);
        }
        // A screen too narrow for the indent would give a column of letters.
        match width.filter(|width| *width >= indent + 20) {
            Some(width) => wrap_line(
                &mut out,
                &line.replace('\t', "    "),
                width,
                if index > 0 { indent } else { 0 },
                &pad,
            ),
            None => out.push_str(line),
        }
    }
    out
}

fn wrap_line(out: &mut String, line: &str, width: usize, start: usize, pad: &str) {
    let mut used = start;
    for word in line.split_inclusive(' ') {
        if used + word.trim_end().width() > width && used > pad.len() {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(pad);
            used = pad.len();
        }
        for char in word.chars() {
            let columns = unicode_width::UnicodeWidthChar::width(char).unwrap_or(0);
            if used + columns > width && char != ' ' {
                out.push('\n');
                out.push_str(pad);
                used = pad.len();
            }
            out.push(char);
            used += columns;
        }
    }
    out.truncate(
        out.trim_end_matches(' ')
            .len()
            .max(out.rfind('\n').map_or(0, |end| end + 1)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_keep_their_indent() {
        assert_eq!(
            wrap("one two three four five six seven", Some(22), 2),
            "one two three four\n  five six seven"
        );
        assert_eq!(wrap("a\nb", None, 2), "a\n  b");
        assert_eq!(
            wrap("x".repeat(25).as_str(), Some(22), 2),
            format!("{}\n  xxx", "x".repeat(22))
        );
    }

    #[test]
    fn no_line_is_wider_than_the_screen() {
        let text = "表が大きい sizes and 表表表表表表表表表表表表表表表 words ".repeat(4);
        for width in 24..60 {
            for line in wrap(&text, Some(width), 3).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn an_empty_table_says_so() {
        let table = Table::new("Sets").left("id");
        assert_eq!(section(&table.into(), None, Paint(false)), "Sets\n(none)");
    }
}

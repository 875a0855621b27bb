//! TOML text to tree.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::origin::Origin;
use super::tree::{Node, Value};
use crate::error::{Error, Result};

/// Parses the text of a configuration file; `shown` is its path as people write it.
///
/// The parser's own rendering of an error quotes the line, which may hold a password: only its message and place are
/// used.
pub(super) fn parse(text: &str, shown: &Path) -> Result<Node> {
    let places = Places::new(text, shown);
    let table = DeTable::parse(text).map_err(|error| {
        let origin = places.origin(error.span().map_or(0, |span| span.start));
        Error::usage(format!("not valid TOML: {} ({origin})", error.message()))
            .hint("strings need quotes, and each table and key may come once; see https://toml.io")
    })?;
    places.table(table.get_ref(), places.origin(0))
}

/// Turns byte offsets into lines and columns.
struct Places<'t> {
    text: &'t str,
    shown: &'t Path,
    line_starts: Vec<usize>,
}

impl<'t> Places<'t> {
    fn new(text: &'t str, shown: &'t Path) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            text,
            shown,
            line_starts,
        }
    }

    fn origin(&self, offset: usize) -> Origin {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let column = self
            .text
            .get(start..offset)
            .map_or(1, |before| before.chars().count() + 1);
        Origin::File {
            path: self.shown.to_owned(),
            line,
            column,
        }
    }

    fn table(&self, table: &DeTable<'_>, origin: Origin) -> Result<Node> {
        let mut node = Node::table(origin);
        if let Value::Table(entries) = &mut node.value {
            for (key, value) in table {
                let origin = self.origin(key.span().start);
                entries.insert(key.get_ref().to_string(), self.value(value.get_ref(), origin)?);
            }
        }
        Ok(node)
    }

    fn value(&self, value: &DeValue<'_>, origin: Origin) -> Result<Node> {
        let value =
            match value {
                DeValue::Table(table) => return self.table(table, origin),
                DeValue::Array(items) => Value::List(
                    items
                        .iter()
                        .map(|item| self.value(item.get_ref(), self.origin(item.span().start)))
                        .collect::<Result<_>>()?,
                ),
                DeValue::String(text) => Value::Text(text.to_string()),
                DeValue::Integer(number) => {
                    Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| {
                        Error::usage(format!("a whole number is too large ({origin})"))
                            .hint("TOML's whole numbers have 64 bits")
                    })?)
                }
                DeValue::Float(number) => Value::Float(number.as_str().parse().map_err(|_| {
                    Error::usage(format!("not a number ({origin})")).hint("see https://toml.io")
                })?),
                DeValue::Boolean(value) => Value::Bool(*value),
                DeValue::Datetime(_) => Value::Date,
            };
        Ok(Node { value, origin })
    }
}

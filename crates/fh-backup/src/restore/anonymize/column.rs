//! What a rule means for a column of some type.

use fh_core::config::MaskRule;

use super::fake::{LONGEST_EMAIL, LONGEST_NAME};
use crate::body::Column;

/// Digits of a hash below which different values would soon become the same.
const LEAST_HASH: usize = 16;

/// What becomes of a column.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// `schema.table.column`, for messages.
    pub(super) label: String,
    /// Its type, as SQL.
    pub(super) kind: String,
    pub(super) action: Action,
    /// It has no rule and may hold texts: values of masked columns are looked for in it.
    pub(super) watched: bool,
}

impl Plan {
    pub(super) fn changes(&self) -> bool {
        !matches!(self.action, Action::Keep)
    }
}

/// What becomes of a value.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Keep,
    Null,
    Fixed {
        text: String,
        /// As the server writes it in COPY text.
        canonical: Vec<u8>,
    },
    Hash(Shape),
    Name(Shape),
    Email(Shape),
}

/// The form that a column's type asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any text.
    Text,
    /// At most so many characters.
    AtMost(usize),
    /// So many characters, with spaces at the end.
    Filled(usize),
    Uuid,
    Bytea,
}

impl Shape {
    fn of(base: &str, category: &str) -> Option<Self> {
        let length = base
            .split_once('(')
            .and_then(|(_, rest)| rest.strip_suffix(')')?.parse().ok());
        Some(match (base.split('(').next().unwrap_or(base), length) {
            ("uuid", _) => Self::Uuid,
            ("bytea", _) => Self::Bytea,
            ("name", _) => Self::AtMost(63),
            ("\"char\"", _) => Self::AtMost(1),
            ("character", length) => Self::Filled(length.unwrap_or(1)),
            ("character varying", Some(length)) => Self::AtMost(length),
            _ if category == "S" => Self::Text,
            _ => return None,
        })
    }

    /// Characters that fit.
    fn room(self) -> usize {
        match self {
            Self::AtMost(length) | Self::Filled(length) => length,
            Self::Text | Self::Uuid | Self::Bytea => usize::MAX,
        }
    }

    fn is_text(self) -> bool {
        !matches!(self, Self::Uuid | Self::Bytea)
    }

    /// A text of plain ASCII in this form.
    pub(super) fn fit(self, text: &str) -> String {
        match self {
            Self::Text => text.to_owned(),
            Self::AtMost(length) => text.chars().take(length).collect(),
            Self::Filled(length) => {
                let cut: String = text.chars().take(length).collect();
                format!("{cut:length$}")
            }
            Self::Uuid => {
                let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
                let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
                parts.join("-")
            }
            Self::Bytea => format!("\\x{text}"),
        }
    }
}

/// Whether values of this type say nothing about anybody by themselves: numbers, booleans, times, enums, UUIDs, bits,
/// ranges. Everything else (texts, JSON, XML, bytes, arrays, composites, addresses, types of extensions) may.
pub(super) fn is_harmless(column: &Column) -> bool {
    let base = column.base.as_deref().unwrap_or(&column.kind);
    base == "uuid" || ["N", "B", "D", "T", "E", "V", "R"].contains(&column.category.as_str())
}

/// What a rule does to a column.
///
/// # Errors
/// Why it cannot be applied.
pub(super) fn action(rule: &MaskRule, column: &Column) -> Result<Action, String> {
    let base = column.base.as_deref().unwrap_or(&column.kind);
    let shape = Shape::of(base, &column.category);
    let text = |word: &str, longest: usize| match shape.filter(|shape| shape.is_text()) {
        None => Err(format!(
            "the rule \"{word}\" makes texts, and its type is {}",
            column.kind
        )),
        Some(shape) if shape.room() < longest => Err(format!(
            "the rule \"{word}\" needs {longest} characters, and its type is {}",
            column.kind
        )),
        Some(shape) => Ok(shape),
    };
    Ok(match rule {
        MaskRule::Keep => Action::Keep,
        MaskRule::Null if column.not_null => {
            return Err("the rule \"null\" is for a column that is NOT NULL".into());
        }
        MaskRule::Null => Action::Null,
        MaskRule::Fixed(text) => Action::Fixed {
            text: text.clone(),
            canonical: Vec::new(),
        },
        MaskRule::Hash => match shape {
            None => {
                return Err(format!(
                    "the rule \"hash\" is for texts, uuid and bytea, and its type is {}",
                    column.kind
                ));
            }
            Some(shape) if shape.is_text() => Action::Hash(text("hash", LEAST_HASH)?),
            Some(shape) => Action::Hash(shape),
        },
        MaskRule::Name => Action::Name(text("name", LONGEST_NAME)?),
        MaskRule::Email => Action::Email(text("email", LONGEST_EMAIL)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: &str, category: &str, not_null: bool) -> Column {
        Column {
            name: "c".into(),
            kind: kind.into(),
            base: None,
            category: category.into(),
            not_null,
        }
    }

    #[test]
    fn hashes_take_the_form_of_the_column() {
        let digits = "0123456789abcdef".repeat(4);
        let fit = |kind: &str| match action(&MaskRule::Hash, &column(kind, "S", false)) {
            Ok(Action::Hash(shape)) => shape.fit(&digits),
            other => format!("{other:?}"),
        };
        assert_eq!(fit("text"), digits);
        assert_eq!(fit("character varying(20)"), digits[..20]);
        assert_eq!(fit("character(16)"), digits[..16]);
        assert_eq!(fit("character(70)"), format!("{digits}      "));
        assert_eq!(fit("uuid"), "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(fit("bytea"), format!("\\x{digits}"));
        assert!(fit("character varying(15)").contains("needs 16 characters"));
    }

    #[test]
    fn rules_that_cannot_be_applied_are_told() {
        let wrong = |rule: MaskRule, kind: &str, category: &str| {
            action(&rule, &column(kind, category, true)).unwrap_err()
        };
        assert!(wrong(MaskRule::Null, "text", "S").contains("NOT NULL"));
        assert!(wrong(MaskRule::Hash, "jsonb", "U").contains("type is jsonb"));
        assert!(wrong(MaskRule::Hash, "integer", "N").contains("type is integer"));
        assert!(wrong(MaskRule::Name, "uuid", "U").contains("makes texts"));
        assert!(wrong(MaskRule::Email, "character varying(20)", "S").contains("needs 33"));
    }

    #[test]
    fn only_types_that_say_nothing_are_harmless() {
        for (kind, category, harmless) in [
            ("integer", "N", true),
            ("timestamp with time zone", "D", true),
            ("uuid", "U", true),
            ("public.mood", "E", true),
            ("text", "S", false),
            ("jsonb", "U", false),
            ("text[]", "A", false),
            ("public.address", "C", false),
            ("inet", "I", false),
            ("public.hstore", "U", false),
            ("point", "G", false),
        ] {
            assert_eq!(is_harmless(&column(kind, category, false)), harmless, "{kind}");
        }
    }
}

//! Whether a value is what it must be.

use fh_http::jsonpath::{Comparison, shown};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::matcher::{Conditions, JsonType, Matcher};
use crate::scope::Scope;
use crate::template;

/// The most memory that one regular expression may need, in bytes.
const REGEX_SIZE: usize = 1 << 20;

/// A regular expression, bounded in size.
///
/// # Errors
/// What is wrong with it.
pub fn regex(expression: &str) -> Result<Regex, String> {
    RegexBuilder::new(expression)
        .size_limit(REGEX_SIZE)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            format!(
                "`{expression}` is no regular expression: {}",
                last.strip_prefix("error: ").unwrap_or(last)
            )
        })
}

impl Matcher {
    /// Every regular expression in it.
    pub(crate) fn expressions(&self) -> Vec<&str> {
        match self {
            Self::Equals(_) => Vec::new(),
            Self::Conditions(of) => [&of.matches, &of.not_matches]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect(),
        }
    }

    /// Every value in it that may hold variables.
    pub(crate) fn values(&self) -> Vec<Value> {
        match self {
            Self::Equals(value) => vec![value.clone()],
            Self::Conditions(of) => {
                let values = [
                    &of.equals,
                    &of.not,
                    &of.contains,
                    &of.not_contains,
                    &of.lt,
                    &of.le,
                    &of.gt,
                    &of.ge,
                ];
                let texts = [&of.starts_with, &of.ends_with];
                values
                    .into_iter()
                    .flatten()
                    .cloned()
                    .chain(
                        texts
                            .into_iter()
                            .flatten()
                            .map(|text| Value::String(text.clone())),
                    )
                    .chain(of.one_of.iter().flatten().cloned())
                    .collect()
            }
        }
    }

    /// Whether it only asks that nothing is there.
    fn wants_absence(&self) -> bool {
        matches!(self, Self::Conditions(of) if of.exists == Some(false) || of.count == Some(0))
    }

    /// Judges everything that was found under one name or path.
    ///
    /// # Errors
    /// What was expected and what was found instead.
    pub fn judge(&self, found: &[&Value], scope: &Scope) -> Result<(), Miss> {
        if found.is_empty() {
            return if self.wants_absence() {
                Ok(())
            } else {
                Err(Miss::new(self.wanted(scope)?, "nothing is there"))
            };
        }
        match self {
            Self::Equals(wanted) => {
                let wanted = template::render_value(wanted, scope)?;
                all(found, &wanted, "", |value| {
                    Comparison::Equal.holds(value, &wanted)
                })
            }
            Self::Conditions(of) => of.judge(found, scope),
        }
    }

    /// What it asks for, in words.
    fn wanted(&self, scope: &Scope) -> Result<String, Miss> {
        match self {
            Self::Equals(wanted) => Ok(shown(&template::render_value(wanted, scope)?)),
            Self::Conditions(_) => Ok("something".into()),
        }
    }
}

/// What was expected, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// In words.
    pub expected: String,
    /// In words.
    pub got: String,
}

impl Miss {
    /// Both in words.
    pub fn new(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            got: got.into(),
        }
    }
}

impl From<String> for Miss {
    /// A value that could not be made, such as a variable without a value.
    fn from(text: String) -> Self {
        Self::new("a value to compare with", text)
    }
}

/// Every found value must hold; the first that does not is shown.
fn all(found: &[&Value], wanted: &Value, relation: &str, holds: impl Fn(&Value) -> bool) -> Result<(), Miss> {
    match found.iter().find(|value| !holds(value)) {
        None => Ok(()),
        Some(other) => {
            let space = if relation.is_empty() { "" } else { " " };
            // The whole texts, so that the difference can be seen where it is.
            let text = |value: &Value| value.to_string();
            Err(Miss::new(
                format!("{relation}{space}{}", text(wanted)),
                text(other),
            ))
        }
    }
}

impl Conditions {
    fn judge(&self, found: &[&Value], scope: &Scope) -> Result<(), Miss> {
        if self.exists == Some(false) {
            return Err(Miss::new(
                "nothing",
                found.first().map_or(String::new(), |value| shown(value)),
            ));
        }
        self.judge_counts(found)?;
        let compared = [
            (&self.equals, Comparison::Equal, ""),
            (&self.not, Comparison::NotEqual, "anything but"),
            (&self.lt, Comparison::Less, "less than"),
            (&self.le, Comparison::AtMost, "at most"),
            (&self.gt, Comparison::Greater, "more than"),
            (&self.ge, Comparison::AtLeast, "at least"),
        ];
        for (wanted, comparison, words) in compared {
            if let Some(wanted) = wanted {
                let wanted = template::render_value(wanted, scope)?;
                all(found, &wanted, words, |value| comparison.holds(value, &wanted))?;
            }
        }
        for (wanted, present, words) in [
            (&self.contains, true, "something with"),
            (&self.not_contains, false, "something without"),
        ] {
            if let Some(wanted) = wanted {
                let wanted = template::render_value(wanted, scope)?;
                all(found, &wanted, words, |value| {
                    contains(value, &wanted) == Some(present)
                })?;
            }
        }
        for (wanted, begins, words) in [
            (&self.starts_with, true, "a text that begins with"),
            (&self.ends_with, false, "a text that ends with"),
        ] {
            if let Some(wanted) = wanted {
                let wanted = template::render(wanted, scope)?;
                all(found, &wanted.clone().into(), words, |value| {
                    value.as_str().is_some_and(|text| {
                        if begins {
                            text.starts_with(&wanted)
                        } else {
                            text.ends_with(&wanted)
                        }
                    })
                })?;
            }
        }
        for (expression, wanted, words) in [
            (&self.matches, true, "a text that matches"),
            (&self.not_matches, false, "a text that does not match"),
        ] {
            if let Some(expression) = expression {
                let compiled = regex(expression)?;
                all(found, &expression.clone().into(), words, |value| {
                    plain(value).is_some_and(|text| compiled.is_match(&text) == wanted)
                })?;
            }
        }
        if let Some(choices) = &self.one_of {
            let choices = template::render_value(&Value::Array(choices.clone()), scope)?;
            all(found, &choices, "one of", |value| {
                choices
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| Comparison::Equal.holds(value, one)))
            })?;
        }
        match (
            self.kind,
            found.iter().find(|value| Some(JsonType::of(value)) != self.kind),
        ) {
            (Some(kind), Some(other)) => Err(Miss::new(
                format!("a value of type {}", kind.word()),
                format!("{} {}", JsonType::of(other).word(), shown(other)),
            )),
            _ => Ok(()),
        }
    }

    fn judge_counts(&self, found: &[&Value]) -> Result<(), Miss> {
        let count = match found {
            [Value::Array(items)] => items.len(),
            [Value::String(text)] => text.chars().count(),
            [Value::Object(members)] => members.len(),
            all => all.len(),
        };
        let wrong =
            |words: &str, wanted: usize| Err(Miss::new(format!("{words}{wanted}"), count.to_string()));
        match (self.count, self.min_count, self.max_count) {
            (Some(wanted), _, _) if count != wanted => wrong("a count of ", wanted),
            (_, Some(wanted), _) if count < wanted => wrong("a count of at least ", wanted),
            (_, _, Some(wanted)) if count > wanted => wrong("a count of at most ", wanted),
            _ => Ok(()),
        }
    }
}

/// The text that regular expressions look at: numbers and booleans have one too.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether a text or list contains something; `None` when it is neither.
fn contains(value: &Value, wanted: &Value) -> Option<bool> {
    match value {
        Value::String(text) => plain(wanted).map(|wanted| text.contains(&wanted)),
        Value::Array(items) => Some(items.iter().any(|item| Comparison::Equal.holds(item, wanted))),
        Value::Object(members) => wanted.as_str().map(|key| members.contains_key(key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn conditions(toml: &str) -> Matcher {
        #[derive(serde::Deserialize)]
        struct Holder {
            is: Matcher,
        }
        let text = format!("is = {toml}");
        let (holder, _) = fh_core::config::read_document::<Holder>(&text, std::path::Path::new("x")).unwrap();
        holder.is
    }

    /// Each condition on a value that fits and on one that does not.
    #[test]
    fn every_condition_in_both_ways() {
        let cases = [
            ("\"a\"", json!("a"), json!("b")),
            ("5", json!(5.0), json!("5")),
            ("true", json!(true), json!(false)),
            ("{ equals = [1, 2] }", json!([1, 2]), json!([2, 1])),
            ("{ not = \"a\" }", json!("b"), json!("a")),
            ("{ contains = \"b\" }", json!("abc"), json!("xyz")),
            ("{ contains = 2 }", json!([1, 2]), json!([1])),
            ("{ not_contains = \"b\" }", json!("xyz"), json!("abc")),
            ("{ not_contains = \"b\" }", json!("xyz"), json!(5)),
            ("{ matches = \"^v[0-9]+$\" }", json!("v12"), json!("12")),
            ("{ not_matches = \"x\" }", json!("abc"), json!("axc")),
            ("{ starts_with = \"a\" }", json!("abc"), json!("bc")),
            ("{ ends_with = \"c\" }", json!("abc"), json!("ab")),
            ("{ lt = 5 }", json!(4), json!(5)),
            ("{ le = 5 }", json!(5), json!(6)),
            ("{ gt = 5 }", json!(6), json!(5)),
            ("{ ge = 5 }", json!(5), json!("9")),
            ("{ one_of = [1, \"a\"] }", json!("a"), json!("b")),
            ("{ type = \"array\" }", json!([]), json!({})),
            ("{ type = \"null\" }", json!(null), json!(0)),
            ("{ count = 2 }", json!([1, 2]), json!([1])),
            ("{ min_count = 1 }", json!("x"), json!("")),
            ("{ max_count = 1 }", json!({"a": 1}), json!({"a": 1, "b": 2})),
            ("{ ge = 1, le = 3 }", json!(2), json!(4)),
        ];
        let scope = Scope::default();
        for (matcher, good, bad) in cases {
            assert_eq!(
                conditions(matcher).judge(&[&good], &scope),
                Ok(()),
                "{matcher} {good}"
            );
            assert!(
                conditions(matcher).judge(&[&bad], &scope).is_err(),
                "{matcher} {bad}"
            );
        }
    }

    #[test]
    fn nothing_fits_only_those_who_ask_for_nothing() {
        let scope = Scope::default();
        assert_eq!(conditions("{ exists = false }").judge(&[], &scope), Ok(()));
        assert_eq!(conditions("{ count = 0 }").judge(&[], &scope), Ok(()));
        assert!(
            conditions("{ exists = false }")
                .judge(&[&json!(null)], &scope)
                .is_err()
        );
        for asks in [
            "1",
            "{ exists = true }",
            "{ not = 1 }",
            "{ not_contains = \"x\" }",
            "{ max_count = 3 }",
        ] {
            assert!(conditions(asks).judge(&[], &scope).is_err(), "{asks}");
        }
        assert_eq!(
            conditions("{ exists = true }").judge(&[&json!(null)], &scope),
            Ok(())
        );
    }

    #[test]
    fn all_that_is_found_must_fit() {
        let (one, two) = (json!(1), json!(2));
        let scope = Scope::default();
        assert_eq!(conditions("{ ge = 1 }").judge(&[&one, &two], &scope), Ok(()));
        assert_eq!(
            conditions("1").judge(&[&one, &two], &scope),
            Err(Miss::new("1", "2"))
        );
        assert_eq!(conditions("{ count = 2 }").judge(&[&one, &two], &scope), Ok(()));
    }
}

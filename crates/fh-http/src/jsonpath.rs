//! JSONPath as RFC 9535 has it, and conditions on what a path finds.
//!
//! ```
//! use fh_http::jsonpath::Condition;
//! let body = serde_json::json!({"database": "connected", "workers": [{"busy": 3}, {"busy": 4}]});
//! let condition: Condition = r#"$.database == "connected""#.parse().unwrap();
//! assert_eq!(condition.judge(&body), Ok(()));
//! let condition: Condition = "$.workers[*].busy <= 3".parse().unwrap();
//! assert_eq!(condition.judge(&body), Err("$.workers[*].busy is 4, expected <= 3".into()));
//! ```

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// The longest rendering of a found value in a message.
const LONGEST_SHOWN: usize = 200;

/// A path that was checked.
#[derive(Debug, Clone)]
pub struct Path {
    text: String,
    path: serde_json_path::JsonPath,
}

impl Path {
    /// Everything that the path finds, in document order.
    #[must_use]
    pub fn all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        self.path.query(value).all()
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = serde_json_path::JsonPath::parse(text).map_err(|error| {
            format!(
                "`{text}` is no JSONPath (RFC 9535): at character {}: {}",
                error.position() + 1,
                error.message()
            )
        })?;
        Ok(Self {
            text: text.to_owned(),
            path,
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How what was found is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Longer signs first, so that `<=` is not read as `<`.
    const SIGNS: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    fn sign(self) -> &'static str {
        Self::SIGNS
            .iter()
            .find(|(_, comparison)| *comparison == self)
            .map_or("", |(sign, _)| sign)
    }

    /// Whether `found` stands in this relation to `wanted`. Numbers compare as numbers, so that 1 equals 1.0; order is
    /// defined between two numbers or two strings only.
    #[must_use]
    pub fn holds(self, found: &Value, wanted: &Value) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = match (found, wanted) {
            (Value::Number(found), Value::Number(wanted)) => match (found.as_i128(), wanted.as_i128()) {
                (Some(found), Some(wanted)) => Some(found.cmp(&wanted)),
                _ => found.as_f64().partial_cmp(&wanted.as_f64()),
            },
            (Value::String(found), Value::String(wanted)) => Some(found.cmp(wanted)),
            _ => (found == wanted).then_some(Equal),
        };
        let ordered = matches!(
            (found, wanted),
            (Value::Number(_), Value::Number(_)) | (Value::String(_), Value::String(_))
        );
        match self {
            Self::Equal => order == Some(Equal),
            Self::NotEqual => order != Some(Equal),
            Self::Less => ordered && order == Some(Less),
            Self::AtMost => ordered && matches!(order, Some(Less | Equal)),
            Self::Greater => ordered && order == Some(Greater),
            Self::AtLeast => ordered && matches!(order, Some(Greater | Equal)),
        }
    }
}

/// A path, and what must be true of everything it finds: `$.version == "1.2"`, `$.queue < 100`, or the path alone when
/// it only has to find something.
#[derive(Debug, Clone)]
pub struct Condition {
    path: Path,
    comparison: Option<(Comparison, Value)>,
}

impl Condition {
    /// Whether it is true of `value`. A path that finds nothing satisfies nothing.
    ///
    /// # Errors
    /// What was found instead, in words.
    pub fn judge(&self, value: &Value) -> Result<(), String> {
        let found = self.path.all(value);
        if found.is_empty() {
            return Err(format!("{} is not there", self.path));
        }
        let Some((comparison, wanted)) = &self.comparison else {
            return Ok(());
        };
        match found.iter().find(|found| !comparison.holds(found, wanted)) {
            None => Ok(()),
            Some(other) => Err(format!(
                "{} is {}, expected {} {}",
                self.path,
                shown(other),
                comparison.sign(),
                shown(wanted)
            )),
        }
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some((at, sign, comparison)) = sign(text) else {
            return Ok(Self {
                path: text.parse()?,
                comparison: None,
            });
        };
        let wanted = text[at + sign.len()..].trim();
        let wanted = serde_json::from_str(wanted)
            .map_err(|_| format!("`{wanted}` after {sign} is no JSON value; texts need quotes: \"…\""))?;
        Ok(Self {
            path: text[..at].trim_end().parse()?,
            comparison: Some((comparison, wanted)),
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        match &self.comparison {
            Some((comparison, wanted)) => write!(f, " {} {wanted}", comparison.sign()),
            None => Ok(()),
        }
    }
}

/// The first comparison outside of brackets and quotes: filters have their own.
fn sign(text: &str) -> Option<(usize, &'static str, Comparison)> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), char) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => {
                let found = Comparison::SIGNS
                    .iter()
                    .find(|(sign, _)| text[at..].starts_with(sign));
                if let Some((sign, comparison)) = found {
                    return Some((at, sign, *comparison));
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// A value as JSON, cut where it becomes a wall of text.
#[must_use]
pub fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(condition: &str, value: &Value) -> Result<(), String> {
        condition.parse::<Condition>().unwrap().judge(value)
    }

    #[test]
    fn every_comparison_in_both_ways() {
        let value = json!({"n": 5, "s": "b", "f": 5.0, "z": null, "t": true});
        for good in [
            "$.n == 5",
            "$.f == 5",
            "$.n != 6",
            "$.n < 6",
            "$.n <= 5",
            "$.n > 4",
            "$.n >= 5",
            r#"$.s == "b""#,
            r#"$.s > "a""#,
            "$.z == null",
            "$.t == true",
            "$.z",
            "$.n != \"5\"",
        ] {
            assert_eq!(judged(good, &value), Ok(()), "{good}");
        }
        for bad in [
            "$.n == 6",
            "$.n != 5",
            "$.n < 5",
            "$.n <= 4",
            "$.n > 5",
            "$.n >= 6",
            r#"$.n == "5""#,
            r#"$.n > "4""#,
            "$.s > 4",
            "$.missing",
            "$.missing != 5",
            "$.t > false",
        ] {
            assert!(judged(bad, &value).is_err(), "{bad}");
        }
    }

    #[test]
    fn signs_in_filters_and_texts_are_not_the_comparison() {
        let value = json!({"a": [{"k": "x==y", "v": 1}, {"k": "z", "v": 9}]});
        assert_eq!(judged(r#"$.a[?@.k == "x==y"].v == 1"#, &value), Ok(()));
        assert_eq!(judged(r"$.a[?@.v > 5].k", &value), Ok(()));
        assert!(judged(r#"$.a[?@.k == "x==y"].v == 2"#, &value).is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |text: &str| text.parse::<Condition>().unwrap_err();
        assert!(said("$.a == connected").contains("texts need quotes"));
        assert!(said("a.b").contains("no JSONPath"), "{}", said("a.b"));
    }
}

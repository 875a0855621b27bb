//! What an answer must be like.

use std::fmt;

use fh_core::config::HealthHttp;
use fh_http::Response;
use fh_http::jsonpath::Condition;

/// What was configured, ready to compare.
#[derive(Debug, Clone)]
pub(super) struct Expect {
    status: Vec<(u16, u16)>,
    shown: String,
    headers: Vec<(String, String)>,
    json: Vec<Condition>,
    contains: Option<String>,
    limited: bool,
}

impl Expect {
    /// Reads the configuration.
    ///
    /// # Errors
    /// What in it cannot be read.
    pub(super) fn new(entry: &HealthHttp) -> Result<Self, String> {
        let status = if entry.status.is_empty() {
            vec![(200, 299)]
        } else {
            entry
                .status
                .iter()
                .map(|text| range(text))
                .collect::<Result<_, _>>()?
        };
        let shown = if entry.status.is_empty() {
            "2xx".to_owned()
        } else {
            entry.status.join(", ")
        };
        let conditions = entry.json.iter().map(|text| text.parse::<Condition>());
        Ok(Self {
            status,
            shown,
            headers: entry.expect_headers.clone().into_iter().collect(),
            json: conditions.collect::<Result<_, _>>()?,
            contains: entry.contains.clone(),
            limited: entry.max_size.is_some(),
        })
    }

    /// Everything that is not as it should be.
    pub(super) fn compare(&self, response: &Response) -> Vec<String> {
        let mut wrong = Vec::new();
        let status = response.status;
        if !self
            .status
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&status))
        {
            wrong.push(format!("answers {status}, expected {}", self.shown));
        }
        for (name, text) in &self.headers {
            match response.header(name) {
                None => wrong.push(format!("the header {name} is missing")),
                Some(value) if !value.contains(text.as_str()) => {
                    wrong.push(format!(
                        "the header {name} is `{}`, expected `{text}` in it",
                        cut(value)
                    ));
                }
                Some(_) => {}
            }
        }
        if self.limited && response.truncated {
            wrong.push(format!("the body is larger than {} bytes", response.body.len()));
        }
        if let Some(text) = &self.contains {
            match response.text() {
                Ok(body) if body.contains(text.as_str()) => {}
                Ok(_) => wrong.push(format!("the body does not contain `{}`", cut(text))),
                Err(why) => wrong.push(why),
            }
        }
        if !self.json.is_empty() {
            match response.json() {
                Ok(value) => wrong.extend(
                    self.json
                        .iter()
                        .filter_map(|condition| condition.judge(&value).err()),
                ),
                Err(why) => wrong.push(why),
            }
        }
        wrong
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)?;
        for condition in &self.json {
            write!(f, ", {condition}")?;
        }
        Ok(())
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `200`, `2xx` or `200-299` (RFC 9110 §15: 100 to 599).
fn range(text: &str) -> Result<(u16, u16), String> {
    let trimmed = text.trim();
    let number = |text: &str| {
        let number = text.trim().parse::<u16>().ok();
        number.filter(|number| (100..=599).contains(number))
    };
    let class = trimmed.to_ascii_lowercase();
    let found = if let Some(digit) = class.strip_suffix("xx") {
        number(&format!("{digit}00")).map(|from| (from, from + 99))
    } else if let Some((from, to)) = trimmed.split_once('-') {
        number(from).zip(number(to)).filter(|(from, to)| from <= to)
    } else {
        number(trimmed).map(|status| (status, status))
    };
    found.ok_or_else(|| format!("`{text}` is no status code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_classes_and_ranges() {
        assert_eq!(range("200"), Ok((200, 200)));
        assert_eq!(range("2xx"), Ok((200, 299)));
        assert_eq!(range("5XX"), Ok((500, 599)));
        assert_eq!(range("200-204"), Ok((200, 204)));
        for wrong in ["", "99", "600", "6xx", "xx", "204-200", "ok"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }
}

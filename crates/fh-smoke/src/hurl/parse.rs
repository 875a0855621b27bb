//! Entries from lines.

use serde_json::Value;

use super::asserts;
use super::{Body, Entry, Fault};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Reads a whole file.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, Fault> {
    let mut reader = Reader {
        lines: text.lines().collect(),
        at: 0,
    };
    let mut entries = Vec::new();
    while reader.peek().is_some() {
        entries.push(reader.entry()?);
    }
    if entries.is_empty() {
        return Err(Fault::new(1, 1, "the file holds no request"));
    }
    Ok(entries)
}

struct Reader<'t> {
    lines: Vec<&'t str>,
    at: usize,
}

/// Where the reader is in an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

impl<'t> Reader<'t> {
    /// The next line that says something, without its comment.
    fn peek(&mut self) -> Option<&'t str> {
        while let Some(line) = self.lines.get(self.at) {
            let said = uncommented(line).trim();
            if !said.is_empty() {
                return Some(said);
            }
            self.at += 1;
        }
        None
    }

    fn number(&self) -> usize {
        self.at + 1
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        let line = self.lines.get(self.at).copied().unwrap_or_default();
        let indent = line.chars().take_while(|char| char.is_whitespace()).count();
        Fault::new(self.number(), indent + 1, what)
    }

    fn entry(&mut self) -> Result<Entry, Fault> {
        let first = self.peek().unwrap_or_default();
        let (method, url) = first.split_once(' ').unwrap_or((first, ""));
        if !METHODS.contains(&method) {
            return Err(self.fault(format!(
                "expected a request such as `GET https://…`, found `{first}`"
            )));
        }
        let mut entry = Entry {
            line: self.number(),
            method: method.to_owned(),
            url: variables(url.trim()),
            ..Entry::default()
        };
        self.at += 1;
        let mut side = Side::Request;
        while let Some(line) = self.peek() {
            if side == Side::Request && line.starts_with("HTTP") {
                self.answer(&mut entry, line)?;
                side = Side::Response;
            } else if begins_request(line) && (side == Side::Response || entry.body.is_some()) {
                break;
            } else if let Some(section) = section(line) {
                self.at += 1;
                self.section(&mut entry, side, section)?;
            } else if self.begins_body(line) {
                self.body(&mut entry, side, line)?;
            } else {
                self.header(&mut entry, side, line)?;
            }
        }
        if side == Side::Request {
            return Err(Fault::new(
                entry.line,
                1,
                "nothing is said about the answer to this request, so that it would assert nothing",
            ));
        }
        Ok(entry)
    }

    fn answer(&mut self, entry: &mut Entry, line: &str) -> Result<(), Fault> {
        let mut words = line.split_whitespace();
        let version = words.next().unwrap_or_default();
        if !matches!(version, "HTTP" | "HTTP/1.0" | "HTTP/1.1") {
            return Err(self.fault(format!("`{version}`: only HTTP/1.1 is spoken here")));
        }
        entry.status = match words.next() {
            None | Some("*") => None,
            Some(word) => Some(
                word.parse()
                    .ok()
                    .filter(|status| (100..600).contains(status))
                    .ok_or_else(|| self.fault(format!("`{word}` is no status")))?,
            ),
        };
        self.at += 1;
        Ok(())
    }

    fn header(&mut self, entry: &mut Entry, side: Side, line: &str) -> Result<(), Fault> {
        let (name, value) = self.pair(line)?;
        match side {
            Side::Request => entry.headers.push((name, value)),
            Side::Response => entry
                .asserts
                .push(asserts::header_equals(self.number(), &name, value)),
        }
        self.at += 1;
        Ok(())
    }

    fn pair(&self, line: &str) -> Result<(String, String), Fault> {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| self.fault(format!("expected `name: value`, found `{line}`")))?;
        Ok((variables(name.trim()), variables(value.trim())))
    }

    fn section(&mut self, entry: &mut Entry, side: Side, section: &str) -> Result<(), Fault> {
        let known = matches!(
            (side, section),
            (
                Side::Request,
                "Query" | "QueryStringParams" | "Form" | "FormParams" | "Cookies" | "BasicAuth" | "Options"
            ) | (Side::Response, "Captures" | "Asserts")
        );
        if !known {
            self.at -= 1;
            return Err(self.fault(format!("the section [{section}] is not read here")));
        }
        let mut cookies = Vec::new();
        while let Some(line) = self.peek() {
            let ends = section_of(line).is_some()
                || self.begins_body(line)
                || (section != "Asserts" && side == Side::Request && line.starts_with("HTTP"))
                || begins_request(line);
            if ends {
                break;
            }
            let number = self.number();
            match section {
                "Asserts" => {
                    let assert = asserts::assert(line, number).map_err(|what| self.fault(what))?;
                    entry.asserts.push(assert);
                }
                "Captures" => {
                    let (name, query) = line
                        .split_once(':')
                        .ok_or_else(|| self.fault("expected `name: query`"))?;
                    let query = asserts::capture(query.trim()).map_err(|what| self.fault(what))?;
                    entry.captures.push((name.trim().to_owned(), query, number));
                }
                "Options" => self.option(entry, line)?,
                _ => {
                    let pair = self.pair(line)?;
                    match section {
                        "Query" | "QueryStringParams" => entry.query.push(pair),
                        "Form" | "FormParams" => entry.form.push(pair),
                        "Cookies" => cookies.push(format!("{}={}", pair.0, pair.1)),
                        _ => entry.basic = Some(pair),
                    }
                }
            }
            self.at += 1;
        }
        if !cookies.is_empty() {
            entry.headers.push(("Cookie".into(), cookies.join("; ")));
        }
        Ok(())
    }

    fn option(&self, entry: &mut Entry, line: &str) -> Result<(), Fault> {
        let (name, value) = self.pair(line)?;
        let number = || {
            value
                .parse::<u32>()
                .map_err(|_| self.fault(format!("`{value}` is no number")))
        };
        // Without a unit, Hurl means seconds here.
        let time = || {
            let digits = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
            if digits {
                format!("{value}s")
            } else {
                value.clone()
            }
        };
        match name.as_str() {
            "location" if value == "true" => entry.redirects = entry.redirects.max(50),
            "location" if value == "false" => entry.redirects = 0,
            "max-redirs" => entry.redirects = usize::try_from(number()?).unwrap_or(50),
            "max-time" => entry.timeout = Some(time()),
            "retry" | "retry-interval" => {
                return Err(self.fault("Hurl repeats after missed assertions, which a suite never does"));
            }
            _ => return Err(self.fault(format!("the option {name} is not read here"))),
        }
        Ok(())
    }

    fn begins_body(&self, line: &str) -> bool {
        line.starts_with(['{', '`', '<', '"'])
            || (line.starts_with('[') && section_of(line).is_none())
            || ["base64,", "hex,", "file,"]
                .iter()
                .any(|start| line.starts_with(start))
    }

    fn body(&mut self, entry: &mut Entry, side: Side, line: &str) -> Result<(), Fault> {
        if side == Side::Response {
            return Err(self.fault("a body of the answer is not compared as a whole here; use [Asserts]"));
        }
        if entry.body.is_some() {
            return Err(self.fault("a request has one body"));
        }
        if line.starts_with("```") {
            return self.fenced(entry, line);
        }
        if let Some(inner) = line.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            entry.body = Some(Body::Text(variables(inner)));
            self.at += 1;
            return Ok(());
        }
        if !line.starts_with(['{', '[']) {
            return Err(self.fault("this kind of body is not read here; JSON and texts are"));
        }
        let rest = self.lines[self.at..].join("\n");
        let mut values = serde_json::Deserializer::from_str(&rest).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                return Err(Fault::new(
                    self.number() + error.line() - 1,
                    error.column().max(1),
                    format!("not JSON: {error}; variables are read inside of quotes only"),
                ));
            }
            None => return Err(self.fault("not JSON")),
        };
        let end = values.byte_offset();
        self.at += rest[..end].matches('\n').count() + 1;
        entry.body = Some(Body::Json(in_texts(value)));
        Ok(())
    }

    fn fenced(&mut self, entry: &mut Entry, line: &str) -> Result<(), Fault> {
        let kind = line.trim_start_matches('`').trim();
        if !matches!(kind, "" | "json") {
            return Err(self.fault(format!("a body of {kind} is not read here; JSON and texts are")));
        }
        let start = self.at + 1;
        let end = self.lines[start.min(self.lines.len())..]
            .iter()
            .position(|line| line.trim() == "```")
            .ok_or_else(|| self.fault("the body has no end"))?;
        let mut text = self.lines[start..start + end].join("\n");
        text.push('\n');
        entry.body = Some(Body::Text(variables(&text)));
        if kind == "json"
            && !entry
                .headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            entry
                .headers
                .push(("Content-Type".into(), "application/json".into()));
        }
        self.at = start + end + 1;
        Ok(())
    }
}

fn begins_request(line: &str) -> bool {
    line.split_once(' ')
        .is_some_and(|(method, _)| METHODS.contains(&method))
}

fn section_of(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    let is_word = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word.then_some(inner)
}

fn section(line: &str) -> Option<&str> {
    section_of(line)
}

/// A line without the comment at its end: `#` after white space, or at the beginning.
fn uncommented(line: &str) -> &str {
    let mut before = ' ';
    let mut quoted = false;
    for (at, char) in line.char_indices() {
        match char {
            '"' if before != '\\' => quoted = !quoted,
            '#' if !quoted && before.is_whitespace() => return &line[..at],
            _ => {}
        }
        before = char;
    }
    line
}

/// Hurl's `{{name}}` as ours.
pub(super) fn variables(text: &str) -> String {
    let text = text.replace("${", "$${");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}") else {
            break;
        };
        out.push_str(&rest[..start]);
        out.push_str("${");
        out.push_str(rest[start + 2..start + end].trim());
        out.push('}');
        rest = &rest[start + end + 2..];
    }
    out.push_str(rest);
    out
}

fn in_texts(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(variables(&text)),
        Value::Array(items) => items.into_iter().map(in_texts).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, in_texts(value)))
            .collect(),
        other => other,
    }
}

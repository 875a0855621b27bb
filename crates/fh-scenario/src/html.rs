//! Elements in HTML: enough of the tokenizer (HTML standard §13.2.5) to find start tags and their attributes, and simple
//! selectors. Comments, scripts and styles are passed over; broken markup gives what can be read and never an error.

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The name in lower case.
    pub name: String,
    /// The attributes in order, names in lower case, values with character references resolved.
    pub attributes: Vec<(String, String)>,
    /// Where the tag ends in the text.
    end: usize,
}

impl Element {
    /// An attribute's value; empty for one without a value.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The text behind the tag up to the element's end tag, without the tags inside, white space joined.
    #[must_use]
    pub fn text(&self, html: &str) -> String {
        let rest = html.get(self.end..).unwrap_or_default();
        let lower = rest.to_ascii_lowercase();
        let end = lower.find(&format!("</{}", self.name)).unwrap_or(rest.len());
        let mut out = String::new();
        let mut inside = false;
        for char in rest[..end].chars() {
            match char {
                '<' => inside = true,
                '>' if inside => {
                    inside = false;
                    out.push(' ');
                }
                char if !inside => out.push(char),
                _ => {}
            }
        }
        let words: Vec<&str> = out.split_whitespace().collect();
        unescape(&words.join(" "))
    }
}

/// Every start tag of a document, in order.
#[must_use]
pub fn elements(html: &str) -> Vec<Element> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = html[at..].find('<') {
        at += next;
        let rest = &html[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            at += 4 + comment.find("-->").map_or(comment.len(), |end| end + 3);
            continue;
        }
        if !rest[1..].starts_with(|char: char| char.is_ascii_alphabetic()) {
            at += 1;
            continue;
        }
        let Some(element) = tag(html, at) else { break };
        at = element.end;
        // The content of these is text up to their own end tag (raw text elements).
        if matches!(element.name.as_str(), "script" | "style" | "textarea" | "title") {
            let lower = html[at..].to_ascii_lowercase();
            at += lower.find(&format!("</{}", element.name)).unwrap_or(lower.len());
        }
        found.push(element);
    }
    found
}

/// Reads one start tag; `None` when the text ends in it.
fn tag(html: &str, start: usize) -> Option<Element> {
    let bytes = html.as_bytes();
    let mut at = start + 1;
    let until = |mut at: usize, stop: fn(u8) -> bool| {
        while at < bytes.len() && !stop(bytes[at]) {
            at += 1;
        }
        at
    };
    let end = until(at, |byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')
    });
    let name = html[at..end].to_ascii_lowercase();
    at = end;
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        at = until(at, |byte| !byte.is_ascii_whitespace() && byte != b'/');
        match bytes.get(at)? {
            b'>' => {
                return Some(Element {
                    name,
                    attributes,
                    end: at + 1,
                });
            }
            _ => {
                let end = until(at + 1, |byte| {
                    byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>' | b'/')
                });
                let key = html[at..end].to_ascii_lowercase();
                at = until(end, |byte| !byte.is_ascii_whitespace());
                let mut value = String::new();
                if bytes.get(at) == Some(&b'=') {
                    at = until(at + 1, |byte| !byte.is_ascii_whitespace());
                    let quote = *bytes.get(at)?;
                    let end;
                    if matches!(quote, b'"' | b'\'') {
                        at += 1;
                        end = at + html[at..].find(char::from(quote))?;
                        value = unescape(&html[at..end]);
                        at = end + 1;
                    } else {
                        end = until(at, |byte| byte.is_ascii_whitespace() || byte == b'>');
                        value = unescape(&html[at..end]);
                        at = end;
                    }
                }
                // Of two attributes of one name the first counts.
                if attributes.iter().all(|(have, _)| *have != key) {
                    attributes.push((key, value));
                }
            }
        }
    }
}

/// The character references that stand in URLs and tokens.
fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

/// A simple selector: a name, and any number of `#id`, `.class`, `[attribute]` and `[attribute=value]`, for one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    name: Option<String>,
    tests: Vec<(String, Test)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Present,
    Is(String),
    /// One of the words.
    Word(String),
    Begins(String),
    Ends(String),
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What of it is not known here, such as combinators.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "the selector `{text}` {what}; known are name, #id, .class, [attribute] and [attribute=value] of one element"
            )
        };
        let mut rest = text.trim();
        let name_end = rest
            .find(|char: char| !(char.is_ascii_alphanumeric() || char == '-' || char == '*'))
            .unwrap_or(rest.len());
        let name = Some(rest[..name_end].to_ascii_lowercase()).filter(|name| !name.is_empty() && name != "*");
        rest = &rest[name_end..];
        let mut tests = Vec::new();
        while let Some(first) = rest.chars().next() {
            match first {
                '#' | '.' => {
                    let end = rest[1..]
                        .find(|char: char| !(char.is_alphanumeric() || char == '-' || char == '_'))
                        .map_or(rest.len(), |end| end + 1);
                    let word = rest[1..end].to_owned();
                    if word.is_empty() {
                        return Err(wrong("has an empty name"));
                    }
                    tests.push(if first == '#' {
                        ("id".into(), Test::Is(word))
                    } else {
                        ("class".into(), Test::Word(word))
                    });
                    rest = &rest[end..];
                }
                '[' => {
                    let end = rest.find(']').ok_or_else(|| wrong("has a [ without ]"))?;
                    tests.push(attribute_test(&rest[1..end]).ok_or_else(|| wrong("has an empty attribute"))?);
                    rest = &rest[end + 1..];
                }
                _ => return Err(wrong("is more than this tool reads")),
            }
        }
        if name.is_none() && tests.is_empty() {
            return Err(wrong("selects everything"));
        }
        Ok(Self { name, tests })
    }

    /// Whether it selects an element.
    #[must_use]
    pub fn selects(&self, element: &Element) -> bool {
        self.name.as_ref().is_none_or(|name| *name == element.name)
            && self.tests.iter().all(|(attribute, test)| {
                element.attribute(attribute).is_some_and(|value| match test {
                    Test::Present => true,
                    Test::Is(wanted) => value == wanted,
                    Test::Word(wanted) => value.split_ascii_whitespace().any(|word| word == wanted),
                    Test::Begins(wanted) => value.starts_with(wanted.as_str()),
                    Test::Ends(wanted) => value.ends_with(wanted.as_str()),
                })
            })
    }

    /// The last attribute that must be there with any value: in `link[rel=stylesheet][href]` that is `href`.
    #[must_use]
    pub fn wanted_attribute(&self) -> Option<&str> {
        self.tests
            .iter()
            .rev()
            .find(|(_, test)| *test == Test::Present)
            .map(|(attribute, _)| attribute.as_str())
    }
}

fn attribute_test(inner: &str) -> Option<(String, Test)> {
    let unquoted = |value: &str| {
        value
            .trim()
            .trim_matches(|char| char == '"' || char == '\'')
            .to_owned()
    };
    let (name, test) = match inner.split_once('=') {
        None => (inner, Test::Present),
        Some((name, value)) => match name.strip_suffix(['~', '^', '$']) {
            Some(stem) if name.ends_with('~') => (stem, Test::Word(unquoted(value))),
            Some(stem) if name.ends_with('^') => (stem, Test::Begins(unquoted(value))),
            Some(stem) => (stem, Test::Ends(unquoted(value))),
            None => (name, Test::Is(unquoted(value))),
        },
    };
    let name = name.trim().to_ascii_lowercase();
    (!name.is_empty()).then_some((name, test))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = r#"<!doctype html><title>a < b</title><!-- <img src=no.png> -->
<link rel="stylesheet" href="/a.css?x=1&amp;y=2"><LINK REL=preload href=/p.js>
<script src='/app.js' defer></script><script>if (a<b) document.write("<img src=x>")</script>
<form><input type=hidden name=csrf value="t0&#39;k"></form><p class="note big">Hello <b>you</b> &amp; me</p><img src=/l.png"#;

    fn attribute(selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        elements(PAGE)
            .iter()
            .filter(|element| selector.selects(element))
            .filter_map(|element| element.attribute(name).map(str::to_owned))
            .collect()
    }

    #[test]
    fn finds_what_a_browser_finds() {
        assert_eq!(
            attribute("link[rel=stylesheet][href]", "href"),
            ["/a.css?x=1&y=2"]
        );
        assert_eq!(attribute("link", "href"), ["/a.css?x=1&y=2", "/p.js"]);
        assert_eq!(attribute("script[src]", "src"), ["/app.js"]);
        assert_eq!(attribute("input[name=csrf]", "value"), ["t0'k"]);
        // In a comment, in a script, and cut off at the end.
        assert_eq!(attribute("img", "src"), [""; 0]);
        let note = Selector::parse("p.note").unwrap();
        let elements = elements(PAGE);
        let found = elements.iter().find(|element| note.selects(element)).unwrap();
        assert_eq!(found.text(PAGE), "Hello you & me");
    }

    #[test]
    fn selectors_say_what_they_cannot_do() {
        for wrong in ["a b", "a > b", "a:hover", "", "*", "a[", "a[]", "#", "a,b"] {
            assert!(Selector::parse(wrong).is_err(), "{wrong}");
        }
        let href = Selector::parse("link[rel=stylesheet][href]").unwrap();
        assert_eq!(href.wanted_attribute(), Some("href"));
        assert_eq!(attribute("[href$='.js']", "href"), ["/p.js"]);
        assert_eq!(attribute("*[href^='/a']", "href"), ["/a.css?x=1&y=2"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(html in "[<>a-z/\"'= !\\-é]*") {
            for element in elements(&html) {
                let _ = element.text(&html);
            }
        }
    }
}

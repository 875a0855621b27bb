//! Just enough XML for the answers of the Query protocol: elements and their text, no attributes.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// Elements inside each other; AWS's answers have about ten.
const DEEPEST: usize = 64;

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Xml {
    /// Its name, without a namespace.
    pub name: String,
    /// The text in it, that of inner elements left out.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Xml>,
}

impl Xml {
    /// Reads a document, or gives `None` when it is none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_reader(bytes);
        let (mut open, mut root): (Vec<Self>, Option<Self>) = (Vec::new(), None);
        loop {
            let (ended, element) = match reader.read_event().ok()? {
                Event::Start(start) => (false, start),
                Event::Empty(start) => (true, start),
                Event::End(_) => {
                    close(&mut open, &mut root)?;
                    continue;
                }
                Event::Text(text) => {
                    add(&mut open, &text.decode().ok()?);
                    continue;
                }
                Event::CData(text) => {
                    add(&mut open, &text.decode().ok()?);
                    continue;
                }
                Event::GeneralRef(reference) => {
                    add(&mut open, &resolved(&reference)?);
                    continue;
                }
                // A document type could define entities; no service sends one.
                Event::DocType(_) => return None,
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => continue,
            };
            if open.len() == DEEPEST || root.is_some() {
                return None;
            }
            let name = String::from_utf8(element.local_name().as_ref().to_vec()).ok()?;
            open.push(Self {
                name,
                ..Self::default()
            });
            if ended {
                close(&mut open, &mut root)?;
            }
        }
        root.filter(|_| open.is_empty())
    }

    /// The text at a path below this element, the first one found; `*` is any name.
    #[must_use]
    pub fn text(&self, path: &[&str]) -> Option<String> {
        let Some((name, rest)) = path.split_first() else {
            return Some(self.text.trim().to_owned());
        };
        self.children
            .iter()
            .filter(|child| *name == "*" || child.name == *name)
            .find_map(|child| child.text(rest))
    }

    /// [`Xml::text`], empty when there is none: AWS leaves empty elements out.
    #[must_use]
    pub fn word(&self, path: &[&str]) -> String {
        self.text(path).unwrap_or_default()
    }

    /// Every element at a path below this one, in order; `*` is any name.
    #[must_use]
    pub fn all(&self, path: &[&str]) -> Vec<&Self> {
        let Some((name, rest)) = path.split_first() else {
            return vec![self];
        };
        self.children
            .iter()
            .filter(|child| *name == "*" || child.name == *name)
            .flat_map(|child| child.all(rest))
            .collect()
    }
}

fn close(open: &mut Vec<Xml>, root: &mut Option<Xml>) -> Option<()> {
    let done = open.pop()?;
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None => *root = Some(done),
    }
    Some(())
}

fn add(open: &mut [Xml], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolved(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    resolve_predefined_entity(&reference.decode().ok()?).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_texts_and_references() {
        let root = Xml::parse(
            b"<?xml version='1.0'?><r xmlns='http://x/'><a>1</a><b><c> x &lt;&#65; </c><c>2</c></b><d/>\
              <e><![CDATA[<raw>]]></e></r>",
        )
        .unwrap();
        assert_eq!(root.name, "r");
        assert_eq!(root.text(&["a"]).as_deref(), Some("1"));
        assert_eq!(root.text(&["b", "c"]).as_deref(), Some("x <A"));
        assert_eq!(root.text(&["*", "c"]).as_deref(), Some("x <A"));
        assert_eq!(root.text(&["d"]).as_deref(), Some(""));
        assert_eq!(root.text(&["e"]).as_deref(), Some("<raw>"));
        assert_eq!(root.text(&["b", "nothing"]), None);
        assert_eq!(root.word(&["b", "nothing"]), "");
        let inner: Vec<String> = root.all(&["b", "c"]).iter().map(|c| c.word(&[])).collect();
        assert_eq!(inner, ["x <A", "2"]);
        assert_eq!(root.all(&["*"]).len(), 4);
        assert!(root.all(&["c"]).is_empty());
    }

    #[test]
    fn what_is_no_document_is_none() {
        for wrong in [
            "",
            "{}",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&unknown;</a>",
            "<!DOCTYPE a><a/>",
        ] {
            assert!(Xml::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Xml::parse("<a>".repeat(1000).as_bytes()).is_none());
    }
}

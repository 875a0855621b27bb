//! As much of TOML as a formatted Cargo.toml needs: sections, keys and values with their lines. A parser for all of
//! TOML would be this crate's largest dependency.

/// A manifest, line by line.
#[derive(Debug)]
pub(crate) struct Manifest {
    entries: Vec<Entry>,
}

/// `key = value` in a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) section: String,
    pub(crate) key: String,
    /// As written, without the line ends of a value of several lines.
    pub(crate) value: String,
    /// From 1.
    pub(crate) line: usize,
}

impl Manifest {
    /// Reads `text`; what is no section and no entry is passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut section = String::new();
        let mut depth = 0;
        for (index, line) in text.lines().enumerate() {
            let line = without_comment(line).trim();
            if depth > 0 {
                if let Some(entry) = entries.last_mut() {
                    entry.value.push_str(line);
                }
                depth += nesting(line);
            } else if line.starts_with('[') {
                section = line.trim_matches(['[', ']']).trim().to_owned();
            } else if let Some((key, value)) = line.split_once('=') {
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                depth = nesting(&value);
                entries.push(Entry {
                    section: section.clone(),
                    key,
                    value,
                    line: index + 1,
                });
            }
        }
        Self { entries }
    }

    /// Every entry.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The value of `key` in `section`, as written.
    pub(crate) fn value(&self, section: &str, key: &str) -> Option<&str> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.section == section && entry.key == key);
        entry.map(|entry| entry.value.as_str())
    }

    /// The same for a string, without its quotes.
    pub(crate) fn string(&self, section: &str, key: &str) -> Option<String> {
        self.strings(section, key).into_iter().next()
    }

    /// All of them, for sections that may be there more than once, such as `[[bin]]`.
    pub(crate) fn strings(&self, section: &str, key: &str) -> Vec<String> {
        let entries = self
            .entries
            .iter()
            .filter(|entry| entry.section == section && entry.key == key);
        entries
            .filter_map(|entry| {
                entry
                    .value
                    .strip_prefix('"')?
                    .strip_suffix('"')
                    .map(str::to_owned)
            })
            .collect()
    }
}

/// Opened brackets less closed ones, outside strings.
fn nesting(text: &str) -> i32 {
    outside_strings(text)
        .map(|(_, character)| match character {
            '[' | '{' => 1,
            ']' | '}' => -1,
            _ => 0,
        })
        .sum()
}

fn without_comment(line: &str) -> &str {
    match outside_strings(line).find(|(_, character)| *character == '#') {
        Some((position, _)) => &line[..position],
        None => line,
    }
}

fn outside_strings(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    text.char_indices().filter(move |(_, character)| match quote {
        Some(open) => {
            if *character == open {
                quote = None;
            }
            false
        }
        None if matches!(character, '"' | '\'') => {
            quote = Some(*character);
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keys_and_values() {
        let manifest = Manifest::parse(
            "# head\n[package]\nname = \"fh-x\" # ours\nversion.workspace = true\n\n[dependencies]\n\
             tokio = { workspace = true, features = [\n  \"rt\", # a = b\n  \"net\",\n] }\nserde.workspace = true\n\
             [[bin]]\nname = \"a\"\n[[bin]]\nname = \"b#1\"\n",
        );
        assert_eq!(manifest.string("package", "name").as_deref(), Some("fh-x"));
        assert_eq!(manifest.value("package", "version.workspace"), Some("true"));
        assert_eq!(
            manifest.value("dependencies", "tokio"),
            Some("{ workspace = true, features = [\"rt\",\"net\",] }")
        );
        let serde = manifest
            .entries()
            .iter()
            .find(|entry| entry.key == "serde.workspace")
            .unwrap();
        assert_eq!((serde.section.as_str(), serde.line), ("dependencies", 11));
        assert_eq!(manifest.strings("bin", "name"), ["a", "b#1"]);
        assert_eq!(manifest.string("package", "version.workspace"), None);
    }
}

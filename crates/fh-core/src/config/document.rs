//! Other TOML files than the configuration, read with the same care: unknown keys and wrong types are errors with line,
//! column and the nearest known name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::origin::Origin;
use super::tree::{Node, Value, join};
use super::{parse, reader};
use crate::error::Result;

/// Where each value of a document stands, by dotted path such as `scenario[0].step[2].expect`.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<String, Origin>);

impl Places {
    /// Where the value at this path stands; when it does not exist, the nearest value around it.
    #[must_use]
    pub fn of(&self, path: &str) -> &Origin {
        let mut path = path;
        loop {
            if let Some(origin) = self.0.get(path) {
                return origin;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return self.0.get("").unwrap_or(&Origin::Default),
            }
        }
    }

    fn collect(&mut self, path: &str, node: &Node) {
        self.0.insert(path.to_owned(), node.origin.clone());
        match &node.value {
            Value::Table(entries) => {
                for (key, node) in entries {
                    self.collect(&join(path, key), node);
                }
            }
            Value::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    self.collect(&format!("{path}[{index}]"), node);
                }
            }
            _ => {}
        }
    }
}

/// Reads the text of a TOML document; `shown` is its path as people write it.
///
/// ```
/// use fh_core::config::read_document;
/// #[derive(Debug, serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Page { title: String }
/// let path = std::path::Path::new("page.toml");
/// let (page, places) = read_document::<Page>("\ntitle = \"x\"", path).unwrap();
/// assert_eq!((page.title.as_str(), places.of("title").to_string()), ("x", "page.toml:2:1".to_owned()));
/// let error = read_document::<Page>("titel = \"x\"", path).unwrap_err();
/// assert_eq!(error.message(), "unknown key `titel` (page.toml:1:1)");
/// ```
///
/// # Errors
/// Exit code 2: invalid TOML, an unknown key, a wrong type.
pub fn read_document<T: DeserializeOwned>(text: &str, shown: &Path) -> Result<(T, Places)> {
    let tree = parse::parse(text, shown)?;
    let value = reader::read(&tree, &mut BTreeSet::new()).map_err(|fault| fault.into_error(""))?;
    let mut places = Places::default();
    places.collect("", &tree);
    Ok((value, places))
}

//! The untyped tree that layers are merged in.

use std::collections::{BTreeMap, BTreeSet};

use super::origin::Origin;

/// A value and where it came from: for an entry of a table the place of its key, for an item of a list its own.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    Text(String),
    /// Text of a variable or flag: it becomes what the setting's type asks for.
    Typed(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// Dates and times. No setting is one, so nothing but its presence matters.
    Date,
}

impl Node {
    pub(super) fn table(origin: Origin) -> Self {
        Self {
            value: Value::Table(BTreeMap::new()),
            origin,
        }
    }

    /// A tree with nothing but `value` at the dotted `path`.
    pub(super) fn at(path: &str, value: Value, origin: &Origin) -> Self {
        let leaf = Self {
            value,
            origin: origin.clone(),
        };
        path.rsplit('.').fold(leaf, |inner, key| Self {
            value: Value::Table(BTreeMap::from([(key.to_owned(), inner)])),
            origin: origin.clone(),
        })
    }

    /// Lays `over` on top. Tables are merged key by key; everything else is replaced, and so are the tables at the
    /// paths in `whole`, which are one value each (a secret's `{ file = … }` must not be mixed with its `{ env = … }`).
    pub(super) fn lay(&mut self, over: Self, whole: &BTreeSet<String>) {
        self.lay_at("", over, whole);
    }

    fn lay_at(&mut self, path: &str, over: Self, whole: &BTreeSet<String>) {
        match (&mut self.value, over.value) {
            (Value::Table(below), Value::Table(above)) if !whole.contains(path) => {
                for (key, node) in above {
                    let path = join(path, &key);
                    match below.get_mut(&key) {
                        Some(old) => old.lay_at(&path, node, whole),
                        None => {
                            below.insert(key, node);
                        }
                    }
                }
            }
            (slot, value) => {
                *slot = value;
                self.origin = over.origin;
            }
        }
    }

    /// The origin of every leaf, by dotted path. Lists, and the tables at the paths in `whole`, are leaves.
    pub(super) fn origins(&self, whole: &BTreeSet<String>) -> BTreeMap<String, Origin> {
        let mut found = BTreeMap::new();
        self.collect("", whole, &mut found);
        found
    }

    fn collect(&self, path: &str, whole: &BTreeSet<String>, found: &mut BTreeMap<String, Origin>) {
        match &self.value {
            Value::Table(entries) if !whole.contains(path) => {
                for (key, node) in entries {
                    node.collect(&join(path, key), whole, found);
                }
            }
            _ => {
                found.insert(path.to_owned(), self.origin.clone());
            }
        }
    }
}

/// `path.key`, or `key` alone at the root.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

//! Which entries of a table of contents are tables, and which of them are partitions of which.

use std::collections::{BTreeMap, BTreeSet};

use fh_pg::qualified;

use crate::archive::{Archive, Entry};

/// The tables of a table of contents, by dump id.
#[derive(Debug, Default)]
pub(in crate::restore) struct Tables<'a> {
    by_id: BTreeMap<i64, &'a Entry>,
    by_name: BTreeMap<String, i64>,
    parent: BTreeMap<i64, i64>,
    children: BTreeMap<i64, Vec<i64>>,
}

impl<'a> Tables<'a> {
    /// Reads them.
    pub(in crate::restore) fn of(archive: &'a Archive) -> Self {
        let mut tables = Self::default();
        for entry in archive.entries.iter().filter(|entry| entry.kind == "TABLE") {
            tables.by_id.insert(entry.dump_id, entry);
            tables.by_name.insert(name(entry), entry.dump_id);
        }
        for entry in archive
            .entries
            .iter()
            .filter(|entry| entry.kind == "TABLE ATTACH")
        {
            let Some(child) = tables.named(&name(entry)) else {
                continue;
            };
            let parent = entry
                .dependencies
                .iter()
                .filter_map(|id| id.parse().ok())
                .find(|id| *id != child && tables.by_id.contains_key(id));
            if let Some(parent) = parent {
                tables.parent.insert(child, parent);
                tables.children.entry(parent).or_default().push(child);
            }
        }
        tables
    }

    /// The table with this number.
    pub(in crate::restore) fn get(&self, id: i64) -> Option<&'a Entry> {
        self.by_id.get(&id).copied()
    }

    /// Every table.
    pub(in crate::restore) fn all(&self) -> impl Iterator<Item = &'a Entry> {
        self.by_id.values().copied()
    }

    /// The number of the table with this qualified name, as SQL.
    pub(in crate::restore) fn named(&self, name: &str) -> Option<i64> {
        self.by_name.get(name).copied()
    }

    /// The table that this one is a partition of.
    pub(in crate::restore) fn parent(&self, id: i64) -> Option<i64> {
        self.parent.get(&id).copied()
    }

    /// A table and all partitions below it.
    pub(in crate::restore) fn with_partitions(&self, id: i64) -> Vec<i64> {
        let mut all = vec![id];
        let mut next = 0;
        while let Some(table) = all.get(next) {
            let below = self.children.get(table).cloned().unwrap_or_default();
            all.extend(below);
            next += 1;
        }
        all
    }

    /// Whether it has partitions, or is one.
    pub(in crate::restore) fn in_a_tree(&self, id: i64) -> bool {
        self.parent.contains_key(&id) || self.children.contains_key(&id)
    }

    /// Tables that have partitions, and are none themselves.
    pub(in crate::restore) fn roots(&self) -> impl Iterator<Item = i64> {
        let parents = self.children.keys().copied();
        parents.filter(|id| !self.parent.contains_key(id))
    }

    /// The qualified name, as SQL.
    pub(in crate::restore) fn name(&self, id: i64) -> Option<String> {
        self.get(id).map(name)
    }

    /// The tables that an entry depends on.
    pub(in crate::restore) fn needed_by(&self, entry: &Entry) -> BTreeSet<i64> {
        let ids = entry.dependencies.iter().filter_map(|id| id.parse().ok());
        ids.filter(|id| self.by_id.contains_key(id)).collect()
    }
}

fn name(entry: &Entry) -> String {
    qualified(
        entry.namespace.as_deref().unwrap_or_default(),
        entry.tag.as_deref().unwrap_or_default(),
    )
}

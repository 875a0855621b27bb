//! Whether the definitions of the target are those of the backup: two tables of contents, compared as `pg_dump` wrote
//! them.

use std::collections::BTreeMap;

use crate::archive::{Archive, Entry};

/// What differs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Entries compared.
    pub compared: usize,
    /// In the backup, not in the target.
    pub missing: Vec<String>,
    /// In the target, not in the backup.
    pub extra: Vec<String>,
    /// In both, with another definition or owner.
    pub changed: Vec<String>,
}

impl Difference {
    /// Whether the two are the same.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.changed.is_empty()
    }
}

/// Compares definitions, owners (unless `no_owner`) and privileges (unless `no_privileges`). Numbers that PostgreSQL
/// gives anew in every database (OIDs, dump ids) do not count.
#[must_use]
pub fn compare(backup: &Archive, target: &Archive, no_owner: bool, no_privileges: bool) -> Difference {
    // Versions of pg_dump group large objects differently.
    let (backup, target) = (&backup.ungrouped(), &target.ungrouped());
    let mut in_target = index(target, no_privileges);
    let mut difference = Difference::default();
    for (key, entries) in index(backup, no_privileges) {
        difference.compared += entries.len();
        let Some(found) = in_target.remove(&key) else {
            difference.missing.push(label(&key));
            continue;
        };
        // No owner: that of the backup is not to be had here, and was left out.
        let no_owner = no_owner || entries.iter().any(|entry| entry.owner.as_deref() == Some(""));
        if comparable(&entries, no_owner) != comparable(&found, no_owner) {
            difference.changed.push(label(&key));
        }
    }
    difference.extra = in_target.keys().map(label).collect();
    difference
}

/// Kind, schema and name.
type Key = (String, String, String);

fn label((kind, schema, name): &Key) -> String {
    if schema.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {schema}.{name}")
    }
}

fn index(archive: &Archive, no_privileges: bool) -> BTreeMap<Key, Vec<&Entry>> {
    let mut index: BTreeMap<Key, Vec<&Entry>> = BTreeMap::new();
    for entry in &archive.entries {
        // Of the database itself (its name, and what is set on it), which the target has its own of; and data, which
        // is proven by rows and hashes.
        let elsewhere = entry.kind.starts_with("DATABASE")
            || entry
                .tag
                .as_deref()
                .is_some_and(|tag| tag.starts_with("DATABASE "))
            || matches!(entry.kind.as_str(), "BLOBS" | "TABLE DATA");
        let privilege = matches!(entry.kind.as_str(), "ACL" | "DEFAULT ACL");
        if elsewhere || (privilege && no_privileges) {
            continue;
        }
        let key = (
            entry.kind.clone(),
            entry.namespace.clone().unwrap_or_default(),
            entry.tag.clone().unwrap_or_default(),
        );
        index.entry(key).or_default().push(entry);
    }
    index
}

/// Definition and owner of every entry of one key: overloaded functions share a name.
fn comparable<'a>(entries: &[&'a Entry], no_owner: bool) -> Vec<(Option<&'a str>, Option<&'a str>)> {
    let owner = |entry: &'a Entry| if no_owner { None } else { entry.owner.as_deref() };
    let mut all: Vec<_> = entries
        .iter()
        .map(|entry| (entry.definition.as_deref(), owner(entry)))
        .collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Section;

    fn entry(kind: &str, name: &str, definition: &str, owner: &str) -> Entry {
        Entry {
            dump_id: 1,
            has_data: false,
            catalog_oid: None,
            oid: None,
            tag: Some(name.into()),
            kind: kind.into(),
            section: Section::PreData,
            definition: Some(definition.into()),
            drop: None,
            copy: None,
            namespace: Some("public".into()),
            tablespace: None,
            access_method: None,
            relation_kind: 0,
            owner: Some(owner.into()),
            with_oids: None,
            dependencies: Vec::new(),
        }
    }

    fn archive(entries: Vec<Entry>) -> Archive {
        Archive {
            version: (1, 14, 0),
            int_size: 4,
            offset_size: 8,
            format: crate::archive::CUSTOM,
            compression: 0,
            created: [0; 7],
            database: None,
            server_version: None,
            dump_version: None,
            entries,
        }
    }

    #[test]
    fn missing_extra_and_changed_are_told_apart() {
        let backup = archive(vec![
            entry("TABLE", "a", "create a", "x"),
            entry("TABLE", "b", "create b", "x"),
            entry("VIEW", "c", "create c", "x"),
            entry("ACL", "a", "grant", "x"),
        ]);
        let target = archive(vec![
            entry("TABLE", "a", "create a", "y"),
            entry("VIEW", "c", "create c differently", "x"),
            entry("INDEX", "d", "create d", "x"),
        ]);
        let difference = compare(&backup, &target, false, true);
        assert_eq!(difference.missing, ["TABLE public.b"]);
        assert_eq!(difference.changed, ["TABLE public.a", "VIEW public.c"]);
        assert_eq!(difference.extra, ["INDEX public.d"]);
        assert_eq!(difference.compared, 3);
        assert_eq!(
            compare(&backup, &target, true, false).missing,
            ["ACL public.a", "TABLE public.b"]
        );
        assert!(compare(&backup, &backup, false, false).is_none());
    }
}

//! Large objects, one entry each: up to archive version 1.15 `pg_dump` writes them so (`BLOB`), from 1.16 on in groups of
//! the same owner and privileges (`BLOB METADATA`, whose definition is a list of OIDs, and `ACL LARGE OBJECTS a..b`).

use std::collections::HashMap;

use super::{Archive, Entry};

impl Archive {
    /// The same archive with every large object and its privileges in an entry of its own, of the kind `LARGE OBJECT`,
    /// so that archives of different versions can be compared.
    #[must_use]
    pub fn ungrouped(&self) -> Self {
        let groups: HashMap<String, Vec<&str>> = self
            .entries
            .iter()
            .filter(|entry| entry.kind == "BLOB METADATA")
            .map(|entry| (entry.dump_id.to_string(), oids(entry)))
            .collect();
        let entries = self.entries.iter().flat_map(|entry| match entry.kind.as_str() {
            "BLOB" => vec![object(entry, entry.tag.as_deref().unwrap_or_default())],
            "BLOB METADATA" => oids(entry).into_iter().map(|oid| object(entry, oid)).collect(),
            "ACL" => privileges(entry, &groups),
            _ => vec![entry.clone()],
        });
        Self {
            entries: entries.collect(),
            ..self.clone()
        }
    }
}

fn oids(entry: &Entry) -> Vec<&str> {
    let names = entry.definition.as_deref().unwrap_or_default().lines();
    names.filter(|name| !name.is_empty()).collect()
}

fn object(entry: &Entry, oid: &str) -> Entry {
    Entry {
        kind: "LARGE OBJECT".into(),
        tag: Some(oid.to_owned()),
        definition: None,
        ..entry.clone()
    }
}

/// The statement of a group names its first object, and `pg_restore` repeats it for the others.
fn privileges(entry: &Entry, groups: &HashMap<String, Vec<&str>>) -> Vec<Entry> {
    let first = entry
        .tag
        .as_deref()
        .and_then(|tag| tag.strip_prefix("LARGE OBJECTS "))
        .and_then(|range| range.split("..").next());
    let group = entry.dependencies.iter().find_map(|id| groups.get(id));
    let (Some(first), Some(group)) = (first, group) else {
        return vec![entry.clone()];
    };
    let named = |oid: &str| format!("LARGE OBJECT {oid} ");
    let of = |oid: &&str| Entry {
        tag: Some(named(oid).trim_end().to_owned()),
        definition: entry
            .definition
            .as_ref()
            .map(|text| text.replace(&named(first), &named(oid))),
        ..entry.clone()
    };
    group.iter().map(of).collect()
}

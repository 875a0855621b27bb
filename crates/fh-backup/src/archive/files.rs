//! Which file of a directory archive holds what.
//!
//! From PostgreSQL's source (`src/bin/pg_dump/pg_backup_directory.c`): the rows of a `TABLE DATA` entry are in
//! `<dump id>.dat`; a large object is in `blob_<oid>.dat`, and a list says which there are: `blobs.toc` up to archive
//! version 1.15, one `blobs_<dump id>.toc` for each `BLOBS` entry from 1.16 on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Archive, Entry};

/// What ends the rows of a table in a data file, as `pg_dump` writes it.
pub const END_OF_ROWS: &[u8] = b"\\.\n\n\n";

/// The file with the rows of a `TABLE DATA` entry.
#[must_use]
pub fn rows_file(dump_id: i64) -> String {
    format!("{dump_id}.dat")
}

/// The file with one large object.
#[must_use]
pub fn large_object_file(oid: u32) -> String {
    format!("blob_{oid}.dat")
}

impl Archive {
    /// The file that an entry's data is in; `None` when the entry has none.
    #[must_use]
    pub fn data_file(&self, entry: &Entry) -> Option<String> {
        match entry.kind.as_str() {
            "TABLE DATA" => Some(rows_file(entry.dump_id)),
            "BLOBS" => Some(self.list_file(entry)),
            _ => None,
        }
    }

    fn list_file(&self, entry: &Entry) -> String {
        if self.version.1 >= 16 {
            format!("blobs_{}.toc", entry.dump_id)
        } else {
            "blobs.toc".to_owned()
        }
    }

    /// The lists of large objects: file name and content.
    ///
    /// # Errors
    /// What does not fit together: an object that no list has, or one that is listed and not there.
    pub fn large_object_lists(&self, oids: &BTreeSet<u32>) -> Result<BTreeMap<String, String>, String> {
        let line = |oid: &u32| format!("{oid} {}\n", large_object_file(*oid));
        let lists: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| entry.kind == "BLOBS")
            .collect();
        if self.version.1 < 16 {
            return match &lists[..] {
                [] if oids.is_empty() => Ok(BTreeMap::new()),
                [one] => Ok(BTreeMap::from([(
                    self.list_file(one),
                    oids.iter().map(line).collect(),
                )])),
                other => Err(format!("{} lists of large objects", other.len())),
            };
        }
        // From 1.16 on an entry is for a group of objects, which the definition of its `BLOB METADATA` names.
        let groups: HashMap<String, &Entry> = self
            .entries
            .iter()
            .filter(|entry| entry.kind == "BLOB METADATA")
            .map(|entry| (entry.dump_id.to_string(), entry))
            .collect();
        let mut left = oids.clone();
        let mut files = BTreeMap::new();
        for entry in lists {
            let group = entry.dependencies.iter().find_map(|id| groups.get(id));
            let names = group
                .and_then(|group| group.definition.as_deref())
                .ok_or_else(|| format!("no large objects are named for entry {}", entry.dump_id))?;
            let mut text = String::new();
            for name in names.lines().filter(|name| !name.is_empty()) {
                let oid: u32 = name
                    .parse()
                    .map_err(|_| format!("{name:?} is no number of a large object"))?;
                if !left.remove(&oid) {
                    return Err(format!("large object {oid} is not there"));
                }
                text.push_str(&line(&oid));
            }
            files.insert(self.list_file(entry), text);
        }
        match left.first() {
            None => Ok(files),
            Some(oid) => Err(format!("large object {oid} is in no list")),
        }
    }
}

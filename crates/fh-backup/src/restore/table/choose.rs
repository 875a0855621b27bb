//! From the names that were typed to the tables of a set.

use std::collections::BTreeMap;

use fh_core::nearest::nearest;
use fh_core::{Error, Result};
use fh_pg::qualified;

use crate::archive::{Archive, Entry};
use crate::body::{Database, Table};
use crate::restore::work::tables::Tables;

/// A table to restore.
#[derive(Debug, Clone)]
pub struct Chosen<'a> {
    /// Its entry in the table of contents.
    pub entry: &'a Entry,
    /// Dump ids of the table and, when it is partitioned, of all its partitions.
    pub ids: Vec<i64>,
    /// What has rows: the table itself, or the partitions.
    pub data: Vec<&'a Table>,
}

impl Chosen<'_> {
    /// `schema.name`, for messages.
    #[must_use]
    pub fn label(&self) -> String {
        self.entry.label()
    }

    /// The name as SQL.
    #[must_use]
    pub fn qualified(&self) -> String {
        qualified(self.schema(), self.name())
    }

    /// Schema, without quotes.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.entry.namespace.as_deref().unwrap_or_default()
    }

    /// Name, without quotes.
    #[must_use]
    pub fn name(&self) -> &str {
        self.entry.tag.as_deref().unwrap_or_default()
    }

    /// Whether its rows are in partitions.
    #[must_use]
    pub fn is_partitioned(&self) -> bool {
        self.ids.len() > 1 || self.data.iter().all(|table| table.label() != self.label())
    }
}

/// Finds the tables. A name without a schema is enough where it is the only one.
///
/// # Errors
/// Exit code 2 for a name that is none or not clear, with what may have been meant.
pub fn choose<'a>(
    archive: &'a Archive,
    database: &'a Database,
    wanted: &[String],
) -> Result<Vec<Chosen<'a>>> {
    let tables = Tables::of(archive);
    let with_rows: BTreeMap<String, &Table> = database
        .tables
        .iter()
        .map(|table| (qualified(&table.schema, &table.name), table))
        .collect();
    let mut chosen: Vec<Chosen<'a>> = Vec::new();
    for name in wanted {
        let entry = find(&tables, name)?;
        if chosen.iter().any(|other| other.ids.contains(&entry.dump_id)) {
            return Err(Error::usage(format!(
                "--table {name} is named twice, or with its partitioned table"
            )));
        }
        let ids = tables.with_partitions(entry.dump_id);
        let data = ids
            .iter()
            .filter_map(|id| tables.get(*id))
            .filter_map(|entry| with_rows.get(&qualified(entry.namespace.as_deref()?, entry.tag.as_deref()?)))
            .copied()
            .collect();
        chosen.push(Chosen { entry, ids, data });
    }
    Ok(chosen)
}

fn find<'a>(tables: &Tables<'a>, name: &str) -> Result<&'a Entry> {
    if let Some(exact) = tables.all().find(|entry| entry.label() == name) {
        return Ok(exact);
    }
    let named: Vec<&Entry> = tables
        .all()
        .filter(|entry| entry.tag.as_deref() == Some(name))
        .collect();
    match named[..] {
        [only] => Ok(only),
        [] => {
            let labels: Vec<String> = tables.all().map(Entry::label).collect();
            let hint = match nearest(name, labels.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "`fh-backup show` lists the tables".to_owned(),
            };
            Err(Error::usage(format!("the set has no table {name}")).hint(hint))
        }
        _ => {
            let mut labels: Vec<String> = named.iter().map(|entry| entry.label()).collect();
            labels.sort();
            Err(
                Error::usage(format!("{name} is the name of {} tables of the set", named.len()))
                    .hint(format!("say which one: {}", labels.join(", "))),
            )
        }
    }
}

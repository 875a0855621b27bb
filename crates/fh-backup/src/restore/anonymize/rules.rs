//! From the configuration to what becomes of every column of a set. Closed by default: what is not understood, or not
//! decided, stops the restore before anything is changed, and everything of that kind is told at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fh_core::config::{Anonymize, AnonymizeTable, LargeObjects, Unlisted};
use fh_core::nearest::nearest;
use fh_core::{Error, Result, Secret};

use super::column::{Action, Plan, action, is_harmless};
use super::fake::Fake;
use super::survivors::Originals;
use super::{Anonymizer, checked_salt};
use crate::archive::{Archive, Entry};
use crate::body::{Column, Database, Table};
use crate::restore::work::tables::Tables;

impl Anonymizer {
    /// Fits the rules to the tables of a set.
    ///
    /// # Errors
    /// Exit code 2 with everything that is missing or wrong in the rules; 3 when the set does not say what its columns
    /// are.
    pub fn new(rules: &Anonymize, salt: &Secret, archive: &Archive, database: &Database) -> Result<Self> {
        let salt = checked_salt(salt)?;
        let mut problems = BTreeSet::new();
        let tables = Tables::of(archive);
        names(rules, &tables, database, &mut problems);
        let copies = archive
            .copies()
            .map_err(|what| Error::bad(format!("the definitions of the set are not understood: {what}")))?;
        let mut planned = HashMap::new();
        let mut unlisted = Vec::new();
        let closed = AnonymizeTable::default();
        for table in &database.tables {
            let label = table.label();
            let columns = copies
                .get(&table.dump_id)
                .map(|copy| identifiers(&copy.columns))
                .unwrap_or_default();
            let known: BTreeMap<&str, &Column> = table
                .columns
                .iter()
                .map(|column| (column.name.as_str(), column))
                .collect();
            if columns.iter().any(|name| !known.contains_key(name.as_str())) {
                return Err(
                    Error::unable(format!("the set does not say what the columns of {label} are"))
                        .hint("it was taken by an earlier version: take a new backup, and anonymise that"),
                );
            }
            let found = of_table(rules, &tables, table);
            if found.is_none() && rules.unlisted == Unlisted::Keep {
                unlisted.push(label.clone());
            }
            let own = match rules.unlisted {
                Unlisted::Sensitive => found.or(Some(&closed)),
                Unlisted::Keep => found,
            };
            if let Some(own) = found {
                unknown_columns(own, &label, table, &mut problems);
            }
            let plans = columns.iter().filter_map(|name| known.get(name.as_str()));
            let plans = plans
                .map(|column| plan(own, &label, column, &mut problems))
                .collect();
            planned.insert(label, plans);
        }
        if !problems.is_empty() {
            return Err(told(&problems));
        }
        let fake = Fake::new(salt);
        // Only for hashes that never leave this process.
        let seed = u64::from_str_radix(&fake.hash(b"seed")[..16], 16).unwrap_or_default();
        Ok(Self {
            tables: planned,
            fake,
            originals: Originals::new(seed),
            keep_large_objects: rules.large_objects == LargeObjects::Keep,
            unlisted,
        })
    }
}

fn told(problems: &BTreeSet<String>) -> Error {
    let list: Vec<&str> = problems.iter().map(String::as_str).collect();
    Error::usage(format!(
        "the rules for anonymising do not fit the backup, in {} place(s)",
        problems.len()
    ))
    .because(list.join("\n  "))
    .hint("give each column a rule in [backup.anonymize.tables], \"keep\" where its values are harmless; nothing was changed")
}

/// Tables that are named in the rules and not in the set: a slip of the pen there would let a table through unmasked.
fn names(rules: &Anonymize, tables: &Tables<'_>, database: &Database, problems: &mut BTreeSet<String>) {
    let mut known: BTreeSet<String> = tables.all().map(Entry::label).collect();
    known.extend(database.tables.iter().map(Table::label));
    for name in rules.tables.keys().filter(|name| !known.contains(*name)) {
        let near = nearest(name, known.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!(" (did you mean {near}?)"));
        problems.insert(format!("{name}: the backup has no such table{near}"));
    }
}

/// The rules of a table: its own, or those of the partitioned table that it belongs to.
fn of_table<'r>(rules: &'r Anonymize, tables: &Tables<'_>, table: &Table) -> Option<&'r AnonymizeTable> {
    if let Some(own) = rules.tables.get(&table.label()) {
        return Some(own);
    }
    let mut id = tables.named(&fh_pg::qualified(&table.schema, &table.name))?;
    while let Some(parent) = tables.parent(id) {
        if let Some(found) = tables
            .get(parent)
            .and_then(|entry| rules.tables.get(&entry.label()))
        {
            return Some(found);
        }
        id = parent;
    }
    None
}

fn unknown_columns(own: &AnonymizeTable, label: &str, table: &Table, problems: &mut BTreeSet<String>) {
    let known = || table.columns.iter().map(|column| column.name.as_str());
    for name in own
        .columns
        .keys()
        .filter(|name| known().all(|column| column != *name))
    {
        let near = nearest(name, known()).map_or(String::new(), |near| format!(" (did you mean {near}?)"));
        problems.insert(format!(
            "{label}.{name}: there is no such column with stored values{near}"
        ));
    }
}

fn plan(own: Option<&AnonymizeTable>, label: &str, column: &Column, problems: &mut BTreeSet<String>) -> Plan {
    let mut plan = Plan {
        label: format!("{label}.{}", column.name),
        kind: column.kind.clone(),
        action: Action::Keep,
        watched: false,
    };
    let rule = own.and_then(|own| own.columns.get(&column.name));
    match rule {
        Some(rule) => match action(rule, column) {
            Ok(action) => plan.action = action,
            Err(why) => drop(problems.insert(format!("{}: {why}", plan.label))),
        },
        None if is_harmless(column) => {}
        None if own.is_some_and(|own| own.sensitive) => {
            problems.insert(format!("{} ({}) has no rule", plan.label, column.kind));
        }
        None => plan.watched = true,
    }
    plan
}

/// Names in a list such as `id, "a, b"`, without quotes.
fn identifiers(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut quoted = false;
    let mut letters = list.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                name.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(std::mem::take(&mut name)),
            ' ' if !quoted => {}
            other => name.push(other),
        }
    }
    if !list.is_empty() {
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_come_apart() {
        assert_eq!(
            identifiers("id, \"a, b\", \"say \"\"hi\"\"\""),
            ["id", "a, b", "say \"hi\""]
        );
        assert_eq!(identifiers(""), Vec::<String>::new());
    }
}

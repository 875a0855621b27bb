//! The statements that make a table, from the table of contents.

use std::collections::BTreeSet;

use fh_pg::{qualified, quote_ident};

use super::choose::Chosen;
use crate::archive::{Archive, Entry, Section};

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// For messages.
    pub(super) what: String,
    pub(super) sql: String,
    /// The table is worth having without it.
    pub(super) optional: bool,
}

/// What is done before the rows come, and after.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) before: Vec<Statement>,
    pub(super) after: Vec<Statement>,
}

/// Kinds of entries that belong to a table when they depend on it.
const REQUIRED: [&str; 10] = [
    "TABLE ATTACH",
    "SEQUENCE",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "DEFAULT",
    "CONSTRAINT",
    "CHECK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "ROW SECURITY",
];
const OPTIONAL: [&str; 9] = [
    "FK CONSTRAINT",
    "TRIGGER",
    "RULE",
    "POLICY",
    "STATISTICS",
    "COMMENT",
    "ACL",
    "PUBLICATION TABLE",
    "SECURITY LABEL",
];

/// Everything that made the tables what they were, in the place where they were.
pub(super) fn in_place(
    archive: &Archive,
    chosen: &[Chosen<'_>],
    owners: bool,
    privileges: bool,
) -> Statements {
    let mut included: BTreeSet<i64> = chosen.iter().flat_map(|table| table.ids.clone()).collect();
    // A sequence that a column owns does not depend on the table; what ties them depends on both.
    for entry in archive
        .entries
        .iter()
        .filter(|entry| entry.kind == "SEQUENCE OWNED BY")
    {
        let needs = needs(entry);
        if needs.iter().any(|id| included.contains(id)) {
            included.extend(needs);
        }
    }
    let names: Vec<String> = chosen
        .iter()
        .flat_map(|table| table.ids.iter())
        .filter_map(|id| archive.entries.iter().find(|entry| entry.dump_id == *id))
        .map(name)
        .collect();
    let mut statements = Statements::default();
    let mut section = Section::PreData;
    for entry in &archive.entries {
        if entry.section != Section::None {
            section = entry.section;
        }
        let kind = entry.kind.as_str();
        let itself = matches!(kind, "TABLE" | "SEQUENCE") && included.contains(&entry.dump_id);
        let optional = OPTIONAL.contains(&kind);
        let needs = needs(entry);
        let belongs = match kind {
            // Both ends must be there; a partition alone is a table of its own.
            "TABLE ATTACH" | "INDEX ATTACH" => {
                !needs.is_empty() && needs.iter().all(|id| included.contains(id))
            }
            "FK CONSTRAINT" => names.iter().any(|name| begins_with_table(entry, name)),
            _ => (REQUIRED.contains(&kind) || optional) && needs.iter().any(|id| included.contains(id)),
        };
        if !itself && (!belongs || (kind == "ACL" && !privileges)) {
            continue;
        }
        included.insert(entry.dump_id);
        let statement = Statement {
            what: format!("{} {}", kind.to_lowercase(), entry.label()),
            sql: entry.definition.clone().unwrap_or_default(),
            optional,
        };
        if kind == "TABLE" && owners && entry.owner.as_deref().is_some_and(|owner| !owner.is_empty()) {
            statements.after.push(Statement {
                what: format!("owner of {}", entry.label()),
                sql: format!(
                    "ALTER TABLE {} OWNER TO {}",
                    name(entry),
                    quote_ident(entry.owner.as_deref().unwrap_or_default())
                ),
                optional: true,
            });
        }
        // Optional things come last: privileges and comments may be about something that is made after the rows.
        if section == Section::PostData || optional {
            statements.after.push(statement);
        } else {
            statements.before.push(statement);
        }
    }
    statements
}

fn needs(entry: &Entry) -> Vec<i64> {
    entry
        .dependencies
        .iter()
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn name(entry: &Entry) -> String {
    qualified(
        entry.namespace.as_deref().unwrap_or_default(),
        entry.tag.as_deref().unwrap_or_default(),
    )
}

fn begins_with_table(entry: &Entry, name: &str) -> bool {
    let definition = entry.definition.as_deref().unwrap_or_default();
    ["ALTER TABLE ONLY ", "ALTER TABLE "].iter().any(|begin| {
        definition
            .strip_prefix(begin)
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with("\n    ADD CONSTRAINT "))
    })
}

/// The table under another name: columns, defaults that stand in its definition, CHECK constraints, and the primary key.
/// A partitioned table becomes a plain one. `None` when its definition is not one that can be given another name.
pub(super) fn elsewhere(archive: &Archive, chosen: &Chosen<'_>, target: &str) -> Option<Statements> {
    let old = chosen.qualified();
    let definition = chosen.entry.definition.as_deref()?;
    let created = create_as(definition, &old, target)?;
    let mut statements = Statements::default();
    statements.before.push(Statement {
        what: format!("table {}", chosen.label()),
        sql: created,
        optional: false,
    });
    let key = archive.entries.iter().find_map(|entry| {
        let of_it = entry.kind == "CONSTRAINT" && needs(entry).contains(&chosen.entry.dump_id);
        of_it.then(|| primary_key(entry.definition.as_deref()?, &old, target))?
    });
    if let Some(sql) = key {
        statements.after.push(Statement {
            what: format!("primary key of {}", chosen.label()),
            sql,
            optional: false,
        });
    }
    Some(statements)
}

fn create_as(definition: &str, old: &str, target: &str) -> Option<String> {
    let definition = definition.trim_start();
    let begins = [
        format!("CREATE TABLE {old} (\n"),
        format!("CREATE UNLOGGED TABLE {old} (\n"),
    ];
    let rest = begins
        .iter()
        .find_map(|begin| definition.strip_prefix(begin.as_str()))?;
    if rest.contains("\nINHERITS (") {
        return None;
    }
    let mut created = format!("CREATE TABLE {target} (\n");
    for line in rest.split_inclusive('\n') {
        let alter = ["ALTER TABLE ONLY ", "ALTER TABLE "]
            .iter()
            .find_map(|begin| line.strip_prefix(begin)?.strip_prefix(old));
        if line.starts_with("PARTITION BY ") {
            created.push_str(";\n");
        } else if let Some(rest) = alter {
            created.push_str(&format!("ALTER TABLE ONLY {target}{rest}"));
        } else {
            created.push_str(line);
        }
    }
    Some(created)
}

fn primary_key(definition: &str, old: &str, target: &str) -> Option<String> {
    let rest = definition
        .trim_start()
        .strip_prefix("ALTER TABLE ONLY ")?
        .strip_prefix(old)?
        .strip_prefix("\n    ADD CONSTRAINT ")?;
    let mut quoted = false;
    let end = rest.find(|letter: char| {
        quoted ^= letter == '"';
        letter == ' ' && !quoted
    })?;
    let key = rest[end..].strip_prefix(" PRIMARY KEY ")?;
    Some(format!("ALTER TABLE ONLY {target} ADD PRIMARY KEY {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_given_another_name() {
        let definition = "CREATE TABLE public.\"Order\" (\n    id integer NOT NULL,\n    note text DEFAULT 'public.\"Order\"'::text\n);\nALTER TABLE ONLY public.\"Order\" ALTER COLUMN note SET STORAGE EXTERNAL;\n";
        assert_eq!(
            create_as(definition, "public.\"Order\"", "restored.x").unwrap(),
            "CREATE TABLE restored.x (\n    id integer NOT NULL,\n    note text DEFAULT 'public.\"Order\"'::text\n);\nALTER TABLE ONLY restored.x ALTER COLUMN note SET STORAGE EXTERNAL;\n"
        );
        let partitioned = "CREATE TABLE public.e (\n    at date NOT NULL\n)\nPARTITION BY RANGE (at);\n";
        assert_eq!(
            create_as(partitioned, "public.e", "r.e").unwrap(),
            "CREATE TABLE r.e (\n    at date NOT NULL\n)\n;\n"
        );
        let inherited = "CREATE TABLE public.c (\n    x integer\n)\nINHERITS (public.p);\n";
        assert_eq!(create_as(inherited, "public.c", "r.c"), None);
        assert_eq!(
            create_as("CREATE TABLE public.t OF public.ty;\n", "public.t", "r.t"),
            None
        );
    }

    #[test]
    fn only_the_primary_key_is_taken_along() {
        let key = "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT \"a b\" PRIMARY KEY (id, at);\n";
        assert_eq!(
            primary_key(key, "public.t", "r.t").unwrap(),
            "ALTER TABLE ONLY r.t ADD PRIMARY KEY (id, at);\n"
        );
        let unique = "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT u UNIQUE (id);\n";
        assert_eq!(primary_key(unique, "public.t", "r.t"), None);
    }
}

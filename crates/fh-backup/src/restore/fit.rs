//! Fits a table of contents to a target: what the role there may not make, and what belongs to a cloud provider's own
//! roles, is taken out and told, so that it does not end the restore half way.

use std::collections::BTreeSet;

use super::preflight::Facts;
use crate::archive::{Archive, Entry};

/// A table of contents that the target can be given.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// What is left.
    pub archive: Archive,
    /// What was taken out, for people.
    pub left_out: Vec<String>,
    /// What cannot be made, and cannot be taken out because other things need it.
    pub impossible: Vec<String>,
}

/// Whether a role is one of those that a cloud provider keeps for itself: they are in every dump from there, and on no
/// other server. They are not made by a restore.
#[must_use]
pub fn of_a_provider(role: &str) -> bool {
    const PREFIXES: [&str; 4] = ["rds_", "cloudsql", "azure_", "azuresu"];
    const NAMES: [&str; 3] = ["rdsadmin", "rdsrepladmin", "rdstopmgr"];
    NAMES.contains(&role) || PREFIXES.iter().any(|prefix| role.starts_with(prefix))
}

/// Kinds that only a superuser makes and that nothing else needs.
const REMOVABLE: [&str; 2] = ["EVENT TRIGGER", "SUBSCRIPTION"];

/// Kinds that only a superuser makes and that other things are built on.
const FOUNDATIONS: [&str; 6] = [
    "ACCESS METHOD",
    "FOREIGN DATA WRAPPER",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
];

/// Takes out what the target cannot be given.
#[must_use]
pub fn fit(archive: &Archive, facts: &Facts) -> Fitted {
    let absent = |role: &str| of_a_provider(role) && !facts.roles.contains(role);
    let mut fitted = Fitted {
        archive: Archive {
            entries: Vec::new(),
            ..archive.clone()
        },
        left_out: Vec::new(),
        impossible: Vec::new(),
    };
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for entry in &archive.entries {
        let what = format!("{} {}", entry.kind, entry.label());
        let with_another = entry.kind == "COMMENT" && entry.dependencies.iter().any(|id| gone.contains(id));
        if !facts.superuser && FOUNDATIONS.contains(&entry.kind.as_str()) {
            fitted.impossible.push(what.clone());
        }
        if with_another || removable(entry, facts) {
            gone.insert(entry.dump_id.to_string());
            fitted.left_out.push(what);
            continue;
        }
        let mut entry = entry.clone();
        if entry.owner.as_deref().is_some_and(absent) {
            // The schema that every database has belongs to whom it belongs there.
            if entry.kind == "SCHEMA" && entry.tag.as_deref() == Some("public") {
                fitted.left_out.push(format!("{what}: its owner"));
                continue;
            }
            if !entry.kind.ends_with("ACL") {
                fitted.left_out.push(format!("{what}: its owner"));
            }
            entry.owner = Some(String::new());
        }
        if entry.kind.ends_with("ACL") && !without_roles(&mut entry, &absent) {
            fitted
                .left_out
                .push(format!("{what}: privileges of a provider's role"));
            if entry.definition.as_deref().is_some_and(str::is_empty) {
                continue;
            }
        }
        fitted.archive.entries.push(entry);
    }
    fitted
}

fn removable(entry: &Entry, facts: &Facts) -> bool {
    if facts.superuser {
        return false;
    }
    let definition = entry.definition.as_deref().unwrap_or_default();
    let tag = entry.tag.as_deref().unwrap_or_default();
    // Who made an extension may comment on it; on one that was there before, only its owner may.
    let foreign_comment = entry.kind == "COMMENT"
        && tag.strip_prefix("EXTENSION ").is_some_and(|name| {
            let name = name.trim_matches('"');
            facts.extensions.get(name).is_some_and(|known| known.installed)
        });
    foreign_comment
        || (REMOVABLE.contains(&entry.kind.as_str()) && !facts.provider_superuser)
        || (entry.kind == "PUBLICATION" && definition.contains(" FOR ALL TABLES"))
}

/// Takes the statements about such roles out of a list of GRANT and REVOKE; gives whether there were none. `pg_dump`
/// writes each statement on a line of its own, with the role at its end or behind `FOR ROLE`.
fn without_roles(entry: &mut Entry, absent: &impl Fn(&str) -> bool) -> bool {
    let definition = entry.definition.clone().unwrap_or_default();
    let names_one = |line: &str| {
        line.split([' ', ';', ','])
            .any(|word| absent(word.trim_matches('"')))
    };
    let kept: String = definition
        .split_inclusive('\n')
        .filter(|line| !names_one(line))
        .collect();
    let untouched = kept == definition;
    entry.definition = Some(if kept.trim().is_empty() {
        String::new()
    } else {
        kept
    });
    untouched
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{CUSTOM, Section};
    use crate::restore::preflight::Available;

    fn entry(dump_id: i64, kind: &str, tag: &str, definition: &str, owner: &str) -> Entry {
        Entry {
            dump_id,
            has_data: false,
            catalog_oid: None,
            oid: None,
            tag: Some(tag.into()),
            kind: kind.into(),
            section: Section::PreData,
            definition: Some(definition.into()),
            drop: None,
            copy: None,
            namespace: None,
            tablespace: None,
            access_method: None,
            relation_kind: 0,
            owner: Some(owner.into()),
            with_oids: None,
            dependencies: Vec::new(),
        }
    }

    fn archive() -> Archive {
        let mut comment = entry(8, "COMMENT", "EVENT TRIGGER guard", "COMMENT ON …", "app");
        comment.dependencies = vec!["7".into()];
        Archive {
            version: (1, 14, 0),
            int_size: 4,
            offset_size: 8,
            format: CUSTOM,
            compression: 0,
            created: [0; 7],
            database: None,
            server_version: None,
            dump_version: None,
            entries: vec![
                entry(1, "SCHEMA", "public", "CREATE SCHEMA public;", "rdsadmin"),
                entry(
                    2,
                    "ACL",
                    "SCHEMA public",
                    "REVOKE ALL ON SCHEMA public FROM rdsadmin;\nGRANT ALL ON SCHEMA public TO app;\n",
                    "rdsadmin",
                ),
                entry(
                    3,
                    "ACL",
                    "TABLE t",
                    "GRANT SELECT ON TABLE t TO rds_superuser;\n",
                    "app",
                ),
                entry(4, "TABLE", "t", "CREATE TABLE t ();", "app"),
                entry(5, "COMMENT", "EXTENSION plpgsql", "COMMENT ON …", ""),
                entry(6, "COMMENT", "EXTENSION hstore", "COMMENT ON …", ""),
                entry(7, "EVENT TRIGGER", "guard", "CREATE EVENT TRIGGER …", "app"),
                comment,
                entry(
                    9,
                    "PUBLICATION",
                    "everything",
                    "CREATE PUBLICATION everything FOR ALL TABLES;",
                    "app",
                ),
                entry(
                    10,
                    "FOREIGN DATA WRAPPER",
                    "w",
                    "CREATE FOREIGN DATA WRAPPER w;",
                    "app",
                ),
            ],
        }
    }

    fn facts(superuser: bool, roles: &[&str]) -> Facts {
        let installed = Available {
            installed: true,
            ..Available::default()
        };
        Facts {
            superuser,
            roles: roles.iter().map(ToString::to_string).collect(),
            extensions: [
                ("plpgsql".to_owned(), installed),
                ("hstore".to_owned(), Available::default()),
            ]
            .into(),
            ..Facts::default()
        }
    }

    fn ids(fitted: &Fitted) -> Vec<i64> {
        fitted.archive.entries.iter().map(|entry| entry.dump_id).collect()
    }

    #[test]
    fn a_superuser_gets_everything_but_a_providers_roles() {
        let fitted = fit(&archive(), &facts(true, &["app"]));
        assert_eq!(ids(&fitted), [2, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(
            fitted.archive.entries[0].definition.as_deref(),
            Some("GRANT ALL ON SCHEMA public TO app;\n")
        );
        assert_eq!(fitted.archive.entries[0].owner.as_deref(), Some(""));
        assert!(fitted.impossible.is_empty());
        assert_eq!(fitted.left_out.len(), 3, "{:?}", fitted.left_out);
    }

    #[test]
    fn another_role_loses_what_only_superusers_make() {
        let fitted = fit(&archive(), &facts(false, &["app", "rdsadmin", "rds_superuser"]));
        assert_eq!(ids(&fitted), [1, 2, 3, 4, 6, 10]);
        assert_eq!(fitted.impossible, ["FOREIGN DATA WRAPPER w"]);
        assert!(
            fitted.left_out.contains(&"EVENT TRIGGER guard".to_owned()),
            "{:?}",
            fitted.left_out
        );
    }

    #[test]
    fn where_the_roles_exist_they_stay() {
        let fitted = fit(&archive(), &facts(true, &["app", "rdsadmin", "rds_superuser"]));
        assert_eq!(fitted.archive, archive());
        assert!(fitted.left_out.is_empty());
    }
}

//! What must be done on a server so that it has the roles of a set: a list of statements, and what is only told.
//!
//! A role that exists already is left as it is: whoever runs that server may have changed it on purpose. How it differs
//! is reported.

use std::collections::BTreeSet;

use fh_pg::{quote_ident, quote_literal};

use super::{Globals, Membership, Role};
use crate::body::Setting;
use crate::restore::settings::assignment;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is for.
    pub what: String,
    /// The SQL, without a semicolon.
    pub statement: String,
    /// What to run when it fails: the same with less.
    pub otherwise: Option<String>,
    /// Whether the whole restore fails with it: a role that cannot be made. Everything else is reported and left out.
    pub required: bool,
}

/// What to do, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The statements, in their order.
    pub steps: Vec<Step>,
    /// Roles that are made.
    pub created: Vec<String>,
    /// Roles that exist and are equal.
    pub equal: Vec<String>,
    /// How existing roles differ from those of the set, one line for each difference.
    pub different: Vec<String>,
    /// What is left out and why.
    pub left_out: Vec<String>,
}

impl Plan {
    /// The statements as a script, for people and for `psql`.
    #[must_use]
    pub fn script(&self) -> String {
        self.steps
            .iter()
            .map(|step| format!("{};\n", step.statement))
            .collect()
    }
}

/// Compares the roles of a set with those of a server, whose version is `major`.
#[must_use]
pub fn plan(wanted: &Globals, there: &Globals, system: &BTreeSet<String>, major: u32) -> Plan {
    let mut plan = Plan::default();
    for role in &wanted.roles {
        match there.roles.iter().find(|other| other.name == role.name) {
            _ if is_amazons(&role.name) => {
                plan.left_out
                    .push(format!("role {}: it is Amazon RDS's own", role.name));
            }
            None => {
                plan.created.push(role.name.clone());
                plan.steps.extend(create(role));
            }
            Some(other) => compare(&mut plan, wanted, there, role, other),
        }
    }
    settings(&mut plan, wanted, there);
    memberships(&mut plan, wanted, there, system, major);
    plan
}

/// `rdsadmin`, `rds_superuser` and the like are made by the service.
fn is_amazons(name: &str) -> bool {
    name.starts_with("rds_")
        || matches!(
            name,
            "rdsadmin" | "rdsrepladmin" | "rdstopmgr" | "rdswriteforwarduser"
        )
}

/// The role itself first, and apart from it what a managed server may refuse.
fn create(role: &Role) -> Vec<Step> {
    let name = quote_ident(&role.name);
    let word = |wanted: bool, word: &str| {
        if wanted {
            word.to_owned()
        } else {
            format!("NO{word}")
        }
    };
    let mut statement = format!(
        "CREATE ROLE {name} WITH {} {} {} {}",
        word(role.login, "LOGIN"),
        word(role.inherit, "INHERIT"),
        word(role.create_db, "CREATEDB"),
        word(role.create_role, "CREATEROLE"),
    );
    if role.connection_limit != -1 {
        statement.push_str(&format!(" CONNECTION LIMIT {}", role.connection_limit));
    }
    if let Some(until) = &role.valid_until {
        statement.push_str(&format!(" VALID UNTIL {}", quote_literal(until)));
    }
    let mut steps = vec![Step {
        what: format!("role {}", role.name),
        statement,
        otherwise: None,
        required: true,
    }];
    let optional = |what: String, statement: String| Step {
        what,
        statement,
        otherwise: None,
        required: false,
    };
    for (has, word) in [
        (role.superuser, "SUPERUSER"),
        (role.replication, "REPLICATION"),
        (role.bypass_rls, "BYPASSRLS"),
    ] {
        if has {
            steps.push(optional(
                format!("{word} of role {}", role.name),
                format!("ALTER ROLE {name} {word}"),
            ));
        }
    }
    if let Some(comment) = &role.comment {
        steps.push(optional(
            format!("comment of role {}", role.name),
            format!("COMMENT ON ROLE {name} IS {}", quote_literal(comment)),
        ));
    }
    steps
}

fn compare(plan: &mut Plan, wanted: &Globals, there: &Globals, role: &Role, other: &Role) {
    let before = plan.different.len();
    let flags = [
        ("SUPERUSER", role.superuser, other.superuser),
        ("INHERIT", role.inherit, other.inherit),
        ("CREATEROLE", role.create_role, other.create_role),
        ("CREATEDB", role.create_db, other.create_db),
        ("LOGIN", role.login, other.login),
        ("REPLICATION", role.replication, other.replication),
        ("BYPASSRLS", role.bypass_rls, other.bypass_rls),
    ];
    let said = |value: bool| if value { "yes" } else { "no" };
    for (word, set, here) in flags.into_iter().filter(|(_, set, here)| set != here) {
        plan.different.push(format!(
            "role {}: {word} is {} in the set and {} here",
            role.name,
            said(set),
            said(here)
        ));
    }
    let limits = (role.connection_limit, &role.valid_until, &role.comment);
    if limits != (other.connection_limit, &other.valid_until, &other.comment) {
        plan.different.push(format!(
            "role {}: connection limit, VALID UNTIL or comment differ",
            role.name
        ));
    }
    if of_role(&wanted.settings, Some(&role.name)) != of_role(&there.settings, Some(&role.name)) {
        plan.different
            .push(format!("role {}: its settings differ", role.name));
    }
    if plan.different.len() == before {
        plan.equal.push(role.name.clone());
    }
}

fn of_role<'a>(settings: &'a [Setting], role: Option<&str>) -> BTreeSet<(&'a str, &'a str)> {
    settings
        .iter()
        .filter(|setting| setting.role.as_deref() == role)
        .map(|setting| (setting.name.as_str(), setting.value.as_str()))
        .collect()
}

fn settings(plan: &mut Plan, wanted: &Globals, there: &Globals) {
    if of_role(&wanted.settings, None) != of_role(&there.settings, None) {
        plan.different
            .push("the settings for every role (ALTER ROLE ALL SET) differ".into());
    }
    for setting in &wanted.settings {
        let Some(role) = setting.role.as_ref().filter(|role| plan.created.contains(role)) else {
            continue;
        };
        plan.steps.push(Step {
            what: format!("setting {} of role {role}", setting.name),
            statement: assignment(&format!("ROLE {}", quote_ident(role)), setting),
            otherwise: None,
            required: false,
        });
    }
}

/// A membership is made when one of its two roles is made now. Between roles that were there before, a missing one may
/// have been taken away on purpose.
fn memberships(plan: &mut Plan, wanted: &Globals, there: &Globals, system: &BTreeSet<String>, major: u32) {
    let exists = |plan: &Plan, name: &String| {
        plan.created.contains(name)
            || system.contains(name)
            || there.roles.iter().any(|role| role.name == *name)
    };
    let mut ordered: Vec<&Membership> = wanted.memberships.iter().collect();
    // Who may grant must have been granted the right before: those of the bootstrap superuser first.
    ordered.sort_by_key(|one| (one.grantor.is_some(), !one.admin));
    for one in ordered {
        let what = format!("membership of {} in {}", one.member, one.role);
        let has = |other: &Membership| {
            (&other.role, &other.member, other.admin) == (&one.role, &one.member, one.admin)
        };
        if is_amazons(&one.member) || there.memberships.iter().any(has) {
            continue;
        }
        if let Some(missing) = [&one.role, &one.member]
            .into_iter()
            .find(|name| !exists(plan, name))
        {
            plan.left_out
                .push(format!("{what}: there is no role {missing} here"));
        } else if plan.created.contains(&one.role) || plan.created.contains(&one.member) {
            plan.steps.push(grant(one, what, major));
        } else {
            let admin = if one.admin { " with ADMIN OPTION" } else { "" };
            plan.different.push(format!("{what}{admin} is missing here"));
        }
    }
}

fn grant(one: &Membership, what: String, major: u32) -> Step {
    let mut options = Vec::new();
    if major >= 16 {
        let told = [
            ("ADMIN", Some(one.admin)),
            ("INHERIT", one.inherit),
            ("SET", one.set),
        ];
        options.extend(told.into_iter().filter_map(|(word, value)| {
            let value = if value? { "TRUE" } else { "FALSE" };
            Some(format!("{word} {value}"))
        }));
    } else if one.admin {
        options.push("ADMIN OPTION".to_owned());
    }
    let mut statement = format!("GRANT {} TO {}", quote_ident(&one.role), quote_ident(&one.member));
    if !options.is_empty() {
        statement.push_str(" WITH ");
        statement.push_str(&options.join(", "));
    }
    let by = one.grantor.as_ref().filter(|_| major >= 16);
    let (statement, otherwise) = match by {
        Some(grantor) => (
            format!("{statement} GRANTED BY {}", quote_ident(grantor)),
            Some(statement),
        ),
        None => (statement, None),
    };
    Step {
        what,
        statement,
        otherwise,
        required: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str) -> Role {
        Role {
            name: name.into(),
            inherit: true,
            connection_limit: -1,
            ..Role::default()
        }
    }

    fn member(role: &str, member: &str) -> Membership {
        Membership {
            role: role.into(),
            member: member.into(),
            admin: false,
            inherit: Some(false),
            set: Some(true),
            grantor: Some("boss".into()),
        }
    }

    fn statements(plan: &Plan) -> Vec<&str> {
        plan.steps.iter().map(|step| step.statement.as_str()).collect()
    }

    #[test]
    fn what_is_missing_is_made_and_what_exists_is_left_alone() {
        let wanted = Globals {
            roles: vec![
                Role {
                    login: true,
                    superuser: true,
                    valid_until: Some("infinity".into()),
                    comment: Some("it's".into()),
                    ..role("New")
                },
                role("old"),
                role("rdsadmin"),
            ],
            memberships: vec![
                member("old", "New"),
                member("gone", "old"),
                member("pg_monitor", "old"),
            ],
            settings: vec![Setting {
                role: Some("New".into()),
                name: "search_path".into(),
                value: "a, b".into(),
            }],
            tablespaces: vec![],
        };
        let there = Globals {
            roles: vec![Role {
                login: true,
                ..role("old")
            }],
            ..Globals::default()
        };
        let system = BTreeSet::from(["pg_monitor".to_owned()]);
        let made = plan(&wanted, &there, &system, 16);
        assert_eq!(
            statements(&made),
            [
                "CREATE ROLE \"New\" WITH LOGIN INHERIT NOCREATEDB NOCREATEROLE VALID UNTIL 'infinity'",
                "ALTER ROLE \"New\" SUPERUSER",
                "COMMENT ON ROLE \"New\" IS 'it''s'",
                "ALTER ROLE \"New\" SET search_path TO a, b",
                "GRANT old TO \"New\" WITH ADMIN FALSE, INHERIT FALSE, SET TRUE GRANTED BY boss",
            ]
        );
        assert_eq!(
            made.different,
            [
                "role old: LOGIN is no in the set and yes here",
                "membership of old in pg_monitor is missing here",
            ]
        );
        assert_eq!(
            made.left_out,
            [
                "role rdsadmin: it is Amazon RDS's own",
                "membership of old in gone: there is no role gone here",
            ]
        );
        let older = plan(&wanted, &there, &system, 15);
        assert_eq!(statements(&older).last().copied(), Some("GRANT old TO \"New\""));
    }

    #[test]
    fn a_server_that_has_everything_needs_nothing() {
        let all = Globals {
            roles: vec![role("a"), role("b")],
            memberships: vec![member("a", "b")],
            ..Globals::default()
        };
        let nothing = plan(&all, &all, &BTreeSet::new(), 16);
        assert!(nothing.steps.is_empty() && nothing.different.is_empty() && nothing.left_out.is_empty());
        assert_eq!(nothing.equal, ["a", "b"]);
    }
}

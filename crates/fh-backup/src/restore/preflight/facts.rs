//! What the target server has, and what our role may do there.

use std::collections::{BTreeMap, BTreeSet};

use fh_core::Result;
use fh_pg::{Connection, query_error};

/// An extension that the server offers.
#[derive(Debug, Clone, Default)]
pub struct Available {
    /// The versions that can be made.
    pub versions: BTreeSet<String>,
    /// Those of them that need no superuser.
    pub open: BTreeSet<String>,
    /// The version that is made when none is named.
    pub default: Option<String>,
    /// Whether the database has it already.
    pub installed: bool,
}

/// The target, as far as a restore depends on it.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Our role.
    pub user: String,
    /// Whether it is a superuser.
    pub superuser: bool,
    /// Whether it may make databases.
    pub can_create_databases: bool,
    /// Whether it is a member of the role that a cloud provider has in place of a superuser.
    pub provider_superuser: bool,
    /// Every role.
    pub roles: BTreeSet<String>,
    /// The roles that ours may become, which it needs to give things to them.
    pub can_become: BTreeSet<String>,
    /// The extensions, by name.
    pub extensions: BTreeMap<String, Available>,
    /// Every tablespace.
    pub tablespaces: BTreeSet<String>,
}

/// Roles that stand for a superuser where nobody is given a real one.
const PROVIDERS: [&str; 3] = ["rds_superuser", "cloudsqlsuperuser", "azure_pg_admin"];

impl Facts {
    /// Asks the server.
    ///
    /// # Errors
    /// Exit code 3 when it does not answer.
    pub async fn read(target: &Connection) -> Result<Self> {
        let failed = |error| query_error("cannot find out what the target server has", error);
        // From PostgreSQL 16 on, a membership may be without the right to become the role.
        let becoming = if target.server.major() >= 16 {
            "SET"
        } else {
            "MEMBER"
        };
        let own = target
            .query_one(
                "SELECT current_user::text, rolsuper, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user",
                &[],
            )
            .await
            .map_err(failed)?;
        let mut facts = Self {
            user: own.get(0),
            superuser: own.get(1),
            can_create_databases: own.get(2),
            ..Self::default()
        };
        let roles = target
            .query(
                "SELECT rolname::text, pg_has_role(current_user, oid, $1) FROM pg_roles",
                &[&becoming],
            )
            .await
            .map_err(failed)?;
        for row in roles {
            let name: String = row.get(0);
            if row.get(1) {
                facts.provider_superuser |= PROVIDERS.contains(&name.as_str());
                facts.can_become.insert(name.clone());
            }
            facts.roles.insert(name);
        }
        let tablespaces = target
            .query("SELECT spcname::text FROM pg_tablespace", &[])
            .await
            .map_err(failed)?;
        facts.tablespaces = tablespaces.iter().map(|row| row.get(0)).collect();
        let extensions = target
            .query(
                "SELECT v.name::text, v.version, v.trusted OR NOT v.superuser, e.default_version, e.installed_version IS NOT NULL
                 FROM pg_available_extension_versions v JOIN pg_available_extensions e ON e.name = v.name",
                &[],
            )
            .await
            .map_err(failed)?;
        for row in extensions {
            let extension = facts.extensions.entry(row.get(0)).or_default();
            let version: String = row.get(1);
            if row.get(2) {
                extension.open.insert(version.clone());
            }
            extension.versions.insert(version);
            extension.default = row.get(3);
            extension.installed = row.get(4);
        }
        Ok(facts)
    }

    /// Takes what was seen in one database for what a new one will be like: `template0` has only one extension.
    pub fn as_in_a_new_database(&mut self) {
        for (name, extension) in &mut self.extensions {
            extension.installed = name == "plpgsql";
        }
    }

    /// Whether our role may do what only superusers may, or what a cloud provider lets its stand-in do.
    #[must_use]
    pub fn privileged(&self) -> bool {
        self.superuser || self.provider_superuser
    }
}

//! What belongs to the server and not to one database: roles, memberships, settings of roles. Never a password.
//!
//! Everything is read from views and catalogues that a managed server shows too (`pg_roles`, `pg_auth_members`,
//! `pg_db_role_setting`); `pg_authid`, where the passwords are, is closed on Amazon RDS and not needed.

mod apply;
mod plan;
mod read;

use serde::{Deserialize, Serialize};

pub use apply::{Applied, apply};
pub use plan::{Plan, Step, plan};
pub use read::read;

use crate::body::Setting;

/// The server's roles and what belongs to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Globals {
    /// Roles, without the server's own (`pg_…`).
    pub roles: Vec<Role>,
    /// Who is a member of what.
    pub memberships: Vec<Membership>,
    /// `ALTER ROLE … SET` for all databases; without a role it is for every role (`ALTER ROLE ALL SET`).
    pub settings: Vec<Setting>,
    /// Names of tablespaces beyond the built-in ones. They are folders of the server and are only noted.
    pub tablespaces: Vec<String>,
}

/// One role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `SUPERUSER`.
    pub superuser: bool,
    /// `INHERIT`.
    pub inherit: bool,
    /// `CREATEROLE`.
    pub create_role: bool,
    /// `CREATEDB`.
    pub create_db: bool,
    /// `LOGIN`.
    pub login: bool,
    /// `REPLICATION`.
    pub replication: bool,
    /// `BYPASSRLS`.
    pub bypass_rls: bool,
    /// `CONNECTION LIMIT`; −1 for none.
    pub connection_limit: i32,
    /// `VALID UNTIL`, as the server writes it in UTC.
    pub valid_until: Option<String>,
    /// `COMMENT ON ROLE`.
    pub comment: Option<String>,
}

/// One role's membership in another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Membership {
    /// The role that was granted.
    pub role: String,
    /// Who got it.
    pub member: String,
    /// `WITH ADMIN OPTION`.
    pub admin: bool,
    /// `WITH INHERIT`, from PostgreSQL 16 on.
    pub inherit: Option<bool>,
    /// `WITH SET`, from PostgreSQL 16 on.
    pub set: Option<bool>,
    /// `GRANTED BY`, from PostgreSQL 16 on; before, it meant nothing. None for the bootstrap superuser, whose name
    /// differs from server to server.
    pub grantor: Option<String>,
}

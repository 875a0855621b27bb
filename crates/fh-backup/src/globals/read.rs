//! Reads the roles of a server.

use fh_core::{Error, Result};
use fh_pg::query_error;
use tokio_postgres::Client;

use super::{Globals, Membership, Role};
use crate::body::Setting;

const ROLES: &str = "
SELECT rolname::text, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
       rolconnlimit, rolvaliduntil::text, shobj_description(oid, 'pg_authid')
FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname";

/// The server's own roles are members of each other from the beginning; what users were given of them counts.
const MEMBERSHIPS: &str = "
SELECT r.rolname::text, m.rolname::text, a.admin_option, NULL::bool, NULL::bool, NULL::text
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE m.rolname !~ '^pg_' ORDER BY 1, 2";

/// From PostgreSQL 16 on a membership says who granted it, and what it allows. OID 10 is the bootstrap superuser
/// (`BOOTSTRAP_SUPERUSERID` in PostgreSQL's `pg_authid.dat`).
const MEMBERSHIPS_SINCE_16: &str = "
SELECT r.rolname::text, m.rolname::text, a.admin_option, a.inherit_option, a.set_option,
       CASE WHEN a.grantor <> 10 THEN g.rolname::text END
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
LEFT JOIN pg_roles g ON g.oid = a.grantor
WHERE m.rolname !~ '^pg_' ORDER BY 1, 2, 6";

const SETTINGS: &str = "
SELECT r.rolname::text, unnest(s.setconfig)
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE s.setdatabase = 0 AND (r.rolname IS NULL OR r.rolname !~ '^pg_') ORDER BY 1 NULLS FIRST, 2";

const TABLESPACES: &str = "SELECT spcname::text FROM pg_tablespace WHERE spcname !~ '^pg_' ORDER BY 1";

/// The roles of the server, in the snapshot of the session. `major` is the server's version.
///
/// # Errors
/// Exit code 3 when the catalogue cannot be read.
pub async fn read(client: &Client, major: u32) -> Result<Globals> {
    let failed = |error| query_error("cannot read the roles of the server", error);
    let rows = client.query(ROLES, &[]).await.map_err(failed)?;
    let roles = rows.iter().map(|row| Role {
        name: row.get(0),
        superuser: row.get(1),
        inherit: row.get(2),
        create_role: row.get(3),
        create_db: row.get(4),
        login: row.get(5),
        replication: row.get(6),
        bypass_rls: row.get(7),
        connection_limit: row.get(8),
        valid_until: row.get(9),
        comment: row.get(10),
    });
    let roles = roles.collect();
    let statement = if major >= 16 {
        MEMBERSHIPS_SINCE_16
    } else {
        MEMBERSHIPS
    };
    let rows = client.query(statement, &[]).await.map_err(failed)?;
    let memberships = rows.iter().map(|row| Membership {
        role: row.get(0),
        member: row.get(1),
        admin: row.get(2),
        inherit: row.get(3),
        set: row.get(4),
        grantor: row.get(5),
    });
    let memberships = memberships.collect();
    let rows = client.query(SETTINGS, &[]).await.map_err(failed)?;
    let settings: Result<Vec<Setting>> = rows.iter().map(|row| setting(row.get(0), row.get(1))).collect();
    let rows = client.query(TABLESPACES, &[]).await.map_err(failed)?;
    Ok(Globals {
        roles,
        memberships,
        settings: settings?,
        tablespaces: rows.iter().map(|row| row.get(0)).collect(),
    })
}

fn setting(role: Option<String>, text: &str) -> Result<Setting> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Error::unable(format!("a setting of a role has no value: {text:?}")))?;
    Ok(Setting {
        role,
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

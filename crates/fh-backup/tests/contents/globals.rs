//! Roles come to another server: with what they may do, and without their passwords.

use fh_testkit::{Postgres, require};

use super::assert_parts;
use super::tool::{Tool, files, small_server};

/// What the catalogue says about the roles of this test.
const ROLES: &str = "
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
       rolconnlimit, rolvaliduntil AT TIME ZONE 'UTC', shobj_description(oid, 'pg_authid')
FROM pg_roles WHERE rolname ~ '^(Ops|app)' ORDER BY rolname COLLATE \"C\"";
const MEMBERSHIPS: &str = "
SELECT r.rolname, m.rolname, a.admin_option
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE m.rolname ~ '^(Ops|app)' ORDER BY r.rolname COLLATE \"C\", m.rolname COLLATE \"C\"";
const SETTINGS: &str = "
SELECT r.rolname, unnest(s.setconfig) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
WHERE s.setdatabase = 0 ORDER BY r.rolname COLLATE \"C\", 2";

/// What a membership says besides, from PostgreSQL 16 on.
const OPTIONS_SINCE_16: &str = "
SELECT r.rolname, m.rolname, g.rolname, a.inherit_option, a.set_option
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
JOIN pg_roles g ON g.oid = a.grantor WHERE m.rolname ~ '^(Ops|app)' ORDER BY 1, 2, 3";

fn all(server: &Postgres) -> String {
    let options = if server.major() >= 16 {
        OPTIONS_SINCE_16
    } else {
        "SELECT 1"
    };
    [ROLES, MEMBERSHIPS, SETTINGS, options]
        .map(|query| server.psql("postgres", query))
        .join("\n--\n")
}

#[test]
fn roles_come_to_another_server() {
    let Some(server) = small_server() else { return };
    server.psql(
        "shop",
        "CREATE ROLE \"Ops Admin\" LOGIN CREATEROLE CREATEDB CONNECTION LIMIT 5 VALID UNTIL '2031-05-06 07:08:09+02'
             PASSWORD 'canary-of-the-password';
         COMMENT ON ROLE \"Ops Admin\" IS 'it''s theirs';
         CREATE ROLE app_super SUPERUSER NOINHERIT REPLICATION BYPASSRLS;
         CREATE ROLE app_reader; CREATE ROLE app_old LOGIN VALID UNTIL 'infinity';
         GRANT app_reader TO \"Ops Admin\" WITH ADMIN OPTION; GRANT pg_read_all_data TO app_reader;
         GRANT app_reader TO app_old;
         ALTER ROLE app_reader SET search_path = 'a b', public; ALTER ROLE app_reader SET work_mem = '7MB';
         ALTER ROLE app_reader IN DATABASE shop SET work_mem = '8MB'",
    );
    if server.major() >= 16 {
        server.psql(
            "shop",
            "GRANT app_reader TO app_super WITH INHERIT FALSE, SET TRUE GRANTED BY \"Ops Admin\"",
        );
    }
    let other = require!(Postgres::try_start());
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"))
        .with("OTHER", other.url("postgres"));
    let created = tool.run(&["create"]).expect(0);
    assert_parts(&created.stdout, &["memberships", "no passwords"]);
    let restore =
        |more: &[&str]| tool.run(&[&["restore", "--globals", "--target-url-env", "OTHER"], more].concat());

    let before = all(&other);
    let plan = restore(&["--dry-run"]).expect(0);
    assert_parts(
        &plan.stdout,
        &["CREATE ROLE \"Ops Admin\" WITH LOGIN INHERIT CREATEDB CREATEROLE CONNECTION LIMIT 5"],
    );
    assert_eq!(all(&other), before, "a dry run changed something");

    // The printed SQL is the same thing for psql.
    let third = require!(Postgres::try_start());
    let json = restore(&["--dry-run", "--format", "json"]).expect(0).json();
    let script = json["data"]["sql"].as_str().unwrap().to_owned();
    third.psql("postgres", &script);

    restore(&[]).expect(0);
    assert_eq!(all(&other), all(&server));
    assert_eq!(all(&third), all(&server));
    assert_eq!(
        other.psql(
            "postgres",
            "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL"
        ),
        "0"
    );

    // Once more changes nothing and says so.
    let again = restore(&[]).expect(0);
    assert_parts(&again.stdout, &["0 roles made"]);
    assert_eq!(all(&other), all(&server));

    // An existing role is left as it is, and the difference is told.
    other.psql(
        "postgres",
        "ALTER ROLE app_reader LOGIN; ALTER ROLE app_reader RESET work_mem; REVOKE app_reader FROM app_old",
    );
    let changed = all(&other);
    let told = restore(&[]).expect(0);
    assert_parts(
        &told.stdout,
        &[
            "role app_reader: LOGIN is no in the set and yes here",
            "role app_reader: its settings differ",
            "membership of app_old in app_reader is missing here",
        ],
    );
    assert_eq!(all(&other), changed);
    restore(&["--fail-on", "warning"]).expect(1);

    for (path, content) in files(&tool.path("repository")) {
        let plain = zstd_of(&content);
        assert!(!contains(&plain, b"canary-of-the-password"), "{}", path.display());
        assert!(!contains(&plain, b"SCRAM-SHA-256"), "{}", path.display());
    }
}

/// The content, decompressed where it is compressed.
fn zstd_of(content: &[u8]) -> Vec<u8> {
    let magic = memchr::memmem::find(content, &[0x28, 0xb5, 0x2f, 0xfd]);
    match magic {
        Some(at) => [
            content,
            &zstd::stream::decode_all(&content[at..]).unwrap_or_default(),
        ]
        .concat(),
        None => content.to_vec(),
    }
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(content, part).is_some()
}

#[test]
fn who_may_not_make_roles_changes_nothing() {
    let Some(server) = small_server() else { return };
    server.psql("shop", "CREATE ROLE app_one; CREATE ROLE app_two");
    let tool = Tool::new()
        .in_folder(false)
        .with("DATABASE_URL", server.url("shop"));
    tool.run(&["create"]).expect(0);
    server.psql(
        "shop",
        "DROP ROLE app_one; DROP ROLE app_two; CREATE ROLE weak LOGIN",
    );
    let tool = tool.with("DATABASE_URL", server.url_as("weak", "shop"));
    let failed = tool.run(&["restore", "--globals"]).expect(3);
    assert_parts(
        &failed.stderr,
        &["cannot make role app_one", "CREATEROLE", "nothing was changed"],
    );
    assert_eq!(
        server.psql("shop", "SELECT count(*) FROM pg_roles WHERE rolname ~ '^app'"),
        "0"
    );
    tool.run(&["restore", "--globals", "--replace"]).expect(2);
    tool.run(&["restore", "--to", "x"]).expect(2);
    tool.run(&["restore", "--globals", "--redis", "--redis-url-env", "X"])
        .expect(2);
}

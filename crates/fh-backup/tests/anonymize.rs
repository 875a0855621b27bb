//! A restore without personal data: closed by default, the same keys everywhere, and nothing of before left.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tool;

use fh_testkit::Postgres;
use tool::Tool;

const PEOPLE: &str = "
CREATE DOMAIN phone AS varchar(20);
CREATE TABLE users (
    login text PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, name text, phone phone, code char(16),
    device uuid, birthday date, address jsonb, score numeric(10, 2), photo bytea
);
CREATE TABLE visits (id int PRIMARY KEY, login text REFERENCES users, at date NOT NULL, ip inet) ;
CREATE TABLE logs (at date NOT NULL, line text) PARTITION BY RANGE (at);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE products (sku text PRIMARY KEY, title text);
CREATE MATERIALIZED VIEW mails AS SELECT email FROM users;
INSERT INTO users SELECT 'login-' || n, 'user' || n || '@shop.example', E'Name\\t' || n || E'\\\\', '+43 660 ' || n, 'CODE' || n,
    md5(n::text)::uuid, date '1990-01-01' + n, json_build_object('street', 'Street ' || n), n, decode(md5(n::text), 'hex')
    FROM generate_series(1, 300) n;
INSERT INTO users (login, email) VALUES ('empty-handed', 'nobody@shop.example');
INSERT INTO visits SELECT n, 'login-' || n, '2024-05-01', '192.0.2.1' FROM generate_series(1, 300) n;
INSERT INTO logs SELECT '2024-05-01', 'user' || n || '@shop.example' FROM generate_series(1, 20) n;
INSERT INTO products VALUES ('A1', 'Apple'), ('B2', 'user7@shop.example');
SELECT lo_from_bytea(4711, 'a letter');";

const RULES: &str = r#"
[backup.anonymize]
salt = { env = "ANONYMIZE_SALT" }

[backup.anonymize.tables."public.users"]
columns = { login = "hash", email = "email", name = "name", phone = { fixed = "000" }, code = "hash", device = "hash", address = { fixed = "{}" }, score = { fixed = "0" }, photo = "null" }

[backup.anonymize.tables."public.visits"]
columns = { login = "hash", ip = { fixed = "192.0.2.0" } }

[backup.anonymize.tables."public.logs"]
columns = { line = "null" }
"#;

fn ready(rules: &str) -> Option<(Postgres, Tool)> {
    let server = fh_testkit::start_or_skip(Postgres::try_start())?;
    server.create_database("shop");
    server.psql("shop", PEOPLE);
    let tool = Tool::new()
        .in_folder(true)
        .with("DATABASE_URL", server.url("shop"))
        .with("ANONYMIZE_SALT", "0123456789abcdef0123456789abcdef");
    rules_are(&tool, rules);
    tool.run(&["create"]).expect(0);
    Some((server, tool))
}

fn rules_are(tool: &Tool, rules: &str) {
    std::fs::write(tool.path("financehub.toml"), rules).unwrap();
}

fn assert_parts(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn nothing_of_before_is_left_and_keys_still_fit() {
    let Some((server, tool)) = ready(RULES) else {
        return;
    };
    let done = tool
        .run(&["restore", "--anonymize", "--create", "--into", "staging"])
        .expect(0);
    assert_parts(
        &done.stdout,
        &[
            "12 column(s) were masked",
            "table(s) have no rules and are as they were",
            "public.products.title: 1",
            "their content was left out",
        ],
    );
    let sql = |sql: &str| server.psql("staging", sql);
    assert_eq!(sql("SELECT count(*) FROM users"), "301");
    // The foreign key is there, so every login of a visit is one of a user.
    assert_eq!(sql("SELECT count(*) FROM visits JOIN users USING (login)"), "300");
    assert_eq!(
        sql("SELECT count(DISTINCT email) FROM users WHERE email LIKE 'user-%@example.com'"),
        "301"
    );
    assert_eq!(
        sql("SELECT count(*) FROM users WHERE name IS NULL AND phone IS NULL"),
        "1"
    );
    assert_eq!(
        sql("SELECT DISTINCT phone, address, score, photo FROM users WHERE phone IS NOT NULL"),
        "000|{}|0.00|"
    );
    assert_eq!(sql("SELECT count(DISTINCT birthday) FROM users"), "300");
    assert_eq!(sql("SELECT count(*) FROM logs WHERE line IS NOT NULL"), "0");
    assert_eq!(
        sql("SELECT count(*) FROM mails WHERE email LIKE '%shop.example'"),
        "0"
    );
    assert_eq!(sql("SELECT length(lo_get(4711))"), "0");
    // Everything that anybody could read in it, as text.
    let all = server.table_contents("staging");
    for (table, content) in &all {
        if table.contains("products") {
            continue;
        }
        for before in [
            "@shop.example",
            "login-",
            "Name",
            "+43",
            "CODE",
            "Street",
            "a letter",
        ] {
            assert!(!content.contains(before), "{before:?} is in {table}");
        }
    }
    // The same key gives the same values: a test that knows one finds it again.
    let login = sql("SELECT login FROM users ORDER BY birthday LIMIT 1");
    tool.run(&["restore", "--anonymize", "--create", "--into", "again"])
        .expect(0);
    assert_eq!(
        server.psql("again", "SELECT login FROM users ORDER BY birthday LIMIT 1"),
        login
    );
    let other = tool.with("ANONYMIZE_SALT", "another key of more than sixteen");
    other
        .run(&["restore", "--anonymize", "--create", "--into", "other"])
        .expect(0);
    assert_ne!(
        server.psql("other", "SELECT login FROM users ORDER BY birthday LIMIT 1"),
        login
    );
}

#[test]
fn what_is_not_decided_stops_the_restore_before_anything_is_changed() {
    let Some((server, mut tool)) = ready(RULES) else {
        return;
    };
    let databases = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database";
    let before = server.psql("postgres", databases);
    let run = |tool: &Tool, code: i32| {
        let ran = tool
            .run(&["restore", "--anonymize", "--create", "--into", "staging"])
            .expect(code);
        assert_eq!(server.psql("postgres", databases), before);
        ran.stderr
    };
    rules_are(
        &tool,
        r#"
        [backup.anonymize]
        salt = { env = "ANONYMIZE_SALT" }
        [backup.anonymize.tables."public.users"]
        columns = { login = "hash", email = "null", names = "name", score = "hash", code = "email" }
        [backup.anonymize.tables."public.visit"]
        [backup.anonymize.tables."public.logs"]
        "#,
    );
    assert_parts(
        &run(&tool, 2),
        &[
            "public.users.email: the rule \"null\" is for a column that is NOT NULL",
            "public.users.names: there is no such column with stored values (did you mean name?)",
            "public.users.name (text) has no rule",
            "public.users.phone (public.phone) has no rule",
            "public.users.address (jsonb) has no rule",
            "public.users.photo (bytea) has no rule",
            "public.users.score: the rule \"hash\" is for texts",
            "public.users.code: the rule \"email\" needs 33 characters",
            "public.visit: the backup has no such table (did you mean public.visits?)",
            "public.logs_1.line (text) has no rule",
            "nothing was changed",
        ],
    );
    rules_are(
        &tool,
        &RULES.replace("score = { fixed = \"0\" }", "score = { fixed = \"none\" }"),
    );
    assert_parts(
        &run(&tool, 2),
        &["the fixed value of public.users.score is none of type numeric(10,2)"],
    );
    rules_are(
        &tool,
        &RULES.replace("salt =", "unlisted = \"sensitive\"\nsalt ="),
    );
    assert_parts(&run(&tool, 2), &["public.products.sku (text) has no rule"]);
    rules_are(&tool, &format!("protected = true\n{RULES}"));
    assert_parts(&run(&tool, 4), &["protected environment"]);
    rules_are(&tool, RULES);
    tool.set("ANONYMIZE_SALT", "short");
    let short = run(&tool, 2);
    assert_parts(&short, &["fewer than 16 characters"]);
}

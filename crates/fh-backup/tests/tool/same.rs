//! Whether two databases are the same, by the words of stock `pg_dump` and `psql` alone.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part"
)]

use fh_testkit::Postgres;

/// Definitions, rows, sequences and large objects, and what belongs to the database itself.
pub fn assert_same(there: (&Postgres, &str), here: (&Postgres, &str)) {
    assert_same_contents(there, here);
    assert_eq!(settings(there.0, there.1), settings(here.0, here.1));
}

/// Definitions, rows, sequences and large objects.
pub fn assert_same_contents(there: (&Postgres, &str), here: (&Postgres, &str)) {
    assert_eq!(there.0.pg_dump_schema(there.1), here.0.pg_dump_schema(here.1));
    assert_same_rows(there, here);
}

/// Rows, sequences and large objects.
pub fn assert_same_rows(there: (&Postgres, &str), here: (&Postgres, &str)) {
    let contents = |(server, name): (&Postgres, &str)| server.table_contents(name);
    let (there, here) = (contents(there), contents(here));
    assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>());
    for (name, content) in &there {
        assert!(
            *content == here[name],
            "{name}:\n{}\nbecame\n{}",
            excerpt(content),
            excerpt(&here[name])
        );
    }
}

/// Comment, privileges and settings of the database; the server keeps privileges in the order in which they were granted.
pub fn settings(server: &Postgres, database: &str) -> Vec<String> {
    let text = server.database_settings(database);
    text.lines()
        .map(|line| {
            let mut parts: Vec<&str> = line.split(['{', ',', '}']).collect();
            if line.starts_with("acl") {
                parts.sort_unstable();
            }
            parts.join(",")
        })
        .collect()
}

fn excerpt(text: &str) -> String {
    text.chars().take(2000).collect()
}

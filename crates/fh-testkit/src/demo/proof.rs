//! What must be the same before and after.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::Postgres;

/// Definitions and a digest of every table, sequence and large object, by PostgreSQL's own programs.
pub(super) struct Proof {
    schema: String,
    contents: BTreeMap<String, String>,
}

impl Proof {
    pub(super) fn of(postgres: &Postgres, database: &str) -> Result<Self> {
        Ok(Self {
            contents: postgres.fingerprint(database)?,
            schema: postgres.try_pg_dump_schema(database)?,
        })
    }

    /// Rows of all tables.
    pub(super) fn rows(&self) -> u64 {
        let rows = |(name, digest): (&String, &String)| -> Option<u64> {
            let digest = name.starts_with("table ").then_some(digest)?;
            digest.lines().nth(1)?.split_once(" rows, hash ")?.0.parse().ok()
        };
        self.contents.iter().filter_map(rows).sum()
    }

    pub(super) fn summary(&self) -> String {
        let tables = self
            .contents
            .keys()
            .filter(|name| name.starts_with("table "))
            .count();
        format!(
            "{} rows in {tables} tables, {} lines of schema",
            self.rows(),
            self.schema.lines().count()
        )
    }

    /// Names everything that differs.
    pub(super) fn must_equal(&self, after: &Self) -> Result<()> {
        let mut differences = Vec::new();
        for (name, digest) in &self.contents {
            match after.contents.get(name) {
                None => differences.push(format!("{name} is missing")),
                Some(other) if other != digest => {
                    let short = |digest: &str| digest.lines().skip(1).collect::<Vec<_>>().join(" ");
                    differences.push(format!("{name} was {} and is {}", short(digest), short(other)));
                }
                Some(_) => {}
            }
        }
        let new = after
            .contents
            .keys()
            .filter(|name| !self.contents.contains_key(*name));
        differences.extend(new.map(|name| format!("{name} is new")));
        if let Some((before, after)) = first_difference(&self.schema, &after.schema) {
            differences.push(format!("the schema differs: {before:?} became {after:?}"));
        }
        if !differences.is_empty() {
            bail!(
                "the restored database is not the same:\n  {}",
                differences.join("\n  ")
            );
        }
        Ok(())
    }
}

/// The first pair of lines that differ; an absent line is empty.
fn first_difference<'a>(before: &'a str, after: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut left, mut right) = (before.lines(), after.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => return Some((one.unwrap_or_default(), other.unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(contents: &[(&str, &str)], schema: &str) -> Proof {
        let contents = contents
            .iter()
            .map(|&(name, digest)| (name.to_owned(), digest.to_owned()))
            .collect();
        Proof {
            contents,
            schema: schema.to_owned(),
        }
    }

    #[test]
    fn every_difference_is_named() {
        let before = proof(
            &[
                ("table a", "1 rows\n5 rows, hash 7"),
                ("table b", "1 rows\n1 rows, hash 1"),
            ],
            "x\ny\n",
        );
        let after = proof(
            &[
                ("table a", "1 rows\n5 rows, hash 8"),
                ("table c", "1 rows\n0 rows, hash 0"),
            ],
            "x\n",
        );
        let text = before.must_equal(&after).unwrap_err().to_string();
        for part in [
            "table a was 5 rows, hash 7 and is 5 rows, hash 8",
            "table b is missing",
            "table c is new",
            r#"schema differs: "y" became """#,
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(before.must_equal(&before).is_ok());
        assert_eq!(before.rows(), 6);
    }
}

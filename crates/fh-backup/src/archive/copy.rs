//! The `COPY … FROM stdin` of each table, taken apart.

use std::collections::HashMap;

use super::Archive;

/// Where the rows of one `TABLE DATA` entry are loaded, and in which columns.
///
/// The table is not always the one the rows come from: partitions whose place depends on hashes of an enum are loaded
/// through their root, because those hashes differ between databases (`pg_dump`, `--load-via-partition-root`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The table to load, as SQL.
    pub table: String,
    /// The columns, as SQL, separated by commas; empty for a table without columns.
    pub columns: String,
}

impl Copy {
    /// Takes `COPY schema.table (columns) FROM stdin;` apart; `None` when it is something else.
    #[must_use]
    pub fn parse(statement: &str) -> Option<Self> {
        let rest = statement
            .trim_end()
            .strip_prefix("COPY ")?
            .strip_suffix(" FROM stdin;")?;
        let mut quoted = false;
        let end = rest.char_indices().find_map(|(at, c)| match c {
            '"' => {
                quoted = !quoted;
                None
            }
            ' ' if !quoted => Some(at),
            _ => None,
        })?;
        let (table, columns) = rest.split_at(end);
        let columns = columns.trim();
        let columns = if columns.is_empty() {
            ""
        } else {
            columns.strip_prefix('(')?.strip_suffix(')')?
        };
        Some(Self {
            table: table.to_owned(),
            columns: columns.to_owned(),
        })
    }

    /// The statement that loads.
    #[must_use]
    pub fn load(&self) -> String {
        if self.columns.is_empty() {
            format!("COPY {} FROM STDIN", self.table)
        } else {
            format!("COPY {} ({}) FROM STDIN", self.table, self.columns)
        }
    }

    /// The statement that reads the rows of `table` (as SQL, with a condition behind it or not) in the same columns.
    #[must_use]
    pub fn read(&self, table: &str) -> String {
        format!("COPY (SELECT {} FROM ONLY {table}) TO STDOUT", self.columns)
    }
}

impl Archive {
    /// The COPY of every `TABLE DATA` entry, by dump id. Entries that load the same table share the columns of the
    /// first, so that rows which may change places between them give the same lines.
    ///
    /// # Errors
    /// The statement that is not understood.
    pub fn copies(&self) -> Result<HashMap<i64, Copy>, String> {
        let mut first: HashMap<String, String> = HashMap::new();
        let mut copies = HashMap::new();
        for entry in self.table_data() {
            let statement = entry.copy.as_deref().unwrap_or_default();
            let mut copy = Copy::parse(statement)
                .ok_or_else(|| format!("the COPY of {} is {statement:?}", entry.label()))?;
            copy.columns = first.entry(copy.table.clone()).or_insert(copy.columns).clone();
            copies.insert(entry.dump_id, copy);
        }
        Ok(copies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(statement: &str) -> Option<(String, String)> {
        Copy::parse(statement).map(|copy| (copy.table, copy.columns))
    }

    #[test]
    fn statements_come_apart_and_together() {
        let pair = |table: &str, columns: &str| Some((table.to_owned(), columns.to_owned()));
        assert_eq!(
            parts("COPY public.t (a, \"b c\") FROM stdin;\n"),
            pair("public.t", "a, \"b c\"")
        );
        assert_eq!(
            parts("COPY \"odd \"\"schema\".\"a (b) FROM x\" (\"c) FROM stdin;\") FROM stdin;\n"),
            pair("\"odd \"\"schema\".\"a (b) FROM x\"", "\"c) FROM stdin;\"")
        );
        assert_eq!(
            parts("COPY public.empty  FROM stdin;\n"),
            pair("public.empty", "")
        );
        assert_eq!(parts("INSERT INTO t"), None);
        let copy = Copy::parse("COPY public.t (a) FROM stdin;").unwrap();
        assert_eq!(copy.load(), "COPY public.t (a) FROM STDIN");
        assert_eq!(
            copy.read("public.leaf"),
            "COPY (SELECT a FROM ONLY public.leaf) TO STDOUT"
        );
        assert_eq!(
            Copy::parse("COPY public.t  FROM stdin;").unwrap().load(),
            "COPY public.t FROM STDIN"
        );
    }
}

//! How a live table differs from the restored one: by primary key, in the server, read-only.

use fh_core::{Error, Result};
use fh_pg::{Connection, query_error, quote_ident, quote_literal};

/// The differences.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Diff {
    /// The live table, as SQL.
    pub table: String,
    /// Rows whose key is in the backup only.
    pub only_in_backup: u64,
    /// Rows whose key is live only.
    pub only_live: u64,
    /// Rows with the same key and other values.
    pub different: u64,
    /// Rows that are the same.
    pub same: u64,
    /// Columns of one side that the other does not have; they were not compared.
    pub not_compared: Vec<String>,
    /// The first keys of each kind.
    pub keys: Vec<String>,
}

impl Diff {
    /// Rows that are not the same on both sides.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.only_in_backup + self.only_live + self.different
    }
}

/// One column on both sides.
struct Column {
    name: String,
    key: bool,
    /// Whether the server can compare it as it is: the same built-in type on both sides.
    native: bool,
}

/// Compares `restored` with `live`, both as SQL, and shows up to `keys` keys of each kind.
///
/// Values are compared as texts: types such as json have no equality, and a type may have changed since the backup.
///
/// # Errors
/// Exit code 3 when there is no live table, it has no primary key, or the server refuses.
pub(super) async fn compare(session: &Connection, restored: &str, live: &str, keys: u32) -> Result<Diff> {
    let failed = |error| query_error(format!("cannot compare with {live}"), error);
    let rows = session
        .query(COLUMNS, &[&restored, &live])
        .await
        .map_err(|error| {
            query_error(format!("cannot look at the live table {live}"), error)
                .hint("without a live table there is nothing to compare with")
        })?;
    let mut diff = Diff {
        table: live.to_owned(),
        ..Diff::default()
    };
    let mut columns = Vec::new();
    for row in rows {
        let name: String = row.get(0);
        match (row.get::<_, bool>(1), row.get::<_, bool>(2)) {
            (true, true) => columns.push(Column {
                name,
                key: row.get(3),
                native: row.get(4),
            }),
            (backup, _) => diff.not_compared.push(format!(
                "{name} ({})",
                if backup { "backup only" } else { "live only" }
            )),
        }
    }
    if !columns.iter().any(|column| column.key) {
        return Err(Error::unable(format!(
            "{live} has no primary key that the backup has too, so its rows cannot be compared"
        ))
        .hint("leave --diff away and compare by hand"));
    }
    let sql = Sql::new(&columns, restored, live);
    let counts = session.query_one(&sql.counts(), &[]).await.map_err(failed)?;
    let count = |index: usize| u64::try_from(counts.get::<_, i64>(index)).unwrap_or_default();
    diff.only_in_backup = count(0);
    diff.only_live = count(1);
    diff.different = count(2);
    diff.same = count(3) - diff.total();
    if diff.total() > 0 && keys > 0 {
        let rows = session.query(&sql.keys(keys), &[]).await.map_err(failed)?;
        diff.keys = rows
            .iter()
            .map(|row| format!("{}: {}", row.get::<_, String>(0), row.get::<_, String>(1)))
            .collect();
    }
    Ok(diff)
}

/// Columns of both tables; whether the restored and the live one have it, whether it is in the live one's primary key,
/// and whether it can be compared as it is.
const COLUMNS: &str = "
SELECT coalesce(b.attname, l.attname)::text, b.attname IS NOT NULL, l.attname IS NOT NULL,
       coalesce(l.attnum = ANY (k.indkey), false),
       coalesce(b.atttypid = l.atttypid AND t.typnamespace = 'pg_catalog'::regnamespace, false)
FROM (SELECT * FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped) b
FULL JOIN (SELECT * FROM pg_attribute WHERE attrelid = $2::text::regclass AND attnum > 0 AND NOT attisdropped) l
     ON l.attname = b.attname
LEFT JOIN pg_type t ON t.oid = l.atttypid
LEFT JOIN pg_index k ON k.indrelid = $2::text::regclass AND k.indisprimary
ORDER BY coalesce(l.attnum, b.attnum)";

struct Sql {
    /// `restored b FULL JOIN live l ON …`
    joined: String,
    only_in_backup: String,
    only_live: String,
    different: String,
    /// The key as text.
    key: String,
}

impl Sql {
    fn new(columns: &[Column], restored: &str, live: &str) -> Self {
        let side = |side: &str, column: &Column| format!("{side}.{}", quote_ident(&column.name));
        let keys: Vec<&Column> = columns.iter().filter(|column| column.key).collect();
        let on: Vec<String> = keys
            .iter()
            .map(|column| {
                let (b, l) = (side("b", column), side("l", column));
                if column.native {
                    format!("{b} = {l}")
                } else {
                    format!("{b}::text = {l}::text")
                }
            })
            .collect();
        let values = |which: &str| -> String {
            let values: Vec<String> = columns
                .iter()
                .filter(|column| !column.key)
                .map(|column| format!("{}::text", side(which, column)))
                .collect();
            format!("ROW({})", values.join(", "))
        };
        let (b, l) = (side("b", keys[0]), side("l", keys[0]));
        let different = if columns.iter().all(|column| column.key) {
            "false".to_owned()
        } else {
            format!(
                "{b} IS NOT NULL AND {l} IS NOT NULL AND {} IS DISTINCT FROM {}",
                values("b"),
                values("l")
            )
        };
        let key: Vec<String> = keys
            .iter()
            .map(|column| {
                let value = format!(
                    "coalesce({}::text, {}::text)",
                    side("b", column),
                    side("l", column)
                );
                format!("{} || {value}", quote_literal(&format!("{}=", column.name)))
            })
            .collect();
        Self {
            joined: format!("{restored} b FULL JOIN {live} l ON {}", on.join(" AND ")),
            only_in_backup: format!("{l} IS NULL"),
            only_live: format!("{b} IS NULL"),
            different,
            key: key.join(" || ', ' || "),
        }
    }

    fn counts(&self) -> String {
        format!(
            "SELECT count(*) FILTER (WHERE {}), count(*) FILTER (WHERE {}), count(*) FILTER (WHERE {}), count(*) FROM {}",
            self.only_in_backup, self.only_live, self.different, self.joined
        )
    }

    fn keys(&self, limit: u32) -> String {
        format!(
            "SELECT kind, key FROM (
                SELECT kind, key, row_number() OVER (PARTITION BY kind ORDER BY key) AS place FROM (
                    SELECT CASE WHEN {} THEN 'only in the backup' WHEN {} THEN 'only live' WHEN {} THEN 'different' END AS kind,
                           {} AS key
                    FROM {}) AS found
                WHERE kind IS NOT NULL) AS numbered
             WHERE place <= {limit} ORDER BY kind, place",
            self.only_in_backup, self.only_live, self.different, self.key, self.joined
        )
    }
}

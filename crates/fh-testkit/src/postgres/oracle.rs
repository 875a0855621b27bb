//! What a database holds, told by `psql` and `pg_dump` alone: two databases are equal when these texts are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use super::{Postgres, client};

/// Neither the database's nor the role's settings may change how a value is written.
const PINNED: &[(&str, &str)] = &[
    ("search_path", ""),
    ("datestyle", "ISO"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("row_security", "off"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    ("default_transaction_read_only", "off"),
    ("statement_timeout", "0"),
];

/// Kind (`t` for rows, `p` for rows of all partitions, `n` for not populated, `s` for a sequence), label, and quoted name of
/// everything with contents. Partitioned tables have none of their own, their leaves are listed, except below a hash: its
/// values may hash otherwise after a restore (enum labels hash by OID), so those rows belong to the hash-partitioned table.
const RELATIONS: &str = r"
with relation as (
    select c.oid, relkind, relispopulated, quote_ident(nspname) || '.' || quote_ident(relname) as name,
           coalesce((select partstrat = 'h' from pg_catalog.pg_partitioned_table p where partrelid = c.oid), false) as by_hash,
           exists (select from pg_catalog.pg_partition_ancestors(c.oid) as a join pg_catalog.pg_partitioned_table p on partrelid = a.relid
                   where a.relid <> c.oid and partstrat = 'h') as below_hash
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = relnamespace
    where relpersistence <> 't' and nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_(toast|temp)'
)
select case when relkind = 'S' then 's' when not relispopulated then 'n' when by_hash then 'p' else 't' end,
       encode(convert_to(case relkind when 'S' then 'sequence ' when 'm' then 'materialized view ' else 'table ' end || name, 'UTF8'), 'hex'),
       encode(convert_to(name, 'UTF8'), 'hex')
from relation
where not below_hash and (relkind in ('r', 'm', 'S') or (relkind = 'p' and by_hash))
order by 2";

/// Large objects are no part of a schema dump, so their owner, rights and comment belong here.
const LARGE_OBJECTS: &str = "
select 'large object ' || m.oid || '|' || length(lo_get(m.oid)) || ' bytes, md5 ' || md5(lo_get(m.oid))
       || ', owner ' || pg_get_userbyid(lomowner) || ', acl ' || coalesce(lomacl::text, '-')
       || ', comment ' || coalesce(to_json(obj_description(m.oid, 'pg_largeobject'))::text, '-')
from pg_catalog.pg_largeobject_metadata m order by m.oid";

impl Postgres {
    /// Everything with contents in `database`: per table (partition leaves and inheritance children by themselves) and
    /// materialized view its rows as sorted COPY lines, per sequence its state, per large object its length, MD5, owner and
    /// comment. One snapshot. Generated columns are included.
    ///
    /// # Panics
    /// When the database cannot be read.
    #[must_use]
    pub fn table_contents(&self, database: &str) -> BTreeMap<String, String> {
        let rows_of = |table: &str| format!("copy (select * from {table}) to stdout;");
        self.contents(database, rows_of)
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The same as [`Postgres::table_contents`] with a digest in place of the rows: their number and the sum of a 64-bit hash of each
    /// row's text, computed by the server. For tables too big to hold.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn fingerprint(&self, database: &str) -> Result<BTreeMap<String, String>> {
        // The alias must not be a column's name, which would win.
        let digest = |table: &str| {
            format!(
                "select count(*) || ' rows, hash ' || coalesce(sum(hashtextextended(fh_whole_row::text, 0)::numeric), 0) \
                 from {table} as fh_whole_row;"
            )
        };
        self.contents(database, digest)
    }

    fn contents(&self, database: &str, rows_of: impl Fn(&str) -> String) -> Result<BTreeMap<String, String>> {
        let url = self.url(database);
        let ask = |script: &str| client::psql(self.bin_dir(), &url, PINNED, script);
        let relations = ask(RELATIONS)?;
        // A line that no row can be: rows of other runs do not know this process and moment.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let marker = format!("==fh-{}-{now}==", std::process::id());
        let mut script = "begin isolation level repeatable read read only;\n".to_owned();
        let mut labels = Vec::new();
        for line in relations.lines() {
            let [kind, label, name] = line
                .split('|')
                .collect::<Vec<_>>()
                .try_into()
                .map_err(|_| anyhow::anyhow!("odd line {line:?}"))?;
            let (label, name) = (from_hex(label)?, from_hex(name)?);
            let statement = match kind {
                "t" => rows_of(&format!("only {name}")),
                "p" => rows_of(&name),
                "s" => format!("select last_value, is_called from {name};"),
                _ => "\\echo 'not populated'".to_owned(),
            };
            // The label goes by number: names hold newlines, quotes and backslashes.
            let _ = writeln!(script, "\\echo '{marker}' {}\n{statement}", labels.len());
            labels.push(label);
        }
        let _ = writeln!(script, "\\echo '{marker}' end\n{LARGE_OBJECTS};\ncommit;");
        let output = ask(&script)?;
        let mut contents = BTreeMap::new();
        let separator = format!("{marker} ");
        let mut parts = output.split(&separator).skip(1);
        for (number, label) in labels.into_iter().enumerate() {
            let part = parts.next().context("psql printed too little")?;
            let Some((head, rows)) = part.split_once('\n') else {
                bail!("psql printed {part:?}")
            };
            anyhow::ensure!(
                head == number.to_string(),
                "psql printed {head:?}, expected {number}"
            );
            let mut rows: Vec<_> = rows.lines().collect();
            rows.sort_unstable();
            // The count tells no row from one empty row.
            contents.insert(label, format!("{} rows\n{}", rows.len(), rows.join("\n")));
        }
        let objects = parts.next().context("psql printed no end")?;
        for line in objects.lines().skip(1) {
            let (name, value) = line
                .split_once('|')
                .with_context(|| format!("psql printed {line:?}"))?;
            contents.insert(name.to_owned(), value.to_owned());
        }
        Ok(contents)
    }

    /// `pg_dump --schema-only` without the lines that differ from run to run (`\restrict` tokens, versions), and whatever the
    /// database's own settings are: constants in defaults are written in the session's time zone and date style.
    ///
    /// # Panics
    /// When pg_dump fails.
    #[must_use]
    pub fn pg_dump_schema(&self, database: &str) -> String {
        self.try_pg_dump_schema(database)
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// [`Postgres::pg_dump_schema`] for a database that may be missing.
    ///
    /// # Errors
    /// What pg_dump says.
    pub fn try_pg_dump_schema(&self, database: &str) -> Result<String> {
        let arguments = ["--schema-only", "--dbname", &self.url(database)];
        let dump = client::run(&self.bin_dir().join("pg_dump"), PINNED, arguments)?;
        let noise = ["\\restrict ", "\\unrestrict ", "-- Dumped from ", "-- Dumped by "];
        let lines = dump
            .lines()
            .filter(|line| !noise.iter().any(|start| line.starts_with(start)));
        Ok(lines.fold(String::new(), |text, line| text + line + "\n"))
    }

    /// What belongs to the database as a whole and is not in [`Postgres::pg_dump_schema`]: its comment, rights and the settings of
    /// `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
    ///
    /// # Panics
    /// When the database cannot be read.
    #[must_use]
    pub fn database_settings(&self, database: &str) -> String {
        let sql = r"
            select 'comment|' || coalesce(to_json(shobj_description(oid, 'pg_database'))::text, '-') from pg_database where datname = current_database();
            select 'acl|' || coalesce(datacl::text, '-') from pg_database where datname = current_database();
            select 'set|' || coalesce(rolname, '') || '|' || setting
            from pg_db_role_setting s join pg_database d on d.oid = setdatabase left join pg_roles r on r.oid = setrole,
                 unnest(setconfig) as setting
            where datname = current_database() order by 1;";
        client::psql(self.bin_dir(), &self.url(database), PINNED, sql)
            .unwrap_or_else(|error| panic!("{error:#}"))
    }
}

/// Text from hexadecimal UTF-8.
fn from_hex(hex: &str) -> Result<String> {
    let byte = |at: usize| -> Result<u8> {
        let digits = hex
            .get(at..at + 2)
            .with_context(|| format!("odd hexadecimal text {hex:?}"))?;
        Ok(u8::from_str_radix(digits, 16)?)
    };
    let bytes: Result<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    Ok(String::from_utf8(bytes?)?)
}
